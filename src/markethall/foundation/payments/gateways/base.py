"""What Markethall asks of a payment gateway, in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from markethall.kernel.money import Money


class ChargeState(StrEnum):
    """Where a payment stands at the gateway. ``failed`` can be tried again, ``closed`` cannot."""

    OPEN = "open"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One line of what is paid, for the gateway's page."""

    name: str
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """What is to be paid. ``key`` is the idempotency key; ``metadata`` comes back in webhooks."""

    key: str
    money: Money
    description: str
    lines: Sequence[ChargeLine]
    email: str
    return_url: str
    cancel_url: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of the gateway's on which the customer pays. ``ref`` is the gateway's id of it."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment for a front end that collects the card itself, with the secret to do it."""

    ref: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class ChargeTruth:
    """A payment as the gateway knows it, asked directly."""

    ref: str
    state: ChargeState
    money: Money
    failure: str = ""


@dataclass(frozen=True, slots=True)
class RefundTruth:
    """A refund as the gateway knows it. ``failure`` is a sentence when it was refused."""

    ref: str
    succeeded: bool
    failure: str = ""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook whose signature has been verified. ``id`` is the same in every delivery."""

    id: str
    type: str
    payload: dict[str, Any]


class NoticeKind(StrEnum):
    """What a webhook is about; ``other`` needs nothing done."""

    PAYMENT = "payment"
    REFUND = "refund"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook says, in our words. It is a hint to look, and no truth: ``money`` is what
    it claims, compared with what we asked for. ``refund_key`` is our refund's id."""

    kind: NoticeKind
    ref: str = ""
    money: Money | None = None
    refund_key: str = ""
    refund_ref: str = ""


class MovementKind(StrEnum):
    """Money taken from a customer, or given back to one."""

    CHARGE = "charge"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that has moved at the gateway, whoever made it move.

    ``ref`` is the gateway's id of the charge or the refund; ``payment_ref`` names the charge as
    ``fetch_payment`` takes it. ``payment_id`` and ``refund_id`` are ours, from the metadata:
    empty for what was made by hand at the gateway.
    """

    kind: MovementKind
    ref: str
    payment_ref: str
    money: Money
    at: datetime
    payment_id: str = ""
    refund_id: str = ""


class Gateway(Protocol):
    """A payment gateway. Calls raise GatewayUnavailable when it does not answer, and
    GatewayRefused when it answers that it will not."""

    name: str

    def create_checkout(self, request: ChargeRequest) -> Checkout:
        """Open a payment page; the same one for the same key."""

    def create_intent(self, request: ChargeRequest) -> Intent:
        """Open a payment without a page; the same one for the same key."""

    def confirm_intent(self, ref: str, payment_method: str) -> ChargeTruth:
        """Charge an intent to a payment method; one that succeeded stays as it is."""

    def close(self, ref: str) -> ChargeTruth:
        """Let nobody pay this any more. One that was paid stays paid: look at the answer."""

    def fetch_payment(self, ref: str) -> ChargeTruth:
        """The truth about a payment."""

    def refund(self, ref: str, *, key: str, money: Money, reason: str) -> RefundTruth:
        """Give back ``money`` of a payment, once per key."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Verify and read a webhook. Raises InvalidSignature."""

    def read_notice(self, type: str, payload: Mapping[str, Any]) -> Notice:
        """What a stored webhook says. Touches nothing."""

    def recent(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The money that moved from ``since`` until before ``until``, in any order. What is
        under way has not moved yet."""

    def probe(self) -> str:
        """Try the gateway with our credentials; a sentence that says what was found."""
