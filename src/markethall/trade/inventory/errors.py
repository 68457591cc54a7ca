from __future__ import annotations

import uuid
from collections.abc import Mapping

from markethall.kernel.errors import Conflict, FieldError, Invalid, NotFound


class OutOfStock(Conflict):
    """``available`` says, for each variant that lacks, how many pieces there are."""

    code, title = "out_of_stock", "There is not enough of this in stock"

    def __init__(self, available: Mapping[uuid.UUID, int]) -> None:
        super().__init__(
            errors=[
                FieldError(str(variant_id), _left(pieces), self.code)
                for variant_id, pieces in available.items()
            ]
        )
        self.available = dict(available)


class StockReserved(Conflict):
    code, title = "stock_reserved", "Open checkouts have reserved more than that"


class StockItemMissing(NotFound):
    code, title = "stock_item_not_found", "There is no such variant in stock"


class StockListInvalid(Invalid):
    code, title = "stock_list_invalid", "Some lines of the list cannot be taken in"


def _left(pieces: int) -> str:
    if pieces <= 0:
        return "This is sold out."
    return f"Only {pieces} {'is' if pieces == 1 else 'are'} left."
