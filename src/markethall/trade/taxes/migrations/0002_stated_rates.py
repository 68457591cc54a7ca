"""The standard rates of the European Union and of some other countries, as of November 2026.

Sources: for the Union, the European Commission's "Taxes in Europe" database; for the others, their
tax authorities. Shops change them in the console.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

# By country: ten-thousandths.
VAT = {
    "AT": 2000,
    "BE": 2100,
    "BG": 2000,
    "CY": 1900,
    "CZ": 2100,
    "DE": 1900,
    "DK": 2500,
    "EE": 2400,
    "ES": 2100,
    "FI": 2550,
    "FR": 2000,
    "GR": 2400,
    "HR": 2500,
    "HU": 2700,
    "IE": 2300,
    "IT": 2200,
    "LT": 2100,
    "LU": 1700,
    "LV": 2100,
    "MT": 1800,
    "NL": 2100,
    "PL": 2300,
    "PT": 2300,
    "RO": 2100,
    "SE": 2500,
    "SI": 2200,
    "SK": 2300,
    "CH": 810,
    "GB": 2000,
    "LI": 810,
    "NO": 2500,
}
OTHERS = (
    ("AU", "GST", 1000, True),
    ("JP", "Consumption tax", 1000, True),
    ("NZ", "GST", 1500, True),
    ("SG", "GST", 900, True),
    ("US", "Sales tax", 0, False),
)


def state_rates(apps: Any, schema_editor: Any) -> None:
    rates = apps.get_model("taxes", "TaxRate").objects
    stated = [(country, "VAT", points, True) for country, points in VAT.items()]
    for country, name, points, is_inclusive in (*stated, *OTHERS):
        rates.create(
            country=country,
            category="standard",
            name=name,
            basis_points=points,
            is_inclusive=is_inclusive,
        )


class Migration(migrations.Migration):
    dependencies = (("taxes", "0001_initial"),)
    operations = (migrations.RunPython(state_rates, migrations.RunPython.noop),)
