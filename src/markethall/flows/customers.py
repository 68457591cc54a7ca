"""People as gateways know them: made before their first payment there, forgotten with them.

The row is kept before the gateway is called, and its id is the key there, so that a crash or two
payments at once make one customer.
"""

from __future__ import annotations

import uuid

from django.db import transaction

from markethall.foundation.accounts.models import User
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.gateways.base import CustomerRequest
from markethall.foundation.payments.models import GatewayCustomer
from markethall.kernel import clock, jobs
from markethall.kernel.locking import lock


def customer_of(user_id: uuid.UUID | None, gateway: str) -> str:
    """The gateway's id of somebody, made when it is missing; empty for who has no account.

    Raises GatewayUnavailable and GatewayRefused. Call it outside a transaction.
    """
    if user_id is None:
        return ""
    known = GatewayCustomer.objects.filter(user_id=user_id, gateway=gateway).first()
    if known and known.ref:
        return known.ref
    user = User.objects.get(pk=user_id)
    if user.erased_at is not None:
        return ""
    row, _ = GatewayCustomer.objects.get_or_create(
        user_id=user_id, gateway=gateway, defaults={"created_at": clock.now()}
    )
    ref = row.ref or _make(row, email=user.email, name=user.name)
    if User.objects.filter(pk=user_id, erased_at__isnull=False).exists():
        forget(user_id)  # erased while the gateway was called
        return ""
    return ref


def open_portal(*, user: User, return_url: str) -> str:
    """The address of the gateway's page for what somebody has paid.

    Raises GatewayUnavailable and GatewayRefused. Call it outside a transaction.
    """
    gateway = registry.current()
    return gateway.open_portal(customer_of(user.pk, gateway.name), return_url=return_url)


def forget_later(user_id: uuid.UUID) -> None:
    """Enqueue the job that deletes somebody at the gateways, in the transaction of the erasure."""
    jobs.enqueue("forget_customer", user_id=str(user_id))


def forget(user_id: uuid.UUID) -> None:
    """Delete an erased person at every gateway that knows them. Can run twice."""
    for row in GatewayCustomer.objects.filter(user_id=user_id):
        # A call that a crash cut off may have made one all the same: its key finds it.
        ref = row.ref or _make(row, email=f"erased-{user_id.hex}@erased.invalid", name="")
        registry.named(row.gateway).delete_customer(ref)
        row.delete()


def gone(gateway: str, ref: str) -> bool:
    """The gateway has deleted a customer: the next payment makes another. Whether it was known."""
    return bool(GatewayCustomer.objects.filter(gateway=gateway, ref=ref).delete()[0])


def _make(row: GatewayCustomer, *, email: str, name: str) -> str:
    request = CustomerRequest(key=str(row.pk), user_id=str(row.user_id), email=email, name=name)
    ref = registry.named(row.gateway).create_customer(request)
    with transaction.atomic():
        for kept in lock(GatewayCustomer.objects.filter(pk=row.pk, ref="")):
            kept.ref = ref
            kept.save(update_fields=["ref"])
    return ref
