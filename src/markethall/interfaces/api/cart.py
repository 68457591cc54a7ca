"""The cart: of the caller, or of a visitor, whom a cookie or the header ``X-Visitor`` names."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Status

from markethall.flows.cart_entry import put_in
from markethall.flows.cart_vouchers import enter_code
from markethall.flows.quote import Buyer, Quote, QuotedLine, empty_quote, quote
from markethall.interfaces.api.access import public
from markethall.interfaces.api.core import router
from markethall.interfaces.api.schemas import Asked, In, Money, Out, problems
from markethall.interfaces.api.shoppers import buyer_of, new_shopper, shopper_of
from markethall.interfaces.api.storefronts import storefront_of
from markethall.interfaces.web.currencies import chosen_currency, currency_of
from markethall.kernel.errors import Invalid
from markethall.trade.cart import actions
from markethall.trade.cart.errors import CartLineMissing
from markethall.trade.cart.models import Cart
from markethall.trade.cart.queries import cart_of
from markethall.trade.cart.rules import MAX_QUANTITY
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.shipping.rules import Option

routes = router("cart")

Code = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+$")]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$", examples=["DE"])]
Choice = Annotated[str, Field(max_length=200)]
_Bad = (400, 401, 403, 404, 413, 422)


class ShownChoice(Out):
    name: str = Field(examples=["Metal"])
    value: str = Field(examples=["Rose gold"])


class CartLineOut(Out):
    """``total`` is before ``discount``. ``problem`` is empty, or why the line cannot be bought:
    ``not_sold``, ``currency_not_sold``, ``configuration_invalid`` (these count in no sum), or
    ``out_of_stock``; ``message`` says so to people. ``available`` is null for what is made to
    order. ``changedFrom`` is the price a piece that was seen last, when it was another."""

    id: UUID
    product_id: UUID
    product: str = Field(examples=["aurore-ring"])
    variant_id: UUID
    sku: str
    name: str
    configuration: dict[str, str]
    shown: list[ShownChoice]
    image_id: UUID | None
    quantity: int
    unit_price: Money
    total: Money
    discount: Money
    tax: Money
    available: int | None
    problem: str
    message: str
    changed_from: Money | None

    @classmethod
    def of(cls, line: QuotedLine) -> CartLineOut:
        def amount(minor: int) -> Money:
            return Money(amount=minor, currency=line.unit.currency)

        return cls(
            id=line.id,
            product_id=line.item.product_id,
            product=line.item.slug,
            variant_id=line.item.variant_id,
            sku=line.item.sku,
            name=line.item.name,
            configuration=dict(line.configuration),
            shown=[ShownChoice(name=name, value=value) for name, value in line.shown],
            image_id=line.image_id,
            quantity=line.quantity,
            unit_price=Money.of(line.unit),
            total=Money.of(line.total),
            discount=amount(line.discount),
            tax=amount(line.tax),
            available=line.available,
            problem=line.problem,
            message=line.told,
            changed_from=Money.of(line.changed_from) if line.changed_from else None,
        )


class ShippingOptionOut(Out):
    """A way to send, with its price; days from the day it leaves."""

    code: str = Field(examples=["insured"])
    name: str
    description: str
    days_min: int
    days_max: int
    price: Money


class StatedTax(Out):
    """``net`` and ``tax`` of all that is taxed at one rate, shipping included."""

    name: str = Field(examples=["VAT"])
    basis_points: int = Field(examples=[1900])
    is_inclusive: bool
    net: Money
    tax: Money


class VoucherStateOut(Out):
    """``reason`` says why a code is not accepted."""

    code: str
    accepted: bool
    reason: str


class CartOut(Out):
    """What is in a cart, at the prices of now. ``total`` is without shipping until a method is
    chosen; until the country is known, ``tax`` is zero and there are no ``shippingOptions``."""

    id: UUID | None
    storefront: str
    currency: str
    country: str
    count: int
    lines: list[CartLineOut]
    items_total: Money
    discount: Money
    shipping: Money | None
    shipping_method: str | None
    shipping_options: list[ShippingOptionOut]
    tax: Money
    tax_added: Money
    taxes: list[StatedTax]
    total: Money
    voucher: VoucherStateOut | None
    can_be_bought: bool

    @classmethod
    def of(cls, quoted: Quote) -> CartOut:
        voucher, option = quoted.voucher, quoted.shipping_option
        return cls(
            id=quoted.cart.pk if quoted.cart else None,
            storefront=quoted.storefront,
            currency=quoted.currency,
            country=quoted.country,
            count=quoted.count,
            lines=[CartLineOut.of(line) for line in quoted.lines],
            items_total=Money.of(quoted.items_total),
            discount=Money.of(quoted.discount),
            shipping=Money.of(quoted.shipping) if quoted.shipping else None,
            shipping_method=option.method.code if option else None,
            shipping_options=[option_out(each) for each in quoted.shipping_options],
            tax=Money.of(quoted.tax),
            tax_added=Money.of(quoted.tax_added),
            taxes=[
                StatedTax(
                    name=row["name"],
                    basis_points=row["basisPoints"],
                    is_inclusive=row["isInclusive"],
                    net=Money(amount=row["net"], currency=quoted.currency),
                    tax=Money(amount=row["tax"], currency=quoted.currency),
                )
                for row in quoted.taxes
            ],
            total=Money.of(quoted.total),
            voucher=VoucherStateOut(
                code=voucher.code, accepted=voucher.is_accepted, reason=voucher.reason
            )
            if voucher
            else None,
            can_be_bought=quoted.can_be_bought,
        )


def option_out(option: Option) -> ShippingOptionOut:
    """A way to send, for a document."""
    method = option.method
    return ShippingOptionOut(
        code=method.code,
        name=method.name,
        description=method.description,
        days_min=method.days_min,
        days_max=method.days_max,
        price=Money.of(option.price),
    )


class CartAsked(Asked):
    country: Country = Field("", description="Where it would be sent: for taxes and methods.")
    shipping_method: str = Field("", alias="shippingMethod", max_length=40)


class AddIn(In):
    """A product by its id, or its slug at the storefront, as it was chosen."""

    product_id: UUID | None = None
    product: str = Field("", max_length=80, examples=["aurore-ring"])
    configuration: dict[Annotated[str, Field(max_length=40)], Choice] = Field(
        default_factory=dict, max_length=40, examples=[{"metal": "gold", "ring-size": "52"}]
    )
    quantity: int = Field(1, ge=1, le=MAX_QUANTITY)


class LineIn(In):
    """What is left out stays. With a configuration, there is at least one piece."""

    quantity: int | None = Field(
        None, ge=0, le=MAX_QUANTITY, description="0 takes the line out.", examples=[2]
    )
    configuration: dict[Annotated[str, Field(max_length=40)], Choice] | None = Field(
        None, max_length=40, examples=[{"metal": "gold", "ring-size": "54"}]
    )


class CartVoucherIn(In):
    code: Code


class CurrencyIn(In):
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["EUR"])


@routes.get("", auth=public, response={200: CartOut, **problems(401, 403, 422)})
def get_cart(request: HttpRequest, asked: Query[CartAsked]) -> Any:
    """The caller's cart at a storefront, at the prices of now: in its own currency, or in one that
    `X-Currency` names. Without a storefront, the cart that was changed last."""
    found = _found(request)
    if found is None:
        slug = storefront_of(request)
        currency = currency_of(request, slug) if slug else "USD"
        return CartOut.of(empty_quote(slug, currency))
    return _show(request, found, country=asked.country, method_code=asked.shipping_method)


@routes.post("", auth=public, response={201: CartOut, **problems(*_Bad, 409)})
def post_cart(request: HttpRequest, body: AddIn) -> Any:
    """Put something into the cart. The same, chosen in the same way, adds up. To a visitor who is
    new, the answer tells a secret in `X-Visitor` (and in a cookie, on this site's pages): send it
    along from then on."""
    if (body.product_id is None) == (not body.product):
        raise Invalid.field("productId", "Name a product, by its id or its slug.")
    slug = storefront_of(request)
    cart = put_in(
        owner=new_shopper(request),
        product=body.product_id or body.product,
        configuration=body.configuration,
        quantity=body.quantity,
        storefront=slug,
        currency=_named_currency(request, slug),
    )
    return Status(201, _show(request, cart))


@routes.delete("", auth=public, response={200: CartOut, **problems(401, 403, 404, 422)})
def delete_cart(request: HttpRequest) -> Any:
    """Take everything out of the cart."""
    cart = _cart(request)
    actions.clear(cart)
    return _show(request, _fresh(cart))


@routes.put("/{uuid:line_id}", auth=public, response={200: CartOut, **problems(*_Bad, 409)})
def put_line(request: HttpRequest, line_id: UUID, body: LineIn) -> Any:
    """Have so many pieces of a line, or have them made otherwise. Where the cart has a line like
    that already, they join it."""
    cart = _cart(request)
    if body.configuration is not None:
        actions.choose_anew(
            cart=cart,
            line_id=line_id,
            configuration=body.configuration,
            quantity=body.quantity,
        )
    elif body.quantity is not None:
        actions.set_quantity(cart=cart, line_id=line_id, quantity=body.quantity)
    else:
        raise Invalid.field("quantity", "Say how many, or how they are made.")
    return _show(request, cart)


@routes.delete(
    "/{uuid:line_id}", auth=public, response={200: CartOut, **problems(401, 403, 404, 422)}
)
def delete_line(request: HttpRequest, line_id: UUID) -> Any:
    """Take a line out."""
    cart = _cart(request)
    actions.set_quantity(cart=cart, line_id=line_id, quantity=0)
    return _show(request, cart)


@routes.post("/voucher", auth=public, response={200: CartOut, **problems(*_Bad, 409, 429)})
def post_voucher(request: HttpRequest, body: CartVoucherIn) -> Any:
    """Use a code, in place of any other. 409 `voucher_refused` says why it cannot be used; fifteen
    such an hour, and no more are looked at."""
    cart = _cart(request)
    quoted = enter_code(cart=cart, code=body.code, buyer=_buyer(request))
    return CartOut.of(quoted)


@routes.delete("/voucher", auth=public, response={200: CartOut, **problems(401, 403, 404, 422)})
def delete_voucher(request: HttpRequest) -> Any:
    """Use no code."""
    cart = _cart(request)
    actions.set_voucher(cart=cart, code="")
    return _show(request, cart)


@routes.put("/currency", auth=public, response={200: CartOut, **problems(*_Bad)})
def put_currency(request: HttpRequest, body: CurrencyIn) -> Any:
    """Have the cart in another currency that the storefront sells in."""
    cart = _cart(request)
    if body.currency not in storefront(cart.storefront).currencies:
        raise Invalid.field("currency", "This storefront does not sell in that currency.")
    actions.change_currency(cart=cart, currency=body.currency)
    return CartOut.of(quote(cart, buyer=_buyer(request)))


@routes.post("/seen", auth=public, response={200: CartOut, **problems(401, 403, 404, 413, 422)})
def post_seen(request: HttpRequest) -> Any:
    """The customer has seen the prices of now: none counts as changed any more."""
    cart = _cart(request)
    quoted = quote(cart, buyer=_buyer(request))
    seen = {line.id: line.unit.amount for line in quoted.sold_lines if line.changed_from}
    if seen:
        actions.see_prices(cart=cart, seen=seen)
    return _show(request, cart)


def cart_called_for(request: HttpRequest) -> Cart:
    """The caller's cart; raises CartLineMissing (404) when they have none."""
    return _cart(request)


def _found(request: HttpRequest) -> Cart | None:
    owner = shopper_of(request)
    return cart_of(owner, storefront_of(request)) if owner else None


def _cart(request: HttpRequest) -> Cart:
    cart = _found(request)
    if cart is None:
        raise CartLineMissing("You have no cart.")
    return cart


def _fresh(cart: Cart) -> Cart:
    cart.refresh_from_db()
    return cart


def _buyer(request: HttpRequest) -> Buyer | None:
    user = buyer_of(request)
    return Buyer(user.pk, user.email) if user else None


def _named_currency(request: HttpRequest, slug: str) -> str:
    if slug:
        return chosen_currency(request, slug)
    return request.headers.get("X-Currency", "").upper()


def _show(request: HttpRequest, cart: Cart, **asked: str) -> CartOut:
    currency = chosen_currency(request, cart.storefront)
    return CartOut.of(quote(cart, currency=currency, buyer=_buyer(request), **asked))


def shown(quoted: Quote) -> dict[str, Any]:
    """A quote as the JSON of a cart, for a problem document."""
    return CartOut.of(quoted).model_dump(mode="json", by_alias=True)
