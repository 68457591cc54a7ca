"""The credit packs of Plushify: part of the product, not of the demo data."""

from __future__ import annotations

from typing import Any

from django.db import migrations

PACKS = (("credits-50", 50, 499), ("credits-200", 200, 1499), ("credits-500", 500, 2999))


def add_packs(apps: Any, schema_editor: Any) -> None:
    offers = apps.get_model("catalog", "Offer")
    for position, (code, credits, amount) in enumerate(PACKS):
        offers.objects.create(
            code=code,
            kind="credits",
            storefront="plushify",
            name=f"{credits} credits",
            amount=amount,
            currency="USD",
            credits=credits,
            position=position,
            is_featured=credits == 200,
        )


class Migration(migrations.Migration):
    dependencies = (("catalog", "0001_initial"),)
    operations = (migrations.RunPython(add_packs, migrations.RunPython.noop),)
