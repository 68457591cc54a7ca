"""Sales figures: a question a chart, and what is bought most."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.cache import cache
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from markethall.flows.sales import Sales, sales_of
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.charts import Chart, Series, by_day
from markethall.interfaces.web.console.frame import Filters, show
from markethall.interfaces.web.console.orders import STOREFRONTS
from markethall.kernel.money import Money

_KEEP = 60  # seconds
_SPANS = (("", "30 days"), ("7", "7 days"), ("90", "90 days"), ("366", "A year"))
_MOST_CURRENCIES = 3


class SalesFilters(Filters):
    days = forms.ChoiceField(label="Span", choices=_SPANS)
    storefront = forms.ChoiceField(
        choices=[("", "All storefronts"), *((slug, slug) for slug in STOREFRONTS)]
    )


@require_safe
@staff(Permission.PAYMENTS_READ)
def index(request: StaffRequest) -> HttpResponse:
    """The figures; what they read is kept for a minute."""
    filters = SalesFilters(request.GET)
    chosen = filters.chosen()
    days, storefront = int(chosen["days"] or 30), chosen["storefront"]
    sales = cache.get_or_set(
        f"console:sales:{days}:{storefront}",
        lambda: sales_of(days=days, storefront=storefront),
        _KEEP,
    )
    context: dict[str, Any] = {
        "title": "Sales",
        "filters": filters,
        "sales": sales,
        "charts": _charts(sales),
        "days": days,
        "best": [(each, Money(int(each.amount), each.currency)) for each in sales.best],
    }
    return show(request, "console/sales.html", context)


def _charts(sales: Sales) -> list[Chart]:
    charts = [_money(sales, each.revenue.currency) for each in sales.turnovers[:_MOST_CURRENCIES]]
    paid, back = sales.numbers(sales.sold), sales.numbers(sales.given_back)
    charts.append(
        by_day(
            "How many orders are paid, and how many are given back?",
            f"{sum(paid):,} paid and {sum(back):,} refunds in {len(sales.days)} days.",
            sales.days,
            [Series("Paid", "s1", paid), Series("Refunds", "bad", back)],
            lambda value: f"{value:,}",
        )
    )
    return charts


def _money(sales: Sales, currency: str) -> Chart:
    came = sales.amounts(sales.sold, currency)
    went = sales.amounts(sales.given_back, currency)
    return by_day(
        f"What do we sell in {currency}?",
        f"{Money(sum(came), currency)} sold, {Money(sum(went), currency)} given back.",
        sales.days,
        [
            Series("Sold", "s1", [int(value) for value in came]),
            Series("Given back", "bad", [int(value) for value in went]),
        ],
        lambda value: str(Money(value, currency)),
    )
