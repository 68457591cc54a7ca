"""One field that finds people and orders, and whatever has the id that was pasted."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.accounts.queries import people, verified_among
from markethall.foundation.ledger.models import Transaction
from markethall.foundation.payments.models import InboxEvent, Payment
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show
from markethall.interfaces.web.console.users import state_of
from markethall.trade.orders.models import Order
from markethall.trade.orders.queries import filtered, orders_for

_SHOWN = 12
_PLACES: tuple[tuple[Permission, Any, str], ...] = (
    (Permission.USERS_READ, User, "/console/users/{}"),
    (Permission.ORDERS_READ, Order, "/console/orders/{}"),
    (Permission.PAYMENTS_READ, Payment, "/console/payments/{}"),
    (Permission.PAYMENTS_READ, Transaction, "/console/ledger/{}"),
    (Permission.IMAGES_READ, Generation, "/console/pictures/{}"),
    (Permission.WEBHOOKS_READ, InboxEvent, "/console/inbox/{}"),
)


@require_safe
@staff(Permission.CONSOLE)
def search(request: StaffRequest) -> HttpResponse:
    q = request.GET.get("q", "").replace("\x00", "").strip()[:254]
    place = _place_of_id(request.user, q)
    if place:
        return HttpResponseRedirect(place)
    orders = persons = None
    if q and may(request.user, Permission.ORDERS_READ):
        found = filtered(orders_for(request.user), q=q)
        orders = list(found.order_by("-id")[:_SHOWN])
        if len(orders) == 1 and orders[0].number == q.upper():
            return HttpResponseRedirect(f"/console/orders/{orders[0].pk}")
    if q and may(request.user, Permission.USERS_READ):
        persons = list(people(search=q).order_by("-id")[:_SHOWN])
        verified = verified_among([person.pk for person in persons])
        for person in persons:
            person.state = state_of(person, is_verified=person.pk in verified)  # type: ignore[attr-defined]
    context = {
        "title": f"Search: {q}" if q else "Search",
        "q": q,
        "search_value": q,
        "people": persons,
        "orders": orders,
        "most": _SHOWN,
    }
    return show(request, "console/search.html", context)


def _place_of_id(user: User, text: str) -> str | None:
    """The page of whatever has this id and ``user`` may see."""
    try:
        wanted = uuid.UUID(text)
    except ValueError:
        return None
    for permission, model, place in _PLACES:
        if may(user, permission) and model.objects.filter(pk=wanted).exists():
            return place.format(wanted)
    return None
