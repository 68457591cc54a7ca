"""Who may see the sandbox gateway's page of a customer: whoever has a link made within the hour."""

from __future__ import annotations

from dataclasses import dataclass

from django.core import signing

from markethall.foundation.payments.errors import PaymentMissing
from markethall.foundation.payments.models import SandboxCheckout, SandboxCustomer

LASTS = 3600  # seconds
_SALT = "sandbox-portal"


@dataclass(frozen=True, slots=True)
class PortalView:
    """A customer, their payments (newest first), and the way back."""

    customer: SandboxCustomer
    checkouts: list[SandboxCheckout]
    return_url: str


def ticket(ref: str, return_url: str) -> str:
    """The last part of a link to the page of a customer."""
    return signing.dumps([ref, return_url], salt=_SALT)


def view(given: str) -> PortalView:
    """What a ticket shows. Raises PaymentMissing for one that is made up, old, or of nobody."""
    try:
        ref, return_url = signing.loads(given, salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        raise PaymentMissing("This link is not valid, or no longer.") from None
    customer = SandboxCustomer.objects.filter(pk=ref).first()
    if customer is None:
        raise PaymentMissing("This link is not valid, or no longer.")
    checkouts = SandboxCheckout.objects.filter(customer=customer).order_by("-created_at", "pk")
    return PortalView(customer, list(checkouts[:100]), return_url)
