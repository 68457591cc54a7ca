"""Orders: the list, one order, and what is done to it by hand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import erasure, refunds
from markethall.flows.order_desk import change_order
from markethall.flows.order_sheet import address_lines, sheet_of
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refund_terms import terms_of
from markethall.foundation.accounts.permissions import Permission, may
from markethall.foundation.accounts.queries import emails_of
from markethall.foundation.files.links import signed_link
from markethall.foundation.payments.models import RefundStatus
from markethall.foundation.payments.queries import payments
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    DayFilters,
    choices,
    cursor_of,
    done,
    show,
    show_list,
)
from markethall.interfaces.web.errors import told
from markethall.kernel.errors import Invalid
from markethall.kernel.money import of_decimal
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.access import guest_link
from markethall.trade.orders.models import Order, OrderStatus, TakeBack
from markethall.trade.orders.queries import filtered, order_for, orders_for
from markethall.trade.shipping.tracking import carriers

STOREFRONTS = ("plushify", "mybeing", "elysium", "market")
_COLUMNS = [
    {"label": "Pick"},
    {"label": "Number"},
    {"label": "Customer"},
    {"label": "Storefront"},
    {"label": "Status"},
    {"label": "Total", "num": True},
    {"label": "Refunded", "num": True},
    {"label": "Placed", "num": True},
]


_NEEDS = (("", "Anything"), ("to_pack", "To pack"), ("to_ship", "To ship"))


class OrderFilters(DayFilters):
    q = forms.CharField(label="Number, or start of the e-mail", max_length=254)
    need = forms.ChoiceField(label="What is to be done", choices=_NEEDS)
    status = forms.ChoiceField(choices=choices(OrderStatus.values, "Any status"))
    storefront = forms.ChoiceField(choices=choices(STOREFRONTS, "Any storefront"))

    field_order = ("q", "need", "status", "storefront", "since", "until")


@require_safe
@staff(Permission.ORDERS_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = OrderFilters(request.GET)
    chosen = filters.chosen()
    found = filtered(
        orders_for(request.user),
        status=chosen["status"],
        storefront=chosen["storefront"],
        q=chosen["q"],
        need=chosen["need"],
        **filters.span(),
    )
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Orders",
        "columns": _COLUMNS,
        "live": "orders",
        "search_value": chosen["q"],
        "empty_title": "Nothing has been ordered yet",
        "empty_text": "Every purchase, of credits or of goods, becomes an order here.",
        "empty_icon": "receipt",
    }
    return show_list(request, "console/orders.html", page, context, filters=filters)


@require_safe
@staff(Permission.ORDERS_READ)
def detail(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    return show_order(request, order_id)


@require_safe
@staff(Permission.PAYMENTS_REFUND)
def refund_terms(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    """What the refund that is being typed would do."""
    order = order_for(request.user, order_id)
    problem, terms = "", None
    try:
        claim = _claim(request.GET, order)
        terms = terms_of(order, claim.amount, lines=claim.lines, shipping=claim.shipping)
    except Invalid as error:
        problem = told(error)
    return render(request, "console/refund_terms.html", {"terms": terms, "problem": problem})


@require_POST
@staff(Permission.PAYMENTS_REFUND)
def refund(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    order = order_for(request.user, order_id)
    claim = _claim(request.POST, order)
    given = refunds.refund_order(
        order_id=order.pk,
        amount=claim.amount,
        lines=claim.lines,
        shipping=claim.shipping,
        reason=request.POST.get("reason", "").strip()[:500],
        actor_id=request.user.pk,
        key=_key(request),
    )
    text, level = f"{given.money} has gone back.", 25
    if given.status == RefundStatus.FAILED:
        text, level = f"The gateway refused: {given.failure}", 40
    elif given.status == RefundStatus.REQUESTED:
        text, level = f"{given.money} is on its way back.", 20
    return done(
        request, text, level=level, to=_place(order), again=lambda: show_order(request, order_id)
    )


@require_POST
@staff(Permission.PAYMENTS_REFUND)
def retry_refund(request: StaffRequest, order_id: uuid.UUID, refund_id: uuid.UUID) -> HttpResponse:
    order = order_for(request.user, order_id)
    given = refunds.retry(refund_id=refund_id, actor_id=request.user.pk)
    failed = given.status == RefundStatus.FAILED
    text = f"The gateway refused again: {given.failure}" if failed else f"{given.money} goes back."
    return done(
        request,
        text,
        level=40 if failed else 25,
        to=_place(order),
        again=lambda: show_order(request, order_id),
    )


@require_POST
@staff(Permission.ORDERS_WRITE)
def cancel(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    note = request.POST.get("note", "").strip()[:500]
    order = order_for(request.user, order_id)
    change_order(
        order_id=order.pk, status=OrderStatus.CANCELLED, note=note, actor_id=request.user.pk
    )
    return done(
        request,
        f"Order {order.number} is cancelled.",
        to=_place(order),
        again=lambda: show_order(request, order_id),
    )


@require_POST
@staff(Permission.USERS_WRITE)
def erase_guest(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    number = erasure.erase_guest(order_id=order_id, actor_id=request.user.pk)
    return done(
        request,
        f"The guest is erased, with {number} order{'' if number == 1 else 's'}.",
        to=f"/console/orders/{order_id}",
        again=lambda: show_order(request, order_id),
    )


def show_order(request: StaffRequest, order_id: uuid.UUID) -> HttpResponse:
    """One order, with what its reader may do to it."""
    order = order_for(request.user, order_id)
    sheet = sheet_of(order)
    moves = sheet.moves
    tries = list(payments(reference=order.pk).order_by("-pk"))
    credits = TakeBack.objects.filter(line__order=order, line__kind=LineKind.CREDITS)
    taken = {row.refund_id: row for row in credits}
    for payment in tries:
        for back in payment.refunds.all():
            back.take_back = taken.get(back.pk)  # type: ignore[attr-defined]
    actors = [*(move.actor_id for move in moves)]
    actors += [back.actor_id for payment in tries for back in payment.refunds.all()]
    context: dict[str, Any] = {
        "title": f"Order {order.number}",
        "order": order,
        "sheet": sheet,
        "rows": [(line, sheet.pieces.get(line.pk)) for line in sheet.lines],
        "to_pack": any(there.to_pack for there in sheet.pieces.values())
        and order.status in {OrderStatus.PAID, OrderStatus.FULFILLED},
        "addresses": [
            (title, address_lines(given))
            for title, given in (
                ("Sent to", order.shipping_address),
                ("Billed to", order.billing_address),
            )
            if given
        ],
        "tracked": guest_link(order)
        if order.customer_id is None and order.erased_at is None
        else "",
        "carriers": carriers(),
        "moves": moves,
        "payments": tries,
        "is_going_back": any(
            back.status == RefundStatus.REQUESTED
            for payment in tries
            for back in payment.refunds.all()
        ),
        "names": emails_of(actors),
        "may_cancel": rules.can_move(order.status, OrderStatus.CANCELLED)
        and may(request.user, Permission.ORDERS_WRITE),
        "receipt_url": signed_link(order.receipt_id) if order.receipt_id else None,
    }
    if may(request.user, Permission.PAYMENTS_REFUND):
        context["terms"] = terms_of(order)
    return show(request, "console/order.html", context)


def _claim(form: Mapping[str, str], order: Order) -> refunds.Claim:
    """What a form wants to give back: lines, the shipping, or an amount. Raises Invalid."""
    lines = [
        RefundedLine(line.pk, number, restock=f"restock-{line.pk}" in form)
        for line in order.lines.order_by("pk")
        if (number := _number(form.get(f"back-{line.pk}", "")))
    ]
    return refunds.Claim(_amount(form.get("amount", ""), order), lines, shipping="shipping" in form)


def _number(text: str) -> int:
    text = text.strip() or "0"
    if not text.isdecimal() or len(text) > 6:
        raise Invalid(f"{text[:20]!r} is no number of pieces.")
    return int(text)


def _place(order: Order) -> str:
    return f"/console/orders/{order.pk}"


def _key(request: StaffRequest) -> str | None:
    """The key that the form was made with: sent twice, it acts once."""
    key = request.POST.get("key", "")[:64]
    return f"console:{request.user.pk}:{key}" if key else None


def _amount(text: str, order: Order) -> int | None:
    """What was typed, in minor units; None for all that is left. Raises Invalid."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        amount = of_decimal(Decimal(text), order.currency).amount
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Invalid.field("amount", f"{text!r} is no amount of {order.currency}.") from error
    if not 0 < amount < 2**53:
        raise Invalid.field("amount", "Give back something, or leave the amount out for all.")
    return amount
