"""Payments, and the books: transactions, their entries, accounts."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import mismatches
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.accounts.queries import emails_of
from markethall.foundation.ledger.models import Account, Transaction
from markethall.foundation.ledger.statements import (
    accounts_matching,
    entries_of,
    statement_of,
    system_totals,
    transactions,
)
from markethall.foundation.payments.gateways import registry
from markethall.foundation.payments.models import (
    ChargebackStatus,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from markethall.foundation.payments.queries import chargebacks, payments, refunds
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    DayFilters,
    Filters,
    choices,
    cursor_of,
    done,
    show,
    show_list,
)
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import paginate

KINDS = (
    "payment",
    "payment_refund",
    "payment_excess",
    "chargeback",
    "chargeback_reversed",
    "chargeback_loss",
    "purchase",
    "bonus",
    "admin",
    "deduction",
    "capture",
    "refund",
)
_KEEP_TOTALS = 60  # seconds


class PaymentFilters(Filters):
    status = forms.ChoiceField(choices=choices(PaymentStatus.values, "Any status"))
    gateway = forms.CharField(label="Gateway", max_length=16)
    currency = forms.CharField(label="Currency", max_length=3)


class RefundFilters(Filters):
    status = forms.ChoiceField(choices=choices(RefundStatus.values, "Any status"))


class ChargebackFilters(Filters):
    status = forms.ChoiceField(choices=choices(ChargebackStatus.values, "Any status"))


class LedgerFilters(DayFilters):
    kind = forms.ChoiceField(choices=choices(KINDS, "Any kind"))
    reference = forms.CharField(label="Reference", max_length=96)

    field_order = ("kind", "reference", "since", "until")


class AccountFilters(Filters):
    code = forms.CharField(label="Code begins with", max_length=96)


@require_safe
@staff(Permission.PAYMENTS_READ)
def payment_list(request: StaffRequest) -> HttpResponse:
    filters = PaymentFilters(request.GET)
    chosen = filters.chosen()
    found = payments(**chosen)
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Payments",
        "columns": [
            {"label": "Payment"},
            {"label": "Payer"},
            {"label": "Gateway"},
            {"label": "Status"},
            {"label": "Amount", "num": True},
            {"label": "Refunded", "num": True},
            {"label": "Opened", "num": True},
        ],
        "names": emails_of(row.payer_id for row in page.items),
        "live": "orders",
        "empty_title": "Nobody has paid yet",
        "empty_text": "Each try to pay an order stands here, the failed ones too.",
        "empty_icon": "credit-card",
        "tab": "payments",
    }
    return show_list(request, "console/payments.html", page, context, filters=filters)


@require_safe
@staff(Permission.PAYMENTS_READ)
def refund_list(request: StaffRequest) -> HttpResponse:
    filters = RefundFilters(request.GET)
    found = refunds(status=filters.chosen()["status"])
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Refunds",
        "columns": [
            {"label": "Reason"},
            {"label": "Payer"},
            {"label": "Status"},
            {"label": "By"},
            {"label": "Amount", "num": True},
            {"label": "Asked for", "num": True},
        ],
        "names": emails_of(
            [row.actor_id for row in page.items] + [row.payment.payer_id for row in page.items]
        ),
        "live": "orders",
        "empty_title": "Nothing has gone back yet",
        "empty_text": "Refunds are given from an order's panel.",
        "empty_icon": "undo-2",
        "tab": "refunds",
    }
    return show_list(request, "console/refunds.html", page, context, filters=filters)


@require_safe
@staff(Permission.PAYMENTS_READ)
def chargeback_list(request: StaffRequest) -> HttpResponse:
    filters = ChargebackFilters(request.GET)
    found = chargebacks(status=filters.chosen()["status"])
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Chargebacks",
        "columns": [
            {"label": "Reason"},
            {"label": "Payer"},
            {"label": "Status"},
            {"label": "Answer due"},
            {"label": "Amount", "num": True},
            {"label": "Opened", "num": True},
        ],
        "names": emails_of(row.payment.payer_id for row in page.items),
        "live": "orders",
        "empty_title": "No bank wants money back",
        "empty_text": "When a payer's bank takes a payment back, it stands here until it decides.",
        "empty_icon": "credit-card",
        "tab": "chargebacks",
    }
    return show_list(request, "console/chargebacks.html", page, context, filters=filters)


@require_safe
@staff(Permission.PAYMENTS_READ)
def payment(request: StaffRequest, payment_id: uuid.UUID) -> HttpResponse:
    return _show_payment(request, payment_id)


@require_POST
@staff(Permission.PAYMENTS_REFUND)
def give_back(request: StaffRequest, payment_id: uuid.UUID) -> HttpResponse:
    """Money of another amount than was asked for goes back."""
    back = mismatches.give_back(payment_id=payment_id, actor_id=request.user.pk)
    return _decided(request, payment_id, back, "The payment is settled.")


@require_POST
@staff(Permission.PAYMENTS_REFUND)
def accept(request: StaffRequest, payment_id: uuid.UUID) -> HttpResponse:
    """Money of another amount than was asked for pays for its order."""
    back = mismatches.accept(payment_id=payment_id, actor_id=request.user.pk)
    return _decided(request, payment_id, back, "The order is paid.")


def _decided(
    request: StaffRequest, payment_id: uuid.UUID, back: Refund | None, text: str
) -> HttpResponse:
    level = messages.SUCCESS
    if back and back.status == RefundStatus.FAILED:
        text, level = f"{text} The gateway refused to give back: {back.failure}", messages.ERROR
    elif back:
        text = f"{text} {back.money} goes back."
    return done(
        request,
        text,
        level=level,
        to=f"/console/payments/{payment_id}",
        again=lambda: _show_payment(request, payment_id),
    )


def _show_payment(request: StaffRequest, payment_id: uuid.UUID) -> HttpResponse:
    row = payments().filter(pk=payment_id).first()
    if row is None:
        raise NotFound("There is no such payment.")
    gateway = registry.named(row.gateway)
    booked = list(transactions(reference=f"order:{row.reference}").order_by("-id")[:20])
    context = {
        "title": f"Payment of {row.money}",
        "payment": row,
        "booked": booked,
        "mismatch": mismatches.evidence_of(row),
        "at_gateway": gateway.page_of("payment", row.money_ref),
        "chargebacks": [
            (each, gateway.page_of("chargeback", each.gateway_ref))
            for each in row.chargebacks.order_by("pk")
        ],
        "names": emails_of([row.payer_id, *(back.actor_id for back in row.refunds.all())]),
    }
    return show(request, "console/payment.html", context)


@require_safe
@staff(Permission.PAYMENTS_READ)
def ledger(request: StaffRequest) -> HttpResponse:
    filters = LedgerFilters(request.GET)
    chosen = filters.chosen()
    found = transactions(kind=chosen["kind"], reference=chosen["reference"], **filters.span())
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    sides = entries_of(row.pk for row in page.items)
    for row in page.items:
        row.sides = sides.get(row.pk, [])  # type: ignore[attr-defined]
    context = {
        "title": "Ledger",
        "columns": [
            {"label": "Kind"},
            {"label": "Moved"},
            {"label": "From → to"},
            {"label": "Reference"},
            {"label": "By"},
            {"label": "Posted", "num": True},
        ],
        "names": emails_of(row.actor_id for row in page.items),
        "empty_title": "The books are empty",
        "empty_text": "Every movement of money and credits is posted here, in double entry.",
        "empty_icon": "scale",
        "tab": "transactions",
    }
    return show_list(request, "console/ledger.html", page, context, filters=filters)


@require_safe
@staff(Permission.PAYMENTS_READ)
def transaction(request: StaffRequest, transaction_id: uuid.UUID) -> HttpResponse:
    row = Transaction.objects.filter(pk=transaction_id).first()
    if row is None:
        raise NotFound("There is no such transaction.")
    context = {
        "title": row.kind.replace("_", " ").capitalize(),
        "transaction": row,
        "entries": entries_of([row.pk]).get(row.pk, []),
        "actor": emails_of([row.actor_id]).get(row.actor_id) if row.actor_id else None,
        "reference_url": _place(row.reference),
    }
    return show(request, "console/transaction.html", context)


@require_safe
@staff(Permission.PAYMENTS_READ)
def account_list(request: StaffRequest) -> HttpResponse:
    filters = AccountFilters(request.GET)
    found = accounts_matching(filters.chosen()["code"])
    page = paginate(found, order=["code"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Accounts",
        "columns": [
            {"label": "Code"},
            {"label": "Of"},
            {"label": "Unit"},
            {"label": "Balance", "num": True},
        ],
        "names": emails_of(row.owner_id for row in page.items),
        "empty_title": "No account has been opened",
        "empty_text": "Accounts open with the first transaction that needs them.",
        "empty_icon": "wallet",
        "tab": "accounts",
    }
    return show_list(request, "console/accounts.html", page, context, filters=filters)


@require_safe
@staff(Permission.PAYMENTS_READ)
def totals(request: StaffRequest) -> HttpResponse:
    """What lies at every system account. Reads the whole books, so it is kept for a minute."""
    found = cache.get_or_set("console:system_totals", system_totals, _KEEP_TOTALS)
    return render(request, "console/system_totals.html", {"totals": found})


@require_safe
@staff(Permission.PAYMENTS_READ)
def account(request: StaffRequest, account_id: uuid.UUID) -> HttpResponse:
    row = Account.objects.filter(pk=account_id).first()
    if row is None:
        raise NotFound("There is no such account.")
    page = paginate(statement_of(row.pk), order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": row.code if row.owner_id is None else f"Statement of {row.code.partition(':')[0]}",
        "account": row,
        "columns": [
            {"label": "Kind"},
            {"label": "Reason"},
            {"label": "Change", "num": True},
            {"label": "Balance", "num": True},
            {"label": "Posted", "num": True},
        ],
        "owner": emails_of([row.owner_id]).get(row.owner_id) if row.owner_id else None,
        "empty_title": "Nothing was ever posted to it",
        "empty_text": "",
        "empty_icon": "wallet",
    }
    return show_list(request, "console/account.html", page, context)


def _place(reference: str) -> str | None:
    """Where the console shows what a transaction refers to."""
    kind, _, subject = reference.partition(":")
    places = {"order": "/console/orders/{}", "generation": "/console/pictures/{}"}
    return places[kind].format(subject) if kind in places and subject else None
