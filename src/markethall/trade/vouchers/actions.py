"""Writes to vouchers: by staff, and by the orders that use them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from markethall.foundation.audit.actions import record
from markethall.kernel import clock
from markethall.kernel.errors import Invalid
from markethall.kernel.ids import human_code, new_id
from markethall.kernel.locking import lock_one, lock_row, lock_rows
from markethall.kernel.money import Money
from markethall.trade.vouchers import rules
from markethall.trade.vouchers.errors import (
    VoucherInUse,
    VoucherMissing,
    VoucherRefused,
    VoucherTaken,
)
from markethall.trade.vouchers.models import Voucher, VoucherUse

MAX_CODES = 1_000
# One statement: counted and written under the voucher's lock, which the caller holds.
_USE = """
WITH counted AS (
    SELECT count(*) AS uses FROM vouchers_voucheruse
     WHERE voucher_id = %(voucher)s AND (email = %(email)s OR customer_id = %(customer)s)
), used AS (
    UPDATE vouchers_voucher SET used = used + 1 FROM counted
     WHERE id = %(voucher)s AND (max_uses_each IS NULL OR counted.uses < max_uses_each)
    RETURNING id
)
INSERT INTO vouchers_voucheruse (id, voucher_id, reference, customer_id, email, at)
SELECT %(id)s::uuid, id, %(reference)s::uuid, %(customer)s::uuid, %(email)s::text,
       %(now)s::timestamptz FROM used
"""


def redeem(
    voucher_id: uuid.UUID,
    *,
    reference: uuid.UUID,
    customer_id: uuid.UUID | None,
    email: str,
    goods: Money,
) -> Voucher:
    """Use a voucher for an order of ``goods``, in the caller's transaction, whose end lets others
    at it. However many do so at once, no limit is passed.

    Raises VoucherRefused.
    """
    try:
        voucher = lock_row(Voucher, voucher_id)
    except Voucher.DoesNotExist:
        raise VoucherRefused("There is no such code.") from None
    now = clock.now()
    if why := rules.refusal(voucher, goods, now):
        raise VoucherRefused(why)
    with connection.cursor() as cursor:
        cursor.execute(
            _USE,
            {
                "id": new_id(),
                "voucher": voucher.pk,
                "reference": reference,
                "customer": customer_id,
                "email": email,
                "now": now,
            },
        )
        if not cursor.rowcount:
            raise VoucherRefused("You have used this code as often as one may.")
    return voucher


def give_back(reference: uuid.UUID) -> bool:
    """The order ``reference`` is not paid: its use of a voucher no longer counts. The second time
    nothing happens."""
    use = VoucherUse.objects.filter(reference=reference).first()
    if use is None:
        return False
    with transaction.atomic():
        lock_row(Voucher, use.voucher_id)
        if not VoucherUse.objects.filter(pk=use.pk).delete()[0]:
            return False
        Voucher.objects.filter(pk=use.voucher_id).update(used=F("used") - 1)
    return True


def lock_used(references: Iterable[uuid.UUID], *, besides: uuid.UUID | None) -> None:
    """Lock the vouchers that these orders have used, and one more, for a caller who gives back the
    ones and uses the other in the same transaction."""
    uses = VoucherUse.objects.filter(reference__in=list(references))
    keys = set(uses.values_list("voucher_id", flat=True)) | ({besides} if besides else set())
    lock_rows(Voucher, keys)


def make_voucher(*, actor_id: uuid.UUID, **fields: Any) -> Voucher:
    """Make a code; ``fields`` are the model's. Raises Invalid, VoucherTaken."""
    voucher = Voucher(created_at=clock.now(), **fields)
    voucher.code = rules.clean_code(voucher.code)
    rules.check(voucher)
    try:
        with transaction.atomic():
            voucher.save(force_insert=True)
            _record("make", voucher, actor_id)
    except IntegrityError as error:
        raise VoucherTaken from error
    return voucher


def make_codes(
    *, actor_id: uuid.UUID, count: int, prefix: str = "", **fields: Any
) -> list[Voucher]:
    """Make many codes of the same worth at once, each ``prefix`` and eight random characters.

    Raises Invalid.
    """
    if not 1 <= count <= MAX_CODES:
        raise Invalid.field("count", f"1 to {MAX_CODES} codes at once.")
    prefix = rules.clean_code(prefix)
    if len(prefix) > 20:
        raise Invalid.field("prefix", "At most 20 characters.")
    start, now = f"{prefix}-" if prefix else "", clock.now()
    codes: set[str] = set()
    while len(codes) < count:
        codes.add(f"{start}{human_code()}")
    made = [Voucher(code=code, created_at=now, **fields) for code in sorted(codes)]
    rules.check(made[0])
    with transaction.atomic():
        made = Voucher.objects.bulk_create(made)
        record(
            "voucher.make_many",
            actor_id=actor_id,
            subject_type="voucher",
            subject_id=made[0].pk,
            count=count,
            prefix=prefix,
            note=made[0].note,
        )
    return made


def change_voucher(*, voucher_id: uuid.UUID, actor_id: uuid.UUID, **changes: Any) -> Voucher:
    """Change a voucher; what is not named stays, and so do orders that have used it. Raises
    VoucherMissing, Invalid, VoucherTaken."""
    try:
        with transaction.atomic():
            voucher = lock_one(Voucher.objects.filter(pk=voucher_id), missing=VoucherMissing)
            for name, value in changes.items():
                setattr(voucher, name, value)
            voucher.code = rules.clean_code(voucher.code)
            rules.check(voucher)
            voucher.save()
            _record("change", voucher, actor_id)
    except IntegrityError as error:
        raise VoucherTaken from error
    return voucher


def remove_voucher(*, voucher_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """Forget a voucher that nobody has used. Raises VoucherMissing, VoucherInUse."""
    with transaction.atomic():
        voucher = lock_one(Voucher.objects.filter(pk=voucher_id), missing=VoucherMissing)
        if VoucherUse.objects.filter(voucher=voucher).exists():
            raise VoucherInUse
        _record("remove", voucher, actor_id)
        voucher.delete()


def _record(verb: str, voucher: Voucher, actor_id: uuid.UUID) -> None:
    record(
        f"voucher.{verb}",
        actor_id=actor_id,
        subject_type="voucher",
        subject_id=voucher.pk,
        code=voucher.code,
        kind=voucher.kind,
        isActive=voucher.is_active,
    )
