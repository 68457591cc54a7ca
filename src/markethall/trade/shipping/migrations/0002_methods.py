"""How ELYSIUM sends to begin with: part of the product, not of the demo data."""

from __future__ import annotations

from typing import Any

from django.db import migrations

_UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EXPRESS = f"{_UNION} CH GB LI NO US CA JP AU NZ SG".split()
# Currency → (amount, free from), minor units.
_INSURED = {
    "USD": (1500, 50_000),
    "EUR": (1400, 45_000),
    "GBP": (1200, 40_000),
    "JPY": (2200, 75_000),
}
# Currency → (up to grams, amount).
_BY_WEIGHT = {
    "USD": ((500, 3500), (2000, 4900), (None, 7900)),
    "EUR": ((500, 3200), (2000, 4500), (None, 7200)),
    "GBP": ((500, 2800), (2000, 3900), (None, 6300)),
    "JPY": ((500, 5200), (2000, 7300), (None, 11_800)),
}


def add_methods(apps: Any, schema_editor: Any) -> None:
    methods = apps.get_model("shipping", "ShippingMethod").objects
    prices = apps.get_model("shipping", "ShippingPrice").objects
    insured = methods.create(
        storefront="elysium",
        code="insured",
        name="Insured delivery",
        description="Signed for, in a plain box.",
        kind="flat",
        days_min=3,
        days_max=7,
    )
    for currency, (amount, free_from) in _INSURED.items():
        prices.create(method=insured, currency=currency, amount=amount, free_from=free_from)
    express = methods.create(
        storefront="elysium",
        code="express",
        name="Express courier",
        description="By hand, on the day you are told.",
        kind="weight",
        countries=sorted(_EXPRESS),
        days_min=1,
        days_max=3,
        position=1,
    )
    for currency, steps in _BY_WEIGHT.items():
        for up_to_grams, amount in steps:
            prices.create(method=express, currency=currency, up_to_grams=up_to_grams, amount=amount)


class Migration(migrations.Migration):
    dependencies = (("shipping", "0001_initial"),)
    operations = (migrations.RunPython(add_methods, migrations.RunPython.noop),)
