"""Codes that make an order cheaper, for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Status

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.api.access import person, staff
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Moment,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.interfaces.api.storefronts import storefront_of
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.errors import StorefrontMissing
from markethall.trade.catalog.storefronts import storefronts
from markethall.trade.vouchers import actions
from markethall.trade.vouchers.errors import VoucherMissing
from markethall.trade.vouchers.models import Voucher, VoucherUse
from markethall.trade.vouchers.queries import vouchers

routes = router("vouchers")

Kind = Literal["percentage", "amount", "free_shipping"]
Minor = Annotated[int, Field(ge=0, le=10**12)]
Count = Annotated[int, Field(ge=1, le=10**6)]
_writes = staff(Permission.VOUCHERS_WRITE)


class VoucherOut(Out):
    """What a code takes off: ``basisPoints`` (ten-thousandths) of a percentage, ``amount`` in minor
    units of ``currency``. ``used`` counts the uses that stand."""

    id: UUID
    storefront: str
    code: str
    kind: Kind
    basis_points: int | None
    amount: int | None
    minimum: int
    currency: str
    starts_at: Time | None
    ends_at: Time | None
    max_uses: int | None
    max_uses_each: int | None
    used: int
    is_active: bool
    note: str
    created_at: Time


class UseOut(Out):
    """``orderId`` is the order that the code was used for."""

    order_id: UUID
    customer_id: UUID | None
    email: str
    at: Time


class Worth(In):
    storefront: str = Field(max_length=16, examples=["elysium"])
    kind: Kind
    basis_points: int | None = Field(None, ge=1, le=10_000)
    amount: Minor | None = None
    minimum: Minor = 0
    currency: str = Field("", pattern="^([A-Z]{3})?$")
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    max_uses: Count | None = None
    max_uses_each: Count | None = None
    is_active: bool = True
    note: str = Field("", max_length=200)


class VoucherIn(Worth):
    code: str = Field(min_length=3, max_length=32, examples=["WELCOME10"])


class CodesIn(Worth):
    """Many codes of the same worth, each for one use unless ``maxUses`` says otherwise."""

    count: int = Field(ge=1, le=actions.MAX_CODES)
    prefix: str = Field("", max_length=20)
    max_uses: Count | None = 1


class CodesOut(Out):
    codes: list[str]


class VoucherAsked(Paging):
    q: str = Field("", max_length=32, description="How the code begins.")
    state: Literal["", "active", "off"] = ""


@routes.get("", auth=_writes, response={200: Listing[VoucherOut], **problems(401, 403, 422)})
def get_vouchers(request: HttpRequest, asked: Query[VoucherAsked]) -> Any:
    """Codes, the newest first."""
    found = vouchers(storefront=storefront_of(request), q=asked.q, state=asked.state)
    page = paginate(found, order=["-id"], limit=asked.limit, cursor=asked.cursor)
    return listing(page, lambda voucher: voucher)


@routes.post("", auth=_writes, response={201: VoucherOut, **problems(400, 401, 403, 409, 413, 422)})
def post_voucher(request: HttpRequest, body: VoucherIn) -> Any:
    """Make a code."""
    _check(body)
    made = actions.make_voucher(actor_id=person(request).pk, **body.model_dump())
    return Status(201, made)


@routes.post("/bulk", auth=_writes, response={201: CodesOut, **problems(400, 401, 403, 413, 422)})
def post_codes(request: HttpRequest, body: CodesIn) -> HttpResponse:
    """Make many codes of the same worth at once."""
    _check(body)

    def act() -> tuple[int, CodesOut]:
        made = actions.make_codes(actor_id=person(request).pk, **body.model_dump())
        return 201, CodesOut(codes=[voucher.code for voucher in made])

    return answer_once(request, act)


@routes.get(
    "/{uuid:voucher_id}", auth=_writes, response={200: VoucherOut, **problems(401, 403, 404)}
)
def get_voucher(request: HttpRequest, voucher_id: UUID) -> Any:
    """One code."""
    return _voucher(voucher_id)


@routes.get(
    "/{uuid:voucher_id}/uses",
    auth=_writes,
    response={200: Listing[UseOut], **problems(401, 403, 404, 422)},
)
def get_uses(request: HttpRequest, voucher_id: UUID, asked: Query[Paging]) -> Any:
    """What a code was used for, the newest first."""
    found = VoucherUse.objects.filter(voucher=_voucher(voucher_id))
    page = paginate(found, order=["-id"], limit=asked.limit, cursor=asked.cursor)
    return listing(
        page,
        lambda use: UseOut(
            order_id=use.reference, customer_id=use.customer_id, email=use.email, at=use.at
        ),
    )


@routes.put(
    "/{uuid:voucher_id}",
    auth=_writes,
    response={200: VoucherOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_voucher(request: HttpRequest, voucher_id: UUID, body: VoucherIn) -> Any:
    """Change a code, or switch it off. Orders that have used it stay as they are."""
    _check(body)
    return actions.change_voucher(
        voucher_id=voucher_id, actor_id=person(request).pk, **body.model_dump()
    )


@routes.delete(
    "/{uuid:voucher_id}", auth=_writes, response={204: None, **problems(401, 403, 404, 409)}
)
def delete_voucher(request: HttpRequest, voucher_id: UUID) -> Any:
    """Forget a code that nobody has used."""
    actions.remove_voucher(voucher_id=voucher_id, actor_id=person(request).pk)
    return Status(204, None)


def _check(body: Worth) -> None:
    if body.storefront not in storefronts():
        raise StorefrontMissing.field("storefront", "There is no such storefront.")


def _voucher(voucher_id: UUID) -> Voucher:
    voucher = Voucher.objects.filter(pk=voucher_id).first()
    if voucher is None:
        raise VoucherMissing
    return voucher
