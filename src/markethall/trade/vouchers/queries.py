from __future__ import annotations

import uuid

from django.db.models import Q, QuerySet

from markethall.trade.vouchers.models import Voucher, VoucherUse


def voucher_by_code(storefront: str, code: str) -> Voucher | None:
    """The voucher of a cleaned code at a storefront, whatever its state."""
    return Voucher.objects.filter(storefront=storefront, code=code).first() if code else None


def uses_by(voucher: Voucher, *, customer_id: uuid.UUID | None, email: str) -> int:
    """How often somebody has used a voucher: by their account, or by their address."""
    theirs = Q(email=email) if email else Q()
    if customer_id:
        theirs |= Q(customer_id=customer_id)
    return VoucherUse.objects.filter(theirs, voucher=voucher).count() if theirs else 0


def vouchers(*, storefront: str = "", q: str = "", state: str = "") -> QuerySet[Voucher]:
    """Vouchers whose code begins with ``q``; ``state`` is ``active`` or ``off``."""
    found = Voucher.objects.all()
    if storefront:
        found = found.filter(storefront=storefront)
    if q:
        found = found.filter(code__startswith=q.strip().upper())
    if state:
        found = found.filter(is_active=state == "active")
    return found
