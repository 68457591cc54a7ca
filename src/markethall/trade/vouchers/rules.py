"""Pure rules of vouchers: whether a code can be used, and what it takes off."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from markethall.kernel.errors import FieldError, Invalid
from markethall.kernel.money import Money, share, split
from markethall.trade.vouchers.models import Voucher, VoucherKind

_CODE = re.compile("[A-Z0-9][A-Z0-9_-]{2,31}")


def clean_code(typed: str) -> str:
    """A code as it is kept: without spaces, in capitals."""
    return "".join(typed.split()).upper()[:32]


def refusal(voucher: Voucher | None, goods: Money, now: datetime) -> str:
    """Why a voucher takes nothing off ``goods`` (their total), for people; empty when it does.

    How often somebody has used it is not looked at here.
    """
    if voucher is None or not voucher.is_active:
        return "There is no such code."
    is_other = bool(voucher.currency) and voucher.currency != goods.currency
    used_up = voucher.max_uses is not None and voucher.used >= voucher.max_uses
    reasons = (
        (voucher.starts_at and now < voucher.starts_at, "This code cannot be used yet."),
        (voucher.ends_at and now >= voucher.ends_at, "This code has expired."),
        (used_up, "This code has been used up."),
        (is_other, f"This code is for orders in {voucher.currency}."),
        (goods.amount < voucher.minimum, f"This code needs goods for {_minimum(voucher)} or more."),
    )
    return next((why for holds, why in reasons if holds), "")


def discounts(voucher: Voucher, totals: Sequence[int]) -> list[int]:
    """What a voucher takes off each of some lines, in minor units, given what they cost.

    The discount is reckoned once for all lines, halves away from zero, and split over them in
    proportion: the parts add up to it, and none exceeds its line.
    """
    goods = sum(totals)
    if goods <= 0 or voucher.kind == VoucherKind.FREE_SHIPPING:
        return [0 for _ in totals]
    if voucher.kind == VoucherKind.PERCENTAGE:
        discount = share(goods, voucher.basis_points or 0)
    else:
        discount = min(goods, voucher.amount or 0)
    return split(discount, totals)


def check(voucher: Voucher) -> None:
    """Raises Invalid, with a field error for all that is wrong with a voucher to be kept."""
    faults = []
    if not _CODE.fullmatch(voucher.code):
        faults.append(FieldError("code", "3 to 32 letters, digits, hyphens and underscores."))
    if voucher.kind == VoucherKind.PERCENTAGE and not 0 < (voucher.basis_points or 0) <= 10_000:
        faults.append(FieldError("basisPoints", "A percentage is more than 0, and at most 100."))
    if voucher.kind == VoucherKind.AMOUNT and (voucher.amount or 0) <= 0:
        faults.append(FieldError("amount", "Say how much this code takes off."))
    needs_currency = voucher.kind == VoucherKind.AMOUNT or voucher.minimum
    if needs_currency and not voucher.currency:
        faults.append(FieldError("currency", "Say in which currency."))
    if voucher.minimum < 0:
        faults.append(FieldError("minimum", "A minimum is not negative."))
    if voucher.starts_at and voucher.ends_at and voucher.ends_at <= voucher.starts_at:
        faults.append(FieldError("endsAt", "The end lies after the beginning."))
    for name, path in (("max_uses", "maxUses"), ("max_uses_each", "maxUsesEach")):
        limit = getattr(voucher, name)
        if limit is not None and limit < 1:
            faults.append(FieldError(path, "Once at least, or leave it open."))
    if voucher.max_uses is not None and voucher.max_uses < voucher.used:
        faults.append(FieldError("maxUses", f"It has been used {voucher.used} times already."))
    if faults:
        raise Invalid(errors=faults)


def _minimum(voucher: Voucher) -> str:
    return str(Money(voucher.minimum, voucher.currency)) if voucher.currency else ""
