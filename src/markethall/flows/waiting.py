"""What waits for staff, in words for one and for several, as the console and its mails say it."""

from __future__ import annotations

Wording = tuple[str, str]

DEAD_EVENTS: Wording = (
    "webhook dead in the inbox: mend the cause, then replay",
    "webhooks dead in the inbox: mend the cause, then replay",
)
PARKED_EVENTS: Wording = (
    "webhook parked in the inbox: contradicts what is on record",
    "webhooks parked in the inbox: contradict what is on record",
)
CHARGEBACKS: Wording = ("chargeback waits for an answer", "chargebacks wait for an answer")
REFUSED_REFUNDS: Wording = ("refund refused by the gateway", "refunds refused by the gateway")
DIFFERENCES: Wording = (
    "difference between the gateway and the books",
    "differences between the gateway and the books",
)
FAILED_JOBS: Wording = ("job failed for good", "jobs failed for good")
UNSENT_MAILS: Wording = ("mail not sent", "mails not sent")
LEADS: Wording = ("bespoke wish waits for an answer", "bespoke wishes wait for an answer")
LOW_STOCK: Wording = ("variant low in stock", "variants low in stock")


def worded(wording: Wording, number: int) -> str:
    """The words for so many, without the number."""
    return wording[number != 1]
