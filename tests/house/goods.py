"""Products for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markethall.foundation.accounts.models import User
from markethall.kernel.money import Money
from markethall.trade.catalog.actions.move_products import move_product
from markethall.trade.catalog.actions.save_product import save_product
from markethall.trade.catalog.drafts import OptionDraft, ProductDraft, ValueDraft
from markethall.trade.catalog.models import LineKind, Product, ProductStatus
from markethall.trade.orders.actions import place_order
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine

METAL = OptionDraft(
    code="metal",
    name="Metal",
    is_stocked=True,
    values=[
        ValueDraft("gold", "Yellow gold", {"USD": 50_000, "EUR": 46_000}, "#d4af37"),
        ValueDraft("silver", "Silver", {"USD": -20_000, "EUR": -18_000}, "#c0c0c0"),
    ],
)
SIZE = OptionDraft(
    code="size",
    name="Size",
    is_stocked=True,
    is_facet=False,
    values=[ValueDraft("52", "52"), ValueDraft("54", "54")],
)
ENGRAVING = OptionDraft(
    code="engraving",
    name="Engraving",
    kind="text",
    is_required=False,
    max_length=12,
    allowed="A-Za-z ",
    effects={"USD": 5_000, "EUR": 4_600},
)
RING = ProductDraft(
    slug="aurore",
    name="Aurore",
    prices={"USD": 100_000, "EUR": 92_000},
    summary="A ring like the first light",
    description="Hand made, with a diamond.",
    details=[("Stone", "Diamond, 0.5 ct")],
    tags=["new"],
    weight_grams=120,
    options=[METAL, SIZE, ENGRAVING],
)


def make_product(
    slug: str = "aurore", *, storefront: str = "elysium", shown: bool = True, **changes: Any
) -> Product:
    """A ring with metal, size and engraving, for sale unless not ``shown``."""
    changes.setdefault("name", slug.replace("-", " ").title())
    saved = save_product(
        storefront=storefront, draft=replace(RING, slug=slug, **changes), actor_id=None
    )
    if not shown:
        return saved.product
    return move_product(product_id=saved.product.pk, to=ProductStatus.ACTIVE, actor_id=None)


def plain(slug: str, price: int = 10_000, **changes: Any) -> Product:
    """A product without options, priced in USD, for sale."""
    return make_product(slug, prices={"USD": price}, options=(), **changes)


def bought(user: User, product: Product, status: str = "DELIVERED") -> None:
    """Let ``user`` have bought ``product``, in an order of that status."""
    line = PricedLine(
        kind=LineKind.GOODS,
        item="SKU",
        name=product.name,
        quantity=1,
        unit=Money(100, "USD"),
        data={"productId": str(product.pk)},
    )
    order, _ = place_order(
        customer_id=user.pk, email=user.email, storefront="elysium", lines=[line]
    )
    Order.objects.filter(pk=order.pk).update(status=status)
