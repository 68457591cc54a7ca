"""Mails by SMTP, against a real mail server (aiosmtpd) that speaks STARTTLS and wants a login."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from house.mailing import send_by
from house.people import make_user
from markethall.foundation.messaging import delivery
from markethall.foundation.messaging.actions import resend, send_mail
from markethall.foundation.messaging.errors import CarrierUnwell
from markethall.foundation.messaging.models import Mail, Suppression
from markethall.foundation.messaging.rules import MAX_ATTEMPTS
from markethall.foundation.messaging.vendors import registry
from markethall.kernel import clock

pytestmark = pytest.mark.django_db
USER, PASSWORD = "hall", "the password of the mail server"
ME = "localhost"


class Server:
    """Takes mails, or says what a test wants it to say to the recipient or the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipient = self.data = self.mail = ""
        self.logins = 0

    async def handle_MAIL(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.mail or "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.recipient:
            envelope.rcpt_tos.append(address)
        return self.recipient or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.data:
            return self.data
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        return "250 2.0.0 queued"

    def login(self, *arguments: Any) -> AuthResult:
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        self.logins += 1
        right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=right)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for this machine, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(ME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server(settings: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mail server that the hall is set to send by, and whose certificate it trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    made = Server()
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=_free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=made.login,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    controller.start()
    send_by(settings, "smtp")
    settings.EMAIL_HOST, settings.EMAIL_PORT = ME, controller.port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL, settings.EMAIL_TIMEOUT = True, False, 5
    yield made
    controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def written(**more: Any) -> Mail:
    return send_mail("no_account", to="ada@example.com", **more)


def sent(mail: Mail, *attachments: tuple[str, bytes, str]) -> Mail:
    delivery.deliver(mail.pk, attachments)
    mail.refresh_from_db()
    return mail


def test_a_mail_arrives_with_text_html_and_attachment(server: Server) -> None:
    mail = sent(written(), ("receipt.pdf", b"%PDF-1.7", "application/pdf"))
    assert (mail.status, mail.error, mail.carrier) == ("sent", "", "smtp")
    [arrived] = server.mails
    text, html = arrived.get_body(("plain",)), arrived.get_body(("html",))
    assert text and html
    assert text.get_content().split() == mail.text.split()
    assert "<table" in html.get_content()
    [attached] = arrived.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("receipt.pdf", b"%PDF-1.7")
    assert arrived["Message-ID"] == f"<{mail.pk}.1@markethall.test>"
    assert arrived["Reply-To"] == "support@markethall.test"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert arrived["List-Unsubscribe"] is None
    assert server.logins == 1


def test_every_sending_of_a_mail_bears_one_message_id_of_its_own(server: Server) -> None:
    server.data = "451 4.3.0 try later"
    mail = sent(written())
    server.data = ""
    sent(mail)
    sent(resend(mail.pk, actor_id=make_user().pk))
    assert [m["Message-ID"].split(".")[1][0] for m in server.mails] == ["1", "2"]


@pytest.mark.parametrize(
    ("recipient", "data", "status"),
    [
        ("450 4.2.1 mailbox is busy", "", "queued"),
        ("", "452 4.3.1 no room", "queued"),
        ("550 5.1.1 no such user", "", "rejected"),
        ("550 5.7.1 we do not like you", "", "rejected"),
        ("", "554 5.7.1 this looks like spam", "failed"),
    ],
)
def test_what_the_server_says_decides(
    server: Server, recipient: str, data: str, status: str
) -> None:
    server.recipient, server.data = recipient, data
    mail = sent(written())
    assert mail.status == status and (recipient or data)[4:] in mail.error
    assert Suppression.objects.exists() is ("5.1.1" in recipient)


def test_the_waits_grow_until_it_is_given_up(server: Server) -> None:
    server.mail = "421 4.7.0 too many of you"
    mail, waits = written(), []
    for _ in range(MAX_ATTEMPTS - 1):
        mail = sent(mail)
        waits.append(mail.due_at - clock.now())
    assert (
        waits == sorted(waits) and waits[0] < timedelta(minutes=1) < timedelta(hours=7) < waits[-1]
    )
    assert sent(mail).status == "failed"


def test_a_mail_is_not_sent_in_the_clear(server: Server, settings: Any) -> None:
    settings.EMAIL_USE_TLS = False
    mail = sent(written())
    assert mail.status == "queued" and server.mails == [] and server.logins == 0


def test_a_server_that_nobody_vouches_for_gets_no_password(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert sent(written()).status == "queued"
    with pytest.raises(CarrierUnwell, match="certificate"):
        registry.current().probe()
    assert server.logins == 0


def test_the_probe_signs_in_and_sends_nothing(server: Server, settings: Any) -> None:
    said = registry.current().probe()
    assert "encrypted" in said and f"signed in as {USER}" in said
    settings.EMAIL_HOST_PASSWORD = "another"
    with pytest.raises(CarrierUnwell, match="535"):
        registry.current().probe()
    assert server.mails == []


def test_a_server_that_is_away_is_tried_again(server: Server, settings: Any) -> None:
    settings.EMAIL_PORT = 9
    assert sent(written()).status == "queued"
    with pytest.raises(CarrierUnwell, match=f"{ME}:9"):
        registry.current().probe()


def test_it_really_is_smtp(server: Server, settings: Any) -> None:
    with smtplib.SMTP(ME, settings.EMAIL_PORT) as client:
        assert client.ehlo()[0] == 250 and client.has_extn("starttls")
        assert client.docmd("MAIL FROM:<a@example.com>")[0] == 530
