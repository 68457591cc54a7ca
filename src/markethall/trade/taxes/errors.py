from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound


class TaxRateMissing(NotFound):
    code, title = "tax_rate_not_found", "There is no such tax rate"


class TaxRateTaken(Conflict):
    code, title = "tax_rate_taken", "This country has a rate for this category already"
