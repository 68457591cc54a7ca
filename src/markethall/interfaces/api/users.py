"""Other people's accounts, for staff."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query

from markethall.flows.credit_correction import MAX_CORRECTION, correct_credits
from markethall.flows.erasure import erase_account
from markethall.flows.person_figures import figures_of
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, Role
from markethall.foundation.accounts.queries import is_verified, people, verified_among
from markethall.foundation.accounts.staff import change_user, person
from markethall.foundation.ledger.queries import balances_of
from markethall.interfaces.api.access import staff
from markethall.interfaces.api.auth import Line, ProfileIn, UserOut
from markethall.interfaces.api.core import answer_once, router
from markethall.interfaces.api.credits import CreditEntryOut, credit_history
from markethall.interfaces.api.order_shapes import OrderOut, show_orders
from markethall.interfaces.api.schemas import (
    In,
    Listing,
    Money,
    Out,
    Paging,
    Time,
    listing,
    problems,
)
from markethall.kernel.pagination import paginate
from markethall.trade.orders.models import Order

routes = router("users")

RoleName = Literal["customer", "vendor", "logistics", "finance", "admin", "super_admin"]
_reads = staff(Permission.USERS_READ)
_writes = staff(Permission.USERS_WRITE)


class PersonOut(UserOut):
    """A person, as staff sees them."""

    is_active: bool
    balance: int
    held: int
    last_login: Time | None


class PersonIn(In):
    """What is left out stays. A role needs ``roles.write``."""

    name: Line | None = None
    phone: Annotated[str, Field(max_length=32, pattern=r"^[0-9 ()+./-]*$")] | None = None
    role: RoleName | None = None
    is_active: bool | None = None


class PeopleFilter(Paging):
    search: str = Field("", max_length=254, description="A part of the e-mail address.")
    role: Literal["", "customer", "vendor", "logistics", "finance", "admin", "super_admin"] = ""


class CorrectionIn(In):
    """``amount`` is added; a negative one is removed, below zero if need be."""

    amount: int = Field(ge=-MAX_CORRECTION, le=MAX_CORRECTION, examples=[-5])
    reason: str = Field(min_length=1, max_length=500, examples=["Double purchase"])


class CorrectedOut(Out):
    balance: int = Field(examples=[4])


class ErasedOut(Out):
    status: Literal["erased"]


class FiguresOut(Out):
    """``creditsByType`` sums bookings of the wallet; the others count."""

    balance: int
    held: int
    credits_by_type: dict[str, int]
    orders_by_status: dict[str, int]
    paid: list[Money]
    refunded: list[Money]
    pictures_by_status: dict[str, int]
    pictures_by_style: dict[str, int]


@routes.get("", auth=_reads, response={200: Listing[PersonOut], **problems(401, 403, 422)})
def list_users(request: HttpRequest, filters: Query[PeopleFilter]) -> Any:
    """People, the newest first."""
    page = paginate(
        people(search=filters.search, role=filters.role),
        order=["-id"],
        limit=filters.limit,
        cursor=filters.cursor,
    )
    ids = [user.pk for user in page.items]
    verified, balances = verified_among(ids), balances_of(ids)
    return listing(page, lambda user: _show(user, user.pk in verified, balances[user.pk]))


@routes.get("/{uuid:user_id}", auth=_reads, response={200: PersonOut, **problems(401, 403, 404)})
def get_user(request: HttpRequest, user_id: UUID) -> Any:
    """One person."""
    return _show_one(person(user_id))


@routes.put(
    "/{uuid:user_id}",
    auth=_writes,
    response={200: PersonOut, **problems(400, 401, 403, 404, 409, 413, 422)},
)
def put_user(request: HttpRequest, user_id: UUID, body: PersonIn) -> Any:
    """Change a person's name, phone number or role, or block them."""
    user = change_user(
        actor=_actor(request),
        user_id=user_id,
        name=body.name,
        phone=body.phone,
        role=Role(body.role) if body.role else None,
        is_active=body.is_active,
    )
    return _show_one(user)


