"""Who sells, as invoices say it."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class SellerSettings(BaseSettings):
    """What stands on invoices beside the storefront's name."""

    seller_name: str = Field(
        "", max_length=120, description="Who sells, by their full name, as invoices say it."
    )
    seller_address: str = Field(
        "",
        max_length=400,
        description="Their address on invoices, its lines parted by semicolons.",
    )
    seller_tax_id: str = Field(
        "", max_length=40, description="Their tax number on invoices, such as a VAT id."
    )
