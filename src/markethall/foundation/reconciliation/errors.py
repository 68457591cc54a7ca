from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound


class ComparisonMissing(NotFound):
    code, title = "comparison_not_found", "There is no such comparison"


class DifferenceMissing(NotFound):
    code, title = "difference_not_found", "There is no such difference"


class NothingToHeal(Conflict):
    """No act of ours mends this difference; its explanation says who can."""

    code, title = "nothing_to_heal", "This difference cannot be mended from here"
