"""Mails that leave no machine: kept in the log (the sandbox's outbox), or printed."""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest

from markethall.foundation.messaging.errors import UnknownCarrier
from markethall.foundation.messaging.vendors.base import Failure, Notice, Ticket, Verdict


class Local:
    """Takes every mail. To hand one over twice does no harm: nobody gets it."""

    repeats_safely = True
    tells = False

    def __init__(self, name: str) -> None:
        self.name = name

    def label(self, message: EmailMultiAlternatives, ticket: Ticket, template: str) -> None:
        """There is nobody to tell."""

    def failure(self, error: Exception) -> Failure:
        return Failure(Verdict.AGAIN, f"{type(error).__name__}: {error}")

    def read_webhook(self, request: HttpRequest) -> list[Notice]:
        raise UnknownCarrier

    def probe(self) -> str:
        return f"{self.name}: no mail leaves this machine"

    def forgive(self, address: str) -> str:
        return ""
