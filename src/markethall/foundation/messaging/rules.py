"""What a mail's state may become, when it is tried again, and who is not written to. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from markethall.foundation.messaging.models import MailStatus, SuppressionReason
from markethall.foundation.messaging.vendors.base import News

# Between one try and the next; the last try is the eighth, after fourteen hours: within the day
# for which a vendor remembers an idempotency key.
_MINUTES = (0.5, 2, 10, 30, 120, 240, 480)
MAX_ATTEMPTS = len(_MINUTES) + 1

# A mail only moves to a state further down. So the end is the same in whatever order events come.
_ORDER = (
    MailStatus.QUEUED,
    MailStatus.SENDING,
    MailStatus.SUPPRESSED,
    MailStatus.FAILED,
    MailStatus.SENT,
    MailStatus.DEFERRED,
    MailStatus.DELIVERED,
    MailStatus.REJECTED,
    MailStatus.BOUNCED,
    MailStatus.COMPLAINED,
)
_TOLD = {
    News.SENT: MailStatus.SENT,
    News.DEFERRED: MailStatus.DEFERRED,
    News.DELIVERED: MailStatus.DELIVERED,
    News.REJECTED: MailStatus.REJECTED,
    News.BOUNCED: MailStatus.BOUNCED,
    News.COMPLAINED: MailStatus.COMPLAINED,
    # Whoever opens a mail has got it.
    News.OPENED: MailStatus.DELIVERED,
    News.CLICKED: MailStatus.DELIVERED,
}


class Kind(StrEnum):
    """What a mail is for, and so who may stop it."""

    SECURITY = "security"
    """About the account itself: who asks for it must get it."""
    ORDER = "order"
    """About something bought."""
    NOTICE = "notice"
    """About something that went on; by the person's own settings."""
    MARKETING = "marketing"
    """Unasked for; by the person's own settings, off unless they turn it on."""
    STAFF = "staff"
    """To those who run the hall."""


# Every template there is.
KINDS: dict[str, Kind] = {
    "verify_email": Kind.SECURITY,
    "account_exists": Kind.SECURITY,
    "no_account": Kind.ORDER,
    "reset_password": Kind.SECURITY,
    "password_changed": Kind.SECURITY,
    "second_factor": Kind.SECURITY,
    "oauth_linked": Kind.SECURITY,
    "oauth_unlinked": Kind.SECURITY,
    "account_deleted": Kind.SECURITY,
    "welcome": Kind.ORDER,
    "order_received": Kind.ORDER,
    "order_receipt": Kind.ORDER,
    "order_packed": Kind.ORDER,
    "order_shipped": Kind.ORDER,
    "order_delivered": Kind.ORDER,
    "order_cancelled": Kind.ORDER,
    "payment_failed": Kind.ORDER,
    "refund": Kind.ORDER,
    "sold_out": Kind.ORDER,
    "picture_ready": Kind.NOTICE,
    "picture_failed": Kind.NOTICE,
    "bespoke_received": Kind.ORDER,
    "bespoke_reply": Kind.ORDER,
    "bespoke_link": Kind.ORDER,
    "bespoke_notice": Kind.STAFF,
    "staff_alert": Kind.STAFF,
    "chargeback": Kind.STAFF,
}
# What a person can end with one click.
STOPPABLE = frozenset({Kind.NOTICE, Kind.MARKETING})


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many tries; None when that was the last."""
    return timedelta(minutes=_MINUTES[attempts - 1]) if attempts < MAX_ATTEMPTS else None


def after(present: MailStatus, news: News) -> MailStatus:
    """The state of a mail after ``news``; never one that stands before ``present``."""
    told = _TOLD.get(news, present)
    return max(present, told, key=_ORDER.index)


def withheld(kind: Kind, reason: SuppressionReason | None) -> bool:
    """Whether a mail of this kind is kept from an address on the list.

    Mails about the account's security are tried all the same: whoever asks for one has perhaps
    mended their mailbox, and has no other way in. Whoever unsubscribed still gets what belongs to
    an order.
    """
    if reason is None or kind == Kind.SECURITY:
        return False
    return kind in STOPPABLE or reason != SuppressionReason.UNSUBSCRIBED
