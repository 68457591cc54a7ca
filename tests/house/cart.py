"""A ring to buy, and shoppers: signed in by token, or visitors by cookie or header."""

from __future__ import annotations

from itertools import product as combinations
from typing import Any

from house.people import ApiClient
from markethall.trade.catalog.models import (
    Option,
    OptionKind,
    OptionValue,
    PriceEffect,
    Product,
    ProductPrice,
    Variant,
)
from markethall.trade.inventory.models import StockItem

HOME = {
    "name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postalCode": "10117",
    "country": "DE",
}
GOLD = {"metal": "gold"}


def make_ring(slug: str = "aurore", *, amount: int = 100_000, stock: int | None = 10) -> Product:
    """A ring of gold (half as dear again) or silver, with an engraving; ``stock`` pieces of each
    metal, or made to order."""
    ring = Product.objects.create(
        storefront="elysium", slug=slug, name=slug.title(), status="active", weight_grams=60
    )
    for currency in ("USD", "EUR"):
        ProductPrice.objects.create(product=ring, currency=currency, amount=amount)
    metal = Option.objects.create(product=ring, code="metal", name="Metal", is_stocked=True)
    for position, code in enumerate(("gold", "silver")):
        value = OptionValue.objects.create(
            option=metal, code=code, name=code.title(), position=position
        )
        if code == "gold":
            for currency in ("USD", "EUR"):
                PriceEffect.objects.create(value=value, currency=currency, amount=amount // 2)
    Option.objects.create(
        product=ring,
        code="engraving",
        name="Engraving",
        kind=OptionKind.TEXT,
        is_required=False,
        max_length=12,
        allowed="A-Za-z ",
        position=1,
    )
    for (code,) in combinations(("gold", "silver")):
        variant = Variant.objects.create(
            product=ring, key=f"metal={code}", sku=f"{slug}-{code}".upper()
        )
        StockItem.objects.create(
            variant=variant,
            is_counted=stock is not None,
            on_hand=stock or 0,
            updated_at=ring.created_at,
        )
    return ring


class Visitor(ApiClient):
    """A program that has no account: it sends along the secret that it was told."""

    secret = ""

    def generic(self, method: str, path: str, *args: Any, **extra: Any) -> Any:
        headers = dict(extra.pop("headers", None) or {})
        if self.secret:
            headers.setdefault("X-Visitor", self.secret)
        answer = super().generic(method, path, *args, headers=headers, **extra)
        self.secret = answer.headers.get("X-Visitor", self.secret)
        # Kept by the header alone, as programs do.
        self.cookies.pop("visitor", None)
        return answer


def put_in(
    client: ApiClient, product: Product, quantity: int = 1, **choices: str
) -> dict[str, Any]:
    """Put a ring of gold, unless it is chosen otherwise, into the client's cart; the cart."""
    answer = client.post(
        "/api/cart",
        {
            "productId": str(product.pk),
            "configuration": {**GOLD, **choices},
            "quantity": quantity,
        },
    )
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def cart_of(client: ApiClient, query: str = "") -> dict[str, Any]:
    """The client's cart."""
    answer = client.get(f"/api/cart{query}", headers={"X-Storefront": "elysium"})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def quantities(cart: dict[str, Any]) -> list[int]:
    """How many pieces are in each line."""
    return [line["quantity"] for line in cart["lines"]]


def check_out(client: ApiClient, status: int = 201, **changes: Any) -> dict[str, Any]:
    """Check out the client's cart to Berlin, insured; the answer's body."""
    headers = changes.pop("headers", {})
    body = {"shippingAddress": HOME, "shippingMethod": "insured", **changes}
    answer = client.post("/api/checkout", body, headers=headers)
    assert answer.status_code == status, answer.content
    return dict(answer.json())