@routes.delete(
    "/{uuid:user_id}",
    auth=_writes,
    response={200: ErasedOut, **problems(401, 403, 404, 409)},
)
def delete_user(request: HttpRequest, user_id: UUID) -> Any:
    """Erase a person at their wish. Orders and bookings stay without a name."""
    erase_account(user_id=user_id, actor=_actor(request))
    return {"status": "erased"}


@routes.get(
    "/{uuid:user_id}/profile", auth=_reads, response={200: UserOut, **problems(401, 403, 404)}
)
def get_profile(request: HttpRequest, user_id: UUID) -> Any:
    """A person's profile."""
    return UserOut.of(person(user_id))


@routes.put(
    "/{uuid:user_id}/profile",
    auth=_writes,
    response={200: UserOut, **problems(400, 401, 403, 404, 413, 422)},
)
def put_profile(request: HttpRequest, user_id: UUID, body: ProfileIn) -> Any:
    """Change a person's name or phone number; what is left out stays."""
    user = change_user(actor=_actor(request), user_id=user_id, name=body.name, phone=body.phone)
    return UserOut.of(user)


@routes.get(
    "/{uuid:user_id}/orders",
    auth=staff(Permission.ORDERS_READ),
    response={200: Listing[OrderOut], **problems(401, 403, 404, 422)},
)
def get_orders(request: HttpRequest, user_id: UUID, paging: Query[Paging]) -> Any:
    """A person's orders, the newest first."""
    orders = Order.objects.filter(customer_id=person(user_id).pk).prefetch_related("lines")
    page = paginate(orders, order=["-id"], limit=paging.limit, cursor=paging.cursor)
    shown = iter(show_orders(page.items))
    return listing(page, lambda _: next(shown))


@routes.get(
    "/{uuid:user_id}/transactions",
    auth=_reads,
    response={200: Listing[CreditEntryOut], **problems(401, 403, 404, 422)},
)
def get_transactions(request: HttpRequest, user_id: UUID, paging: Query[Paging]) -> Any:
    """A person's credit history, the newest first."""
    return credit_history(person(user_id).pk, paging)


@routes.get(
    "/{uuid:user_id}/analytics", auth=_reads, response={200: FiguresOut, **problems(401, 403, 404)}
)
def get_analytics(request: HttpRequest, user_id: UUID) -> Any:
    """Figures about a person."""
    found = figures_of(person(user_id).pk)
    return FiguresOut(
        balance=found.balance.balance,
        held=found.balance.held,
        credits_by_type=found.credits_by_type,
        orders_by_status=found.orders_by_status,
        paid=[Money.of(money) for money in found.paid],
        refunded=[Money.of(money) for money in found.refunded],
        pictures_by_status=found.pictures_by_status,
        pictures_by_style=found.pictures_by_style,
    )


@routes.post(
    "/{uuid:user_id}/credits",
    auth=staff(Permission.CREDITS_WRITE),
    response={200: CorrectedOut, **problems(400, 401, 403, 404, 413, 422)},
)
def post_credits(request: HttpRequest, user_id: UUID, body: CorrectionIn) -> HttpResponse:
    """Add or remove credits, with a reason that the person sees in their history."""

    def act() -> tuple[int, CorrectedOut]:
        balance = correct_credits(
            actor=_actor(request), user_id=user_id, amount=body.amount, reason=body.reason
        )
        return 200, CorrectedOut(balance=balance)

    return answer_once(request, act)


def _show_one(user: User) -> PersonOut:
    return _show(user, is_verified(user), balances_of([user.pk])[user.pk])


def _show(user: User, verified: bool, balance: Any) -> PersonOut:
    return PersonOut(
        **UserOut.of(user, verified=verified).model_dump(),
        is_active=user.is_active,
        balance=balance.balance,
        held=balance.held,
        last_login=user.last_login,
    )


def _actor(request: HttpRequest) -> User:
    return cast(User, request.user)
