"""Mails that hold a key to an account: the key reaches its reader, and does not stay in the log."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as mail_server

from house.people import PASSWORD, make_user
from markethall.foundation.accounts import actions
from markethall.foundation.messaging.actions import resend
from markethall.foundation.messaging.delivery import deliver
from markethall.foundation.messaging.errors import MailWithheld
from markethall.foundation.messaging.models import Mail
from markethall.foundation.messaging.queries import links_in, outbox
from markethall.foundation.messaging.rules import MAX_ATTEMPTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_production(settings: Any) -> None:
    settings.SANDBOX = False


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mail server hangs up on everybody."""

    def hang_up(*_: Any, **__: Any) -> None:
        raise ConnectionError("hung up")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", hang_up)


def ask_for_reset() -> Mail:
    user = make_user()
    actions.request_password_reset(email=user.email)
    return outbox(user.email)[0]


def token_in(mail: Mail) -> str:
    return links_in(mail)[0].rpartition("/")[2]


@pytest.mark.parametrize("kind", ["reset_password", "verify_email", "account_exists"])
def test_a_key_leaves_the_log_with_the_mail(kind: str) -> None:
    user = make_user(verified=kind != "verify_email")
    if kind == "account_exists":
        actions.register(email=user.email, password=PASSWORD)
    elif kind == "verify_email":
        actions.request_verification(email=user.email)
    else:
        actions.request_password_reset(email=user.email)
    mail = outbox(user.email)[0]
    assert mail.template == kind
    key = token_in(mail)
    deliver(mail.pk)
    sent = mail_server.outbox[-1]
    assert key in sent.body and key in sent.alternatives[0].content
    mail.refresh_from_db()
    kept = f"{mail.text} {mail.html} {mail.secrets}"
    assert key not in kept and "…" in mail.text and "…" in mail.html
    assert mail.status == "sent" and mail.withheld


def test_a_mail_whose_key_is_gone_is_not_sent_again() -> None:
    mail = ask_for_reset()
    deliver(mail.pk)
    with pytest.raises(MailWithheld):
        resend(mail.pk, actor_id=make_user().pk)
    assert len(mail_server.outbox) == 1


@pytest.mark.usefixtures("cut_off")
def test_a_key_stays_as_long_as_its_mail_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = ask_for_reset()
    key = token_in(mail)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        mail.refresh_from_db()
        assert key in mail.text and not mail.withheld, attempt
        deliver(mail.pk)
    mail.refresh_from_db()
    assert mail.status == "failed" and mail.withheld
    assert key not in f"{mail.text} {mail.html} {mail.secrets}"


def test_other_mails_stay_as_they_were() -> None:
    actions.request_password_reset(email="nobody@example.com")
    mail = outbox("nobody@example.com")[0]
    before = (mail.text, mail.html)
    deliver(mail.pk)
    mail.refresh_from_db()
    assert (mail.text, mail.html) == before and not mail.withheld


def test_the_sandbox_keeps_its_outbox(settings: Any) -> None:
    settings.SANDBOX = True
    mail = ask_for_reset()
    key = token_in(mail)
    deliver(mail.pk)
    mail.refresh_from_db()
    assert token_in(mail) == key and not mail.withheld
