"""What can be bought now and could not before."""

from __future__ import annotations

from markethall.trade.catalog.events import VariantsMade
from markethall.trade.inventory.actions import ensure_items


def count_variants(event: VariantsMade) -> None:
    """New variants are counted in stock, with none on hand."""
    ensure_items(event.variant_ids)
