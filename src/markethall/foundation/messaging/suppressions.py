"""The list of addresses that are not written to any more."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import QuerySet

from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.errors import SuppressionMissing
from markethall.foundation.messaging.models import Mail, Suppression, SuppressionReason
from markethall.foundation.messaging.rules import Kind, withheld
from markethall.foundation.messaging.vendors import registry
from markethall.kernel import clock
from markethall.kernel.locking import lock

# A complaint weighs more than a full stop of the mailbox, and that more than a wish.
_WEIGHT = (
    SuppressionReason.UNSUBSCRIBED,
    SuppressionReason.BOUNCED,
    SuppressionReason.COMPLAINED,
)


def suppressions(*, address: str = "", reason: str = "") -> QuerySet[Suppression]:
    """Those that match every given filter; ``address`` by its beginning. Order by ``-id``."""
    found = Suppression.objects.all()
    if address := address.replace("\x00", "").strip().lower():
        found = found.filter(address__startswith=address)
    return found.filter(reason=reason) if reason else found


def is_withheld(address: str, kind: Kind) -> bool:
    """Whether a mail of this kind to ``address`` is not to be sent."""
    found = Suppression.objects.filter(address=address.strip().lower())
    reason = found.order_by().values_list("reason", flat=True).first()
    return withheld(kind, SuppressionReason(reason) if reason else None)


def suppress(mail: Mail, reason: SuppressionReason, *, detail: str = "") -> None:
    """Write to the address of ``mail`` no more, in the caller's transaction. A lesser reason does
    not replace a weightier one, and nothing is kept of somebody who was erased."""
    if mail.to.endswith("@erased.invalid"):
        return
    row, is_new = Suppression.objects.get_or_create(
        address=mail.to.lower(),
        defaults={
            "reason": reason,
            "detail": detail[:300],
            "carrier": mail.carrier,
            "mail_id": mail.pk,
            "created_at": clock.now(),
        },
    )
    heavier = _WEIGHT.index(reason) > _WEIGHT.index(SuppressionReason(row.reason))
    if heavier:
        row.reason, row.detail, row.mail_id = reason, detail[:300], mail.pk
        row.save(update_fields=["reason", "detail", "mail_id"])
    if is_new or heavier:
        record(
            "mail.suppress",
            actor_id=None,
            subject_type="mail",
            subject_id=mail.pk,
            reason=reason.value,
        )


def resubscribe(address: str) -> None:
    """Somebody whom the carrier had unsubscribed is back. Bounces and complaints stay."""
    Suppression.objects.filter(
        address=address.lower(), reason=SuppressionReason.UNSUBSCRIBED
    ).delete()


def lift(suppression_id: uuid.UUID, *, actor_id: uuid.UUID) -> str:
    """Write to an address again; returns what the carrier says of its own list, which it is asked
    to change first. Call it outside a transaction.

    Raises SuppressionMissing, and CarrierUnwell: the address stays on our list then.
    """
    row = Suppression.objects.filter(pk=suppression_id).first()
    if row is None:
        raise SuppressionMissing
    said = registry.current().forgive(row.address)
    with transaction.atomic():
        if not lock(Suppression.objects.filter(pk=suppression_id)):
            raise SuppressionMissing
        Suppression.objects.filter(pk=suppression_id).delete()
        record(
            "mail.unsuppress",
            actor_id=actor_id,
            subject_type="suppression",
            subject_id=suppression_id,
            reason=row.reason,
        )
    return said
