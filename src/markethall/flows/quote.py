"""What a cart costs now: the one place where its sums are made, for the cart's page, the API and
the checkout alike. It changes nothing, and takes a fixed number of statements.

The rule is stated in docs/taxes.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection

from markethall.kernel import clock
from markethall.kernel.money import Money
from markethall.trade.cart.models import Cart
from markethall.trade.cart.queries import CartItem, items_of
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency
from markethall.trade.catalog.revision import as_of
from markethall.trade.catalog.rules import Configured, ProductSpec, configure
from markethall.trade.catalog.specs import specs_of
from markethall.trade.inventory.queries import Availability, availability_of
from markethall.trade.orders.rules import PAYABLE
from markethall.trade.shipping.queries import methods_priced_in
from markethall.trade.shipping.rules import Option, options
from markethall.trade.taxes import rules as taxes
from markethall.trade.taxes.queries import rates_in
from markethall.trade.vouchers import rules as vouchers
from markethall.trade.vouchers.models import Voucher, VoucherKind
from markethall.trade.vouchers.queries import uses_by, voucher_by_code

# Why a line is not bought.
NOT_SOLD = "not_sold"
NOT_IN_CURRENCY = "currency_not_sold"
NOT_MADE = "configuration_invalid"
OUT_OF_STOCK = "out_of_stock"

_TOLD = {
    NOT_SOLD: "This is no longer sold.",
    NOT_MADE: "This is no longer made as you chose it. Choose again.",
}
# Uses of a code by orders of this cart that wait for money: they are in nobody's way here.
_OWN_USES = """
SELECT count(*) FROM vouchers_voucheruse u
  JOIN cart_cartorder c ON c.reference = u.reference
  JOIN orders_order o ON o.id = c.reference
 WHERE c.cart_id = %s AND u.voucher_id = %s AND o.status = ANY(%s)
"""
_ANY = Availability(is_counted=False, available=0)


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line of a cart at the price of now. ``total`` is before ``discount``; ``tax`` is of what is
    left then, and ``tax_added`` what of it comes on top of the price.

    ``problem`` is empty, or why the line cannot be bought, and ``told`` the same for people. A line
    that is not sold counts in no sum; one that is out of stock does, and stops the checkout.
    ``available`` is None for what is made to order. ``changed_from`` is the price a piece that the
    customer saw last, when it was another.
    """

    item: CartItem
    configuration: Mapping[str, str]
    shown: Sequence[tuple[str, str]]
    unit: Money
    available: int | None = None
    problem: str = ""
    told: str = ""
    changed_from: Money | None = None
    discount: int = 0
    tax: int = 0
    tax_added: int = 0
    tax_basis_points: int = 0

    @property
    def id(self) -> uuid.UUID:
        return self.item.id

    @property
    def quantity(self) -> int:
        return self.item.quantity

    @property
    def total(self) -> Money:
        return self.unit * self.item.quantity

    @property
    def is_sold(self) -> bool:
        """Whether the line counts in the sums."""
        return self.problem in ("", OUT_OF_STOCK)

    @property
    def image_id(self) -> str | None:
        return self.item.image_id(self.configuration)


@dataclass(frozen=True, slots=True)
class VoucherState:
    """A code in a cart: whether it takes something off and, when not, why."""

    code: str
    is_accepted: bool
    reason: str = ""
    voucher_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a cart costs. Amounts are minor units of ``currency``.

    ``shipping`` is None until a method is chosen that there is; ``total`` is without it then.
    ``country`` is empty until it is known: no tax is stated then, and no method offered. ``taxes``
    states the tax by rate; ``tax_added`` is what of it comes on top.
    """

    cart: Cart | None
    storefront: str
    currency: str
    country: str
    lines: Sequence[QuotedLine]
    items_total: Money
    discount: Money
    shipping: Money | None
    shipping_option: Option | None
    shipping_options: Sequence[Option]
    tax: Money
    tax_added: Money
    taxes: Sequence[Mapping[str, Any]]
    total: Money
    voucher: VoucherState | None
    weight_grams: int = 0

    @property
    def sold_lines(self) -> list[QuotedLine]:
        """The lines that are bought."""
        return [line for line in self.lines if line.is_sold]

    @property
    def count(self) -> int:
        """How many pieces are in the cart."""
        return sum(line.quantity for line in self.lines)

    @property
    def can_be_bought(self) -> bool:
        """Whether there is something to buy, and all of it is in stock."""
        sold = self.sold_lines
        return bool(sold) and all(not line.problem for line in sold)

    @property
    def has_changed_prices(self) -> bool:
        return any(line.changed_from for line in self.lines)


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who asks, as far as it is known: what a code may be used by one person depends on it."""

    customer_id: uuid.UUID | None = None
    email: str = ""


