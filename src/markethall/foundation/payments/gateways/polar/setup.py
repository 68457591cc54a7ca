"""What has to stand at Polar before it can sell for us: one product, and the webhook endpoint."""

from __future__ import annotations

from typing import Literal

from django.conf import settings

from markethall.foundation.payments.gateways.polar.client import read, write
from markethall.kernel.errors import Problem

# Finds what we made, whatever it is called by now.
_MARK = {"markethall": "order"}
_NAME = "Your order"
_HIDDEN: Literal["private"] = "private"  # sold by our checkouts only
_VERSION: Literal["2026-10"] = "2026-10"  # of what webhooks carry
Wanted = Literal[
    "checkout.expired",
    "customer.deleted",
    "order.created",
    "order.paid",
    "order.refunded",
    "refund.created",
    "refund.updated",
]
EVENTS: list[Wanted] = [
    "checkout.expired",
    "customer.deleted",
    "order.created",
    "order.paid",
    "order.refunded",
    "refund.created",
    "refund.updated",
]
_known: dict[str, str] = {}


def product_id() -> str:
    """The product that every checkout sells, at a price of its own; made when it is missing."""
    environment = settings.ENVIRONMENT
    if environment.polar_product_id:
        return str(environment.polar_product_id)
    place = f"{environment.polar_api_base} {environment.polar_access_token}"
    if place not in _known:
        _known[place] = _find_product() or _make_product()
    return _known[place]


def set_up_product() -> str:
    """Make the product when it is missing, and mend its name; a sentence about it."""
    known = settings.ENVIRONMENT.polar_product_id or _find_product()
    if not known:
        forget()
        return f"The product {product_id()} was made."
    product = read(lambda polar: polar.products.get(known))
    if (product.name, product.visibility, product.is_archived) == (_NAME, _HIDDEN, False):
        return f"The product {known} is as it was."
    write(
        lambda polar: polar.products.update(
            known, name=_NAME, visibility=_HIDDEN, is_archived=False
        )
    )
    return f"The product {known} was changed: its name, or who sees it."


def forget() -> None:
    """Look the product up again."""
    _known.clear()


def webhook_url() -> str:
    """Where Polar's webhooks come to."""
    return f"{settings.SITE_URL}/api/webhooks/polar"


def set_up_webhooks() -> str:
    """Create or update the webhook endpoint; a sentence about it. The secret of a new one is
    printed in it: it is shown nowhere else."""
    listed = read(lambda polar: list(polar.webhooks.iter_list_webhook_endpoints(limit=100)))
    ours = [endpoint for endpoint in listed if endpoint.url == webhook_url()]
    if ours:
        known = ours[0]
        stands = (sorted(known.events), known.enabled, known.format, known.api_version)
        if stands == (sorted(EVENTS), True, "raw", _VERSION):
            return f"The webhook endpoint {webhook_url()} is as it was."
        write(
            lambda polar: polar.webhooks.update_webhook_endpoint(
                known.id, events=list(EVENTS), enabled=True, format="raw", api_version=_VERSION
            )
        )
        return f"The webhook endpoint {webhook_url()} has the {len(EVENTS)} events it needs now."
    made = write(
        lambda polar: polar.webhooks.create_webhook_endpoint(
            url=webhook_url(), format="raw", events=list(EVENTS), api_version=_VERSION
        )
    )
    return f"A webhook endpoint was made. Set POLAR_WEBHOOK_SECRET={made.secret}"


def probe() -> str:
    """Who we are at Polar, and whether the product is there."""
    listed = read(lambda polar: polar.organizations.list(limit=1))
    name = listed.items[0].name if listed.items else "an organization without a name"
    try:
        found = settings.ENVIRONMENT.polar_product_id or _find_product()
    except Problem as error:
        return f"Polar answers for {name}; its products cannot be read: {error.detail}"
    text = "its product is there" if found else "its product is made by `markethall setup-polar`"
    return f"Polar answers for {name}; {text}"


def _find_product() -> str:
    listed = read(
        lambda polar: polar.products.list(
            metadata=dict(_MARK), is_archived=False, limit=1, sorting=["created_at"]
        )
    )
    return listed.items[0].id if listed.items else ""


def _make_product() -> str:
    made = write(
        lambda polar: polar.products.create(
            name=_NAME,
            metadata=dict(_MARK),
            visibility=_HIDDEN,
            prices=[{"amount_type": "fixed", "price_amount": 100, "price_currency": "usd"}],
        )
    )
    return made.id
