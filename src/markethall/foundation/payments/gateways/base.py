"""What Markethall asks of a payment gateway, in its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable

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


class RefundState(StrEnum):
    """Where a refund stands at the gateway. One that ``succeeded`` can still fail at the bank."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ChargebackState(StrEnum):
    """Where a chargeback stands: an answer is due, the bank decides, or it has decided."""

    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


# What staff can look at on the gateway's own pages.
Thing = Literal["payment", "refund", "chargeback", "customer"]


@dataclass(frozen=True, slots=True)
class CustomerRequest:
    """Somebody who pays. ``key`` is the idempotency key, ``user_id`` ours."""

    key: str
    user_id: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """What is to be paid. ``key`` is the idempotency key; ``metadata`` comes back in webhooks.

    ``customer_ref`` is the gateway's id of who pays. After ``expires_at`` nobody can pay any more;
    it is the same in every call with the same key.
    """

    key: str
    money: Money
    description: str
    lines: Sequence[ChargeLine]
    email: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    customer_ref: str = ""
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
class NextStep:
    """What the customer has to do before a payment can go on: visit ``url``, or let the
    gateway's script ask for it with ``client_secret`` when there is no address."""

    url: str = ""
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class ChargeTruth:
    """A payment as the gateway knows it, asked directly.

    ``charge_ref`` is the id under which the gateway keeps the money, when that is another than
    the one it was opened with: refunds and chargebacks name it.
    """

    ref: str
    state: ChargeState
    money: Money
    failure: str = ""
    charge_ref: str = ""
    next_step: NextStep | None = None


@dataclass(frozen=True, slots=True)
class RefundTruth:
    """A refund as the gateway knows it. ``failure`` is a sentence when it was refused; ``money``
    is what went back, None when it was refused before there was a refund. ``payment_key`` is our
    payment's id, when the gateway knows it."""

    ref: str
    state: RefundState
    failure: str = ""
    money: Money | None = None
    reason: str = ""
    payment_key: str = ""


@dataclass(frozen=True, slots=True)
class ChargebackTruth:
    """A chargeback as the gateway knows it: the payer's bank wants the money back.

    ``charge_ref`` is the payment's; ``withdrawn`` whether the money has been taken from us.
    ``reason`` is the bank's word; ``due_by`` when an answer is due at the latest.
    """

    ref: str
    charge_ref: str
    state: ChargebackState
    money: Money
    withdrawn: bool
    reason: str = ""
    due_by: datetime | None = None
    payment_key: str = ""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook whose signature has been verified. ``id`` is the same in every delivery."""

    id: str
    type: str
    payload: dict[str, Any]


class NoticeKind(StrEnum):
    """What a webhook is about; ``other`` needs nothing done, ``customer_gone`` says that the
    gateway has deleted the customer ``ref``."""

    PAYMENT = "payment"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CUSTOMER_GONE = "customer_gone"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook says, in our words. It is a hint to look, and no truth: ``money`` is what
    it claims, compared with what we asked for.

    ``ref`` is what a payment was opened with, or the charge's id; ``payment_key`` and
    ``refund_key`` are our ids, from what we gave along; ``refund_ref`` and ``chargeback_ref`` the
    gateway's. ``is_foreign`` when it carries nothing of ours: another application may share the
    account. ``is_final`` is False for news of a step, after which the payment may still be open.
    ``remark`` is added to what the inbox shows.
    """

    kind: NoticeKind
    ref: str = ""
    money: Money | None = None
    payment_key: str = ""
    refund_key: str = ""
    refund_ref: str = ""
    chargeback_ref: str = ""
    is_foreign: bool = False
    is_final: bool = True
    remark: str = ""


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
    GatewayRefused when it answers that it will not.

    ``publishable_key`` is what a front end needs to talk to the gateway itself; it is no secret.
    """

    name: str
    publishable_key: str

    def create_customer(self, request: CustomerRequest) -> str:
        """The gateway's id of a customer; the same one for the same key."""

    def delete_customer(self, ref: str) -> None:
        """Forget a customer; one that is gone already is no error."""

    def open_portal(self, ref: str, *, return_url: str) -> str:
        """The address of a page on which the customer ``ref`` sees what they paid, for a while."""

    def create_checkout(self, request: ChargeRequest) -> Checkout:
        """Open a payment page; the same one for the same key."""

    def create_intent(self, request: ChargeRequest) -> Intent:
        """Open a payment without a page; the same one for the same key."""

    def confirm_intent(self, ref: str, payment_method: str, *, return_url: str) -> ChargeTruth:
        """Charge an intent to a payment method; one that succeeded stays as it is. The customer
        comes back to ``return_url`` from what ``next_step`` asks for."""

    def close(self, ref: str) -> ChargeTruth:
        """Let nobody pay this any more. One that was paid stays paid: look at the answer."""

    def fetch_payment(self, ref: str) -> ChargeTruth:
        """The truth about a payment, by what it was opened with."""

    def refund(
        self, ref: str, *, key: str, money: Money, reason: str, refund_id: str
    ) -> RefundTruth:
        """Give back ``money`` of a payment, once per key. ``ref`` is its charge's id where there
        is one; ``refund_id`` is ours, and comes back in webhooks as ``refund_key``."""

    def fetch_refund(self, ref: str) -> RefundTruth:
        """The truth about a refund."""

    def fetch_chargeback(self, ref: str) -> ChargebackTruth:
        """The truth about a chargeback."""

    def page_of(self, thing: Thing, ref: str) -> str:
        """Where staff see it at the gateway; empty when there is no such page."""

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Verify and read a webhook. Raises InvalidSignature."""

    def read_notice(self, type: str, payload: Mapping[str, Any]) -> Notice:
        """What a stored webhook says. Touches nothing."""

    def recent(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """The money that moved from ``since`` until before ``until``, in any order. What is
        under way has not moved yet."""

    def recent_chargebacks(self, since: datetime) -> Iterator[ChargebackTruth]:
        """The chargebacks opened since then as they stand now, in any order."""

    def probe(self) -> str:
        """Try the gateway with our credentials; a sentence that says what was found."""


@runtime_checkable
class TellsMany(Protocol):
    """A gateway that tells many truths by one call. Without it, its events are settled one by
    one."""

    def fetch_payments(self, refs: Sequence[str]) -> dict[str, ChargeTruth]:
        """The truths by ref; a payment that is not known is left out."""