@dataclass(slots=True)
class _Sums:
    discounts: Sequence[int]
    voucher: VoucherState | None
    options: Sequence[Option]
    chosen: Option | None
    goods_taxed: Sequence[taxes.Taxed]
    shipping_taxed: Sequence[taxes.Taxed] = field(default_factory=tuple)


def quote(
    cart: Cart,
    *,
    currency: str = "",
    country: str = "",
    method_code: str = "",
    buyer: Buyer | None = None,
    looks_at_stock: bool = True,
) -> Quote:
    """What ``cart`` costs: in its own currency or another, sent to ``country`` (its code) by the
    method of that code. A method that there is not counts as none chosen.

    Without ``looks_at_stock``, every line counts as available.
    """
    currency = currency or cart.currency
    items, revision = items_of(cart.pk)
    stock = availability_of({item.variant_id for item in items}) if looks_at_stock else {}
    with as_of(revision):
        specs = specs_of({item.product_id for item in items})
        lines = [
            _line(item, specs[item.product_id], cart, currency, stock.get(item.variant_id, _ANY))
            for item in items
        ]
        sold = [line for line in lines if line.is_sold]
        goods = Money(sum(line.total.amount for line in sold), currency)
        weight = sum(line.item.weight_grams * line.quantity for line in sold)
        sums = _sums(cart, sold, goods, weight, country, method_code, buyer)
    return _quote(cart, currency, country, lines, goods, weight, sums)


def empty_quote(storefront: str, currency: str) -> Quote:
    """The quote of somebody who has no cart yet."""
    nothing = Money(0, currency)
    return Quote(
        cart=None,
        storefront=storefront,
        currency=currency,
        country="",
        lines=(),
        items_total=nothing,
        discount=nothing,
        shipping=None,
        shipping_option=None,
        shipping_options=(),
        tax=nothing,
        tax_added=nothing,
        taxes=(),
        total=nothing,
        voucher=None,
    )


def _line(
    item: CartItem, spec: ProductSpec, cart: Cart, currency: str, stock: Availability
) -> QuotedLine:
    nothing = Money(0, currency)
    configured, problem = _configured(item, spec, currency)
    if configured is None:
        shown = [(code, value) for code, value in item.configuration.items()]
        told = _TOLD.get(problem) or f"This is not sold in {currency}."
        return QuotedLine(item, item.configuration, shown, nothing, None, problem, told)
    told = ""
    if not stock.has(item.quantity):
        problem = OUT_OF_STOCK
        told = f"Only {stock.available} left." if stock.available else "This is sold out."
    has_changed = (
        cart.currency == currency
        and item.seen_amount
        and item.seen_amount != configured.price.amount
    )
    return QuotedLine(
        item=item,
        configuration=configured.chosen,
        shown=configured.shown,
        unit=configured.price,
        available=stock.available if stock.is_counted else None,
        problem=problem,
        told=told,
        changed_from=Money(item.seen_amount, currency) if has_changed else None,
    )


def _configured(item: CartItem, spec: ProductSpec, currency: str) -> tuple[Configured | None, str]:
    if not item.is_sold:
        return None, NOT_SOLD
    try:
        configured = configure(spec, item.configuration, currency)
    except NotSoldInCurrency:
        return None, NOT_IN_CURRENCY
    except ConfigurationInvalid:
        return None, NOT_MADE
    # An option that is stocked since: these pieces are of no variant that there is.
    return (configured, "") if configured.variant_key == item.variant_key else (None, NOT_MADE)


