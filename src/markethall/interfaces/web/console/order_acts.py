"""Packing and sending orders by hand, one or many at once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from markethall.flows import order_parcels, order_slips
from markethall.flows.order_parcels import Carried
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import done
from markethall.interfaces.web.console.orders import show_order
from markethall.interfaces.web.links import came_from
from markethall.kernel.errors import Invalid

_MOST = 100  # orders at once
_TOLD = 3  # of those that were refused
_ACTS = {
    "pack": (order_parcels.pack, "packed"),
    "ship": (order_parcels.ship_order, "marked as sent"),
    "deliver": (order_parcels.deliver_order, "marked as delivered"),
}
_PAPERS = {"picks": order_slips.pick_list, "slips": order_slips.packing_slips}


@require_POST
@staff(Permission.ORDERS_SHIP)
def pack(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    wanted = {key: number for key, number in quantities(request.POST, "pack-").items() if number}
    if not wanted:
        raise Invalid("Say how many pieces go into the parcel.")
    order_parcels.pack(order_id=order_id, actor_id=request.user.pk, wanted=wanted)
    return _done(request, order_id, "The parcel is packed.")


@require_POST
@staff(Permission.ORDERS_SHIP)
def parcel(request: StaffRequest, order_id: uuid.UUID, parcel_id: uuid.UUID) -> HttpResponse:
    """What is done to a parcel, by the button that was pressed."""
    act = request.POST.get("act", "")
    who = {"parcel_id": parcel_id, "actor_id": request.user.pk}
    if act == "unpack":
        order_parcels.unpack(**who)
        return _done(request, order_id, "The parcel is taken apart.")
    if act == "deliver":
        order_parcels.deliver(**who)
        return _done(request, order_id, "The parcel has arrived.")
    if act == "label":
        order_parcels.change_parcel(**who, carried=_carried(request.POST))
        return _done(request, order_id, "That is put right.")
    order_parcels.ship(**who, carried=_carried(request.POST))
    return _done(request, order_id, "The parcel is on its way; the buyer has a mail.")


@require_POST
@staff(Permission.ORDERS_SHIP)
def bulk(request: StaffRequest) -> HttpResponse:
    """What is done to all orders that were ticked."""
    chosen = [_id(text) for text in request.POST.getlist("order")[:_MOST]]
    act = request.POST.get("act", "")
    if not chosen:
        raise Invalid("Tick some orders first.")
    if act in _PAPERS:
        return HttpResponse(
            _PAPERS[act](chosen),
            content_type="application/pdf",
            headers={"Content-Disposition": f'inline; filename="{act}.pdf"'},
        )
    if act not in _ACTS:
        raise Invalid("There is no such act.")
    flow, name = _ACTS[act]
    ended = order_parcels.each_of(chosen, flow, actor_id=request.user.pk)
    text, level = f"{ended.number} of {len(chosen)} orders {name}.", 25
    if ended.refused:
        others = len(ended.refused) - _TOLD
        told = [text, *ended.refused[:_TOLD], *([f"{others} more were refused."] * (others > 0))]
        text, level = " ".join(told), 30 if ended.number else 40
    back = came_from(request, "/console/orders")
    return done(request, text, level=level, to=back, again=HttpResponse)


def quantities(form: Mapping[str, str], prefix: str) -> dict[uuid.UUID, int]:
    """The numbers of a form's fields ``<prefix><id>``. Raises Invalid for what is none."""
    found = {}
    for name, text in form.items():
        if name.startswith(prefix) and text.strip():
            if not text.strip().isdecimal() or len(text) > 6:
                raise Invalid(f"{text[:20]!r} is no number of pieces.")
            found[_id(name.removeprefix(prefix))] = int(text)
    return found


def _carried(form: Mapping[str, str]) -> Carried:
    url = form.get("tracking_url", "").strip()
    if url:
        try:
            URLValidator(schemes=["http", "https"])(url)
        except ValidationError as error:
            raise Invalid("The tracking address is no web address.") from error
    return Carried(
        form.get("carrier", "").strip()[:80],
        form.get("tracking_number", "").strip()[:80],
        url[:500] or None,
    )


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise Invalid("There is no such line.") from error


def _done(request: StaffRequest, order_id: uuid.UUID, text: str) -> HttpResponse:
    return done(
        request,
        text,
        to=f"/console/orders/{order_id}",
        again=lambda: show_order(request, order_id),
    )
