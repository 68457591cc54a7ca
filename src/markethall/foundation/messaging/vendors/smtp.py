"""Any mail server, by SMTP with STARTTLS or TLS."""

from __future__ import annotations

import re
import smtplib
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.http import HttpRequest

from markethall.foundation.messaging.errors import CarrierUnwell, UnknownCarrier
from markethall.foundation.messaging.vendors.base import Failure, Notice, Ticket, Verdict

# RFC 3463: no such mailbox, system or address; the mailbox moved.
_DEAD = re.compile(rb"\b5\.1\.(1|2|3|6|10)\b")
_LATER = range(400, 500)


class Smtp:
    """A mail server. It tells nothing afterwards, and a mail whose answer is lost may come twice:
    both bear one Message-ID, by which many mailboxes tell that."""

    name = "smtp"
    repeats_safely = False
    tells = False

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
        message.extra_headers["Message-ID"] = f"<{ticket.mail_id}.{ticket.round}@{domain}>"
        # RFC 3834: no holiday notes in answer.
        message.extra_headers["Auto-Submitted"] = "auto-generated"

    def failure(self, error: Exception) -> Failure:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code, said = next(iter(error.recipients.values()))
            text = f"{code} {_read(said)}"
            if code in _LATER:
                return Failure(Verdict.AGAIN, text)
            return Failure(Verdict.REFUSED, text, dead=bool(_DEAD.search(_bytes(said))))
        if isinstance(error, smtplib.SMTPDataError):
            text = f"{error.smtp_code} {_read(error.smtp_error)}"
            later = error.smtp_code in _LATER
            return Failure(Verdict.AGAIN if later else Verdict.NEVER, text)
        if isinstance(error, smtplib.SMTPResponseException):
            return Failure(Verdict.AGAIN, f"{error.smtp_code} {_read(error.smtp_error)}")
        return Failure(Verdict.AGAIN, f"{type(error).__name__}: {error}")

    def read_webhook(self, request: HttpRequest) -> list[Notice]:
        raise UnknownCarrier

    def probe(self) -> str:
        """Connect, encrypt, sign in, NOOP."""
        where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        connection = EmailBackend()
        try:
            connection.open()
            code, said = _server(connection).noop()
        except (OSError, smtplib.SMTPException) as error:
            raise CarrierUnwell(f"{where}: {self.failure(error).text}") from error
        finally:
            connection.close()
        if code != 250:
            raise CarrierUnwell(f"{where}: {code} {_read(said)}")
        signed = f", signed in as {settings.EMAIL_HOST_USER}" if settings.EMAIL_HOST_USER else ""
        tls = "encrypted" if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL else "NOT encrypted"
        return f"{where} answers, {tls}{signed}"

    def forgive(self, address: str) -> str:
        return ""


def _server(connection: EmailBackend) -> smtplib.SMTP:
    if connection.connection is None:
        raise smtplib.SMTPServerDisconnected("No connection")
    return connection.connection


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()


def _read(said: bytes | str) -> str:
    return _bytes(said).decode(errors="replace")
