from __future__ import annotations

from markethall.trade.catalog.revision import kept
from markethall.trade.taxes.models import TaxRate
from markethall.trade.taxes.rules import Rate

_IN = "SELECT * FROM taxes_taxrate WHERE country = ANY(%s)"


@kept
def rates_in(country: str) -> dict[tuple[str, str], Rate]:
    """The rates that can hold in a country, by (country, category): its own, and those of all
    others."""
    rows = TaxRate.objects.raw(_IN, [[country, ""]])
    return {
        (row.country, row.category): Rate(row.name, row.basis_points, row.is_inclusive)
        for row in rows
    }