def _sums(
    cart: Cart,
    sold: Sequence[QuotedLine],
    goods: Money,
    weight: int,
    country: str,
    method_code: str,
    buyer: Buyer | None,
) -> _Sums:
    voucher, state = _voucher(cart, goods, buyer)
    totals = [line.total.amount for line in sold]
    off = vouchers.discounts(voucher, totals) if voucher else [0 for _ in totals]
    found: Sequence[Option] = ()
    if sold and country:
        found = options(
            methods_priced_in(cart.storefront, goods.currency),
            country=country,
            weight_grams=weight,
            goods=goods - Money(sum(off), goods.currency),
        )
    if voucher and voucher.kind == VoucherKind.FREE_SHIPPING:
        found = [Option(each.method, Money(0, goods.currency)) for each in found]
    chosen = next((each for each in found if each.method.code == method_code), None)
    rates = rates_in(country) if country and sold else {}
    return _Sums(
        discounts=off,
        voucher=state,
        options=found,
        chosen=chosen,
        goods_taxed=[
            taxes.tax_of(total - less, _rate(rates, country, line.item.tax_category))
            for line, total, less in zip(sold, totals, off, strict=True)
        ],
        shipping_taxed=[
            taxes.tax_of(chosen.price.amount, _rate(rates, country, chosen.method.tax_category))
        ]
        if chosen
        else [],
    )


def _rate(rates: Mapping[tuple[str, str], taxes.Rate], country: str, category: str) -> taxes.Rate:
    return taxes.rate_for(rates, country, category) if country else taxes.NO_TAX


def _voucher(
    cart: Cart, goods: Money, buyer: Buyer | None
) -> tuple[Voucher | None, VoucherState | None]:
    """The voucher that takes something off, and what is said of the code."""
    if not cart.voucher:
        return None, None
    voucher = voucher_by_code(cart.storefront, cart.voucher)
    own = _own_uses(cart, voucher) if voucher else 0
    if voucher:
        voucher.used -= own
    why = vouchers.refusal(voucher, goods, clock.now())
    if voucher and not why and buyer and voucher.max_uses_each is not None:
        uses = uses_by(voucher, customer_id=buyer.customer_id, email=buyer.email)
        if uses - own >= voucher.max_uses_each:
            why = "You have used this code as often as one may."
    if voucher is None or why:
        return None, VoucherState(cart.voucher, False, why)
    return voucher, VoucherState(cart.voucher, True, voucher_id=voucher.pk)


def _own_uses(cart: Cart, voucher: Voucher) -> int:
    if voucher.max_uses is None and voucher.max_uses_each is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_OWN_USES, [cart.pk, voucher.pk, list(PAYABLE)])
        return int(cursor.fetchone()[0])


def _quote(
    cart: Cart,
    currency: str,
    country: str,
    lines: Sequence[QuotedLine],
    goods: Money,
    weight: int,
    sums: _Sums,
) -> Quote:
    taxed = [*sums.goods_taxed, *sums.shipping_taxed]
    discount = Money(sum(sums.discounts), currency)
    added = Money(taxes.total_added(taxed), currency)
    shipping = sums.chosen.price if sums.chosen else None
    return Quote(
        cart=cart,
        storefront=cart.storefront,
        currency=currency,
        country=country,
        lines=_with_taxes(lines, sums),
        items_total=goods,
        discount=discount,
        shipping=shipping,
        shipping_option=sums.chosen,
        shipping_options=sums.options,
        tax=Money(taxes.total_tax(taxed), currency),
        tax_added=added,
        taxes=taxes.by_rate(taxed),
        total=goods - discount + added + (shipping or Money(0, currency)),
        voucher=sums.voucher,
        weight_grams=weight,
    )


def _with_taxes(lines: Sequence[QuotedLine], sums: _Sums) -> list[QuotedLine]:
    parts = iter(zip(sums.discounts, sums.goods_taxed, strict=True))
    return [_with(line, *next(parts)) if line.is_sold else line for line in lines]


def _with(line: QuotedLine, discount: int, taxed: taxes.Taxed) -> QuotedLine:
    return replace(
        line,
        discount=discount,
        tax=taxed.tax,
        tax_added=taxed.added,
        tax_basis_points=taxed.rate.basis_points,
    )
