"""What somebody would like to have, as they would have it made; to keep, and to show around."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Status

from markethall.foundation.accounts.models import User
from markethall.interfaces.api.access import anyone, person, signed_in
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.product_shapes import ProductCard
from markethall.interfaces.api.schemas import (
    Asked,
    In,
    Listing,
    Money,
    Out,
    Paging,
    Time,
    as_items,
    problems,
)
from markethall.interfaces.api.storefronts import shop_of, storefront_of
from markethall.kernel.errors import Invalid
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.queries import cards_of
from markethall.trade.wishlist import actions
from markethall.trade.wishlist.models import WishlistItem
from markethall.trade.wishlist.queries import items_of, link_of, name_shown, owner_of, wished

routes = router("wishlist")


class ChosenOut(Out):
    name: str
    value: str


class WishOut(Out):
    """``product`` has the picture of what is chosen. ``price`` is what it costs now as chosen; null
    when that depends on what is left open, or it can no longer be had so: then ``canBeBought`` says
    whether the product still can."""

    id: UUID
    product: ProductCard
    configuration: dict[str, str]
    chosen: list[ChosenOut]
    price: Money | None
    can_be_bought: bool
    added_at: Time


class WishIn(In):
    """What is left out of the configuration stays open."""

    product_id: UUID
    configuration: dict[str, str] = Field(default_factory=dict, max_length=40)


class WhichIn(Asked):
    """One wish, or every wish for a product; neither empties the list."""

    item: UUID | None = None
    product_id: UUID | None = Field(None, alias="productId")


class ShareIn(In):
    is_shared: bool


class SharedOut(Out):
    """``url`` opens the list for whoever has it; null while it is not shared."""

    is_shared: bool
    url: str | None


class SharedListOut(Listing[WishOut]):
    """``owner`` is the first name of whose list it is."""

    owner: str


@routes.get("", auth=signed_in, response={200: Listing[WishOut], **problems(401, 422)})
def get_wishlist(request: HttpRequest, query: Query[Paging]) -> Any:
    """The caller's wishes, the newest first."""
    _, currency = shop_of(request)
    items = items_of(person(request), storefront=storefront_of(request))
    page = paginate(items, order=["-id"], limit=query.limit, cursor=query.cursor)
    return {"items": _shown(page.items, currency), "next_cursor": page.next_cursor}


@routes.post(
    "",
    auth=signed_in,
    response={201: WishOut, 200: WishOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def post_wish(request: HttpRequest, body: WishIn) -> HttpResponse:
    """Keep a product; 200 when the same wish is there already."""
    _, currency = shop_of(request)

    def act() -> tuple[int, WishOut]:
        item, is_new = actions.add(
            user=person(request),
            product_id=body.product_id,
            configuration=body.configuration,
            currency=currency,
        )
        return 201 if is_new else 200, _shown([item], currency)[0]

    return answer_once(request, act, durable=False)


@routes.delete("", auth=signed_in, response={204: None, **problems(401, 403, 404, 422)})
def delete_wishes(request: HttpRequest, query: Query[WhichIn]) -> Any:
    """Take a wish off the list: `item` names one, `productId` all for a product; else all go."""
    user = person(request)
    if query.item and query.product_id:
        raise Invalid.field("item", "Name a wish or a product, not both.")
    if query.item:
        actions.remove(user=user, item_id=query.item)
    elif query.product_id:
        actions.remove_product(user=user, product_id=query.product_id)
    else:
        actions.clear(user=user)
    return Status(204, None)


@routes.get("/link", auth=signed_in, response={200: SharedOut, **problems(401)})
def get_link(request: HttpRequest) -> Any:
    """Whether the caller's list is shared, and under which address."""
    return _link(person(request))


@routes.put("/link", auth=signed_in, response={200: SharedOut, **problems(400, 401, 403, 413, 422)})
def put_link(request: HttpRequest, body: ShareIn) -> Any:
    """Share the list by a link, or end the link for good."""
    user = person(request)
    (actions.share if body.is_shared else actions.unshare)(user)
    return _link(user)


@routes.get("/shared/{token}", auth=anyone, response={200: SharedListOut, **problems(404, 422)})
def get_shared(request: HttpRequest, token: str) -> Any:
    """A list that its owner has shared."""
    owner = owner_of(token[:64].replace("\x00", ""))
    slug, currency = shop_of(request)
    items = list(items_of(owner, storefront=slug).order_by("-id")[: actions.MAX_ITEMS])
    return {**as_items(_shown(items, currency)), "owner": name_shown(owner)}


def _shown(items: list[WishlistItem], currency: str) -> list[WishOut]:
    cards = cards_of([item.product for item in items], currency)
    return [
        WishOut(
            id=each.item.pk,
            product=ProductCard.of(replace(card, image=each.picture)),
            configuration=each.item.configuration,
            chosen=[ChosenOut(name=name, value=value) for name, value in each.shown],
            price=Money.of(each.price) if each.price else None,
            can_be_bought=each.can_be_bought,
            added_at=each.item.added_at,
        )
        for each, card in zip(wished(items, currency), cards, strict=True)
    ]


def _link(user: User) -> SharedOut:
    url = link_of(user)
    return SharedOut(is_shared=bool(url), url=url or None)
