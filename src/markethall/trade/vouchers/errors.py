from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound


class VoucherMissing(NotFound):
    code, title = "voucher_not_found", "There is no such voucher"


class VoucherRefused(Conflict):
    code, title = "voucher_refused", "This code cannot be used for this order"


class VoucherTaken(Conflict):
    code, title = "voucher_taken", "There is a voucher of this code already"


class VoucherInUse(Conflict):
    code, title = "voucher_in_use", "This voucher has been used: switch it off instead"
