"""Figures about one person, for staff."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum

from markethall.content.imaging.models import Generation
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.models import Entry
from markethall.foundation.ledger.queries import Balance, balance_of
from markethall.kernel.money import Money
from markethall.trade.orders.models import Order


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """``credits_by_type`` sums the wallet's entries of each type; ``spent`` is per currency."""

    balance: Balance
    credits_by_type: dict[str, int]
    orders_by_status: dict[str, int]
    paid: list[Money]
    refunded: list[Money]
    pictures_by_status: dict[str, int]
    pictures_by_style: dict[str, int]


def figures_of(user_id: uuid.UUID) -> PersonFigures:
    """The figures of ``user_id``: five queries, whatever the person's history."""
    orders = Order.objects.filter(customer_id=user_id)
    pictures = Generation.objects.filter(user_id=user_id)
    sums = list(
        orders.filter(paid_at__isnull=False)
        .values("currency")
        .annotate(paid=Sum("total"), back=Sum("refunded"))
        .order_by("currency")
    )
    wallet = Entry.objects.filter(account_id=accounts.wallet(user_id).id)
    return PersonFigures(
        balance=balance_of(user_id),
        credits_by_type=_by(wallet, "transaction__kind", Sum("amount")),
        orders_by_status=_by(orders, "status", Count("pk")),
        paid=[Money(row["paid"], row["currency"]) for row in sums],
        refunded=[Money(row["back"], row["currency"]) for row in sums if row["back"]],
        pictures_by_status=_by(pictures, "status", Count("pk")),
        pictures_by_style=_by(pictures, "style", Count("pk")),
    )


def _by(rows: Any, column: str, figure: Any) -> dict[str, int]:
    return dict(rows.order_by(column).values_list(column).annotate(figure=figure))
