"""People: the list, and everything about one of them."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from markethall.content.imaging.figures import generations
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, Role, may
from markethall.foundation.accounts.queries import is_verified, people, verified_among
from markethall.foundation.audit.queries import entries
from markethall.foundation.ledger.accounts import wallet
from markethall.foundation.ledger.queries import (
    balance_of,
    balances_of,
    entry_status,
    history_of,
)
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    show,
    show_list,
)
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import paginate
from markethall.trade.orders.queries import orders_of

_COLUMNS = [
    {"label": "E-mail"},
    {"label": "Name"},
    {"label": "Role"},
    {"label": "State"},
    {"label": "Credits", "num": True},
    {"label": "Joined", "num": True},
]
_STATES = ("active", "unverified", "suspended", "erased")
_RECENT = 8


class UserFilters(Filters):
    q = forms.CharField(label="Part of the e-mail", max_length=254)
    role = forms.ChoiceField(choices=choices([role.value for role in Role], "Any role"))
    state = forms.ChoiceField(choices=choices(_STATES, "Any state"))


@require_safe
@staff(Permission.USERS_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = UserFilters(request.GET)
    chosen = filters.chosen()
    found = people(search=chosen["q"], role=chosen["role"], state=chosen["state"])
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    ids = [row.pk for row in page.items]
    verified = verified_among(ids)
    for row in page.items:
        row.state = state_of(row, is_verified=row.pk in verified)  # type: ignore[attr-defined]
    context = {
        "title": "Users & credits",
        "columns": _COLUMNS,
        "balances": balances_of(ids),
        "search_value": chosen["q"],
        "empty_title": "Nobody has signed up yet",
        "empty_text": "Whoever opens an account stands here at once.",
        "empty_icon": "users",
    }
    return show_list(request, "console/users.html", page, context, filters=filters)


@require_safe
@staff(Permission.USERS_READ)
def detail(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    return show_user(request, user_id)


def show_user(
    request: StaffRequest,
    user_id: uuid.UUID,
    forms_sent: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Everything about one person; ``forms_sent`` are acts that were refused, by name."""
    person = user_named(user_id)
    credit = list(history_of(person.pk).order_by("-id")[:_RECENT])
    for row in credit:
        row.status = entry_status(row)  # type: ignore[attr-defined]
    context = {
        "title": person.email if not person.erased_at else "Erased person",
        "person": person,
        "state": state_of(person, is_verified=is_verified(person)),
        "credits": balance_of(person.pk),
        "history": credit,
        "wallet_id": wallet(person.pk).id,
        "orders": orders_of(person.pk).order_by("-id")[:_RECENT],
        "pictures": generations().filter(user_id=person.pk).order_by("-id")[:_RECENT],
        "acts": entries(subject_id=str(person.pk)).order_by("-id")[:_RECENT],
        "roles": [role.value for role in Role],
        "is_self": person.pk == request.user.pk,
        "may_change": _may_change(request.user, person),
        "sent": forms_sent or {},
    }
    return show(request, "console/user.html", context, status=status)


def user_named(user_id: uuid.UUID) -> User:
    """One person; raises NotFound."""
    person = User.objects.filter(pk=user_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    return person


def state_of(person: User, *, is_verified: bool) -> str:
    """What an account's state is called."""
    if person.erased_at:
        return "erased"
    if not person.is_active:
        return "suspended"
    return "active" if is_verified else "unverified"


def _may_change(caller: User, person: User) -> bool:
    return may(caller, Permission.USERS_WRITE) and not person.erased_at
