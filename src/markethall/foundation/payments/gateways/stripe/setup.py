"""What has to stand at Stripe: the webhook endpoint, and a product with its price for each offer.

Checkouts name their own amounts and lines: products and prices are for Stripe's reports, for
payment links, and for whatever will be sold by price. A product's id and a price's lookup key are
made of the offer's code, so running it again finds what it made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings

import stripe
from markethall.foundation.payments.errors import GatewayRefused
from markethall.foundation.payments.gateways.stripe.amounts import to_stripe
from markethall.foundation.payments.gateways.stripe.connection import (
    API_VERSION,
    calling,
    client,
    keyed,
)
from markethall.foundation.payments.gateways.stripe.notices import READ
from markethall.kernel.money import Money

_PREFIX = "markethall_"
_MARK = {"markethall": "offer"}


@dataclass(frozen=True, slots=True)
class Article:
    """Something that is sold: ``code`` names it for good."""

    code: str
    name: str
    price: Money

    @property
    def product_id(self) -> str:
        return f"{_PREFIX}{self.code}"


def webhook_url() -> str:
    """Where Stripe's webhooks come to."""
    return f"{settings.SITE_URL}/api/webhooks/stripe"


def set_up_products(articles: Sequence[Article]) -> Iterator[str]:
    """Bring products and prices to what ``articles`` say; a sentence about each. A product of ours
    that is not among them is archived.

    Raises GatewayUnavailable and GatewayRefused; what was done until then stays done.
    """
    with calling("products.list"):
        listed = client().v1.products.list({"limit": 100, "expand": ["data.default_price"]})
        known = {
            product.id: product.to_dict()
            for product in listed.auto_paging_iter()
            if product.id.startswith(_PREFIX)
        }
    for article in articles:
        product = known.pop(article.product_id, None)
        done = _set_up_product(article, product)
        done += _set_up_price(article, (product or {}).get("default_price"))
        yield f"{article.name}, {article.price}: {', '.join(done) or 'as it was'}."
    for product in known.values():
        if product["active"]:
            with calling("products.update"):
                client().v1.products.update(product["id"], {"active": False}, _once())
            yield f"{product['name']}: archived, it is not sold any more."


def set_up_webhooks() -> str:
    """Create or update the webhook endpoint; a sentence about it. The secret of a new one is
    printed in it: Stripe shows it by its API only now.

    An endpoint keeps the API version it was made with, so one of another version is left for the
    operator to delete once the new one's secret is set.
    """
    with calling("webhook_endpoints.list"):
        listed = client().v1.webhook_endpoints.list({"limit": 100})
        ours = [one for one in listed.auto_paging_iter() if one.url == webhook_url()]
    right = [one for one in ours if one.api_version == API_VERSION]
    old = ", ".join(one.id for one in ours if one.api_version != API_VERSION)
    rest = f" Delete {old}, which has another API version, once that is set." if old else ""
    if not right:
        return f"A webhook endpoint was made. Set STRIPE_WEBHOOK_SECRET={_make_endpoint()}.{rest}"
    endpoint = right[-1]  # the oldest: its secret is the one that was set
    rest = f" Delete {old}, which has another API version." if old else ""
    if sorted(endpoint.enabled_events) == READ and endpoint.status == "enabled":
        return f"The webhook endpoint {webhook_url()} is as it was.{rest}"
    events: Any = list(READ)
    with calling("webhook_endpoints.update"):
        client().v1.webhook_endpoints.update(
            endpoint.id, {"enabled_events": events, "disabled": False}, _once()
        )
    return f"The webhook endpoint {webhook_url()} has the {len(READ)} events it needs now.{rest}"


def _make_endpoint() -> str:
    params: Any = {
        "url": webhook_url(),
        "enabled_events": list(READ),
        "api_version": API_VERSION,
        "description": "Markethall",
    }
    with calling("webhook_endpoints.create"):
        made = client().v1.webhook_endpoints.create(params, _once())
    if not made.secret:
        raise GatewayRefused("Stripe has made the webhook endpoint, and keeps its secret back.")
    return made.secret


def _set_up_product(article: Article, product: dict[str, Any] | None) -> list[str]:
    if product is None:
        params: Any = {"id": article.product_id, "name": article.name, "metadata": _MARK}
        with calling("products.create"):
            client().v1.products.create(params, _once())
        return ["product made"]
    if (product["name"], product["active"]) == (article.name, True):
        return []
    with calling("products.update"):
        client().v1.products.update(
            article.product_id, {"name": article.name, "active": True}, _once()
        )
    return ["product changed"]


def _set_up_price(article: Article, price: dict[str, Any] | None) -> list[str]:
    """A price cannot be changed: another takes its place, and its lookup key."""
    wanted = (to_stripe(article.price), article.price.currency.lower())
    if price and price["active"] and (price["unit_amount"], price["currency"]) == wanted:
        return []
    params: Any = {
        "product": article.product_id,
        "unit_amount": wanted[0],
        "currency": wanted[1],
        "lookup_key": article.code,
        "transfer_lookup_key": True,
    }
    with calling("prices.create"):
        made = client().v1.prices.create(params, _once())
    with calling("products.update"):
        client().v1.products.update(article.product_id, {"default_price": made.id}, _once())
    if not price:
        return ["price made"]
    with calling("prices.update"):
        client().v1.prices.update(price["id"], {"active": False}, _once())
    return ["price changed"]


def _once() -> stripe.RequestOptions:
    """A key of its own: what may be done twice is found again instead."""
    return keyed(str(uuid4()))
