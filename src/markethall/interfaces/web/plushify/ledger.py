"""Where the credits went, and what was bought."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from markethall.content.imaging.queries import own_pictures
from markethall.foundation.ledger.models import Entry
from markethall.foundation.ledger.queries import entry_status, history_of
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.plushify.styles import style_label
from markethall.kernel.pagination import Page, paginate
from markethall.trade.orders.models import Order
from markethall.trade.orders.queries import orders_of

PAGE = 20
HISTORY = "/plushify/history"
_KINDS = {
    "purchase": ("Credit pack", "shopping-bag"),
    "bonus": ("A gift from us", "gift"),
    "admin": ("Corrected by our staff", "pencil"),
    "deduction": ("Picture", "image"),
    "refund": ("Given back", "undo-2"),
}
_STATES = {"pending": "Held while it is made", "failed": "Did not work out", "completed": "Done"}


@dataclass(frozen=True, slots=True)
class Booking:
    """One row of the credit history, in words."""

    text: str
    note: str
    icon: str
    status: str
    status_text: str
    amount: str
    is_gain: bool
    balance: int
    at: str
    url: str

    @classmethod
    def of(cls, entry: Entry, pictures: set[str]) -> Booking:
        kind, data = entry.transaction.kind, entry.transaction.metadata
        text, icon = _KINDS.get(kind, (kind.title(), "coins"))
        if kind == "refund" and entry.amount < 0:
            text = "Taken back with a refund"
        status = entry_status(entry)
        picture = data.get("generationId", "")
        return cls(
            text=text,
            note=_note(kind, data),
            icon=icon,
            status=status,
            status_text=_STATES[status],
            amount=f"{entry.amount:+d}".replace("-", "−"),
            is_gain=entry.amount > 0,
            balance=entry.balance_after or 0,
            at=date_format(entry.transaction.posted_at, "j M Y, H:i"),
            url=f"/plushify/generations/{picture}" if picture in pictures else "",
        )


@dataclass(frozen=True, slots=True)
class Purchase:
    """One order, in words. ``receipt_url`` is empty until it is paid."""

    number: str
    items: str
    credits: int
    total: str
    status: str
    status_text: str
    at: str
    url: str
    receipt_url: str

    @classmethod
    def of(cls, order: Order) -> Purchase:
        lines = list(order.lines.all())
        url = f"/orders/{order.pk}"
        return cls(
            number=order.number,
            items=", ".join(
                line.name if line.quantity == 1 else f"{line.quantity} × {line.name}"
                for line in lines
            ),
            credits=sum(line.quantity * int(line.data.get("credits", 0)) for line in lines),
            total=str(order.total_money),
            status=order.status,
            status_text=order.status.replace("_", " ").capitalize(),
            at=date_format(order.created_at, "j M Y"),
            url=url,
            receipt_url=f"{url}/receipt" if order.paid_at else "",
        )


@require_safe
@members_only
def credits_page(request: HttpRequest) -> HttpResponse:
    """The credit history, newest first."""
    page = paginate(
        history_of(member(request).pk), order=["-id"], limit=PAGE, cursor=_cursor(request)
    )
    named = [entry.transaction.metadata.get("generationId") for entry in page.items]
    pictures = own_pictures(member(request).pk, [UUID(each) for each in named if each])
    rows = [Booking.of(entry, {str(picture) for picture in pictures}) for entry in page.items]
    return _show(request, "credits", page, rows, HISTORY)


@require_safe
@members_only
def purchases_page(request: HttpRequest) -> HttpResponse:
    """What was bought, with receipts, newest first."""
    page = purchases_of(member(request).pk, _cursor(request))
    rows = [Purchase.of(order) for order in page.items]
    return _show(request, "purchases", page, rows, f"{HISTORY}/purchases")


def purchases_of(user_id: UUID, cursor: str | None) -> Page[Order]:
    """A page of somebody's orders with their lines."""
    orders = orders_of(user_id).prefetch_related("lines")
    return paginate(orders, order=["-id"], limit=PAGE, cursor=cursor)


def _show(request: HttpRequest, tab: str, page: Page, rows: list, url: str) -> HttpResponse:  # type: ignore[type-arg]
    fragment = _cursor(request) and request.headers.get("HX-Request")
    template = f"plushify/parts/{tab}_rows.html" if fragment else "plushify/history.html"
    context = {
        "rows": rows,
        "tab": tab,
        "next_url": f"{url}?cursor={page.next_cursor}" if page.next_cursor else "",
        "tabs": [
            {"url": HISTORY, "label": "Credits", "current": tab == "credits"},
            {"url": f"{HISTORY}/purchases", "label": "Purchases", "current": tab == "purchases"},
        ],
    }
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _cursor(request: HttpRequest) -> str | None:
    return request.GET.get("cursor") or None


def _note(kind: str, data: dict[str, str]) -> str:
    if kind == "deduction" and data.get("style"):
        return style_label(data["style"])
    return str(data.get("reason") or data.get("orderNumber") or "")
