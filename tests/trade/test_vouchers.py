"""What codes take off, and that no limit is passed however many use one at once."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from house.parallel import together
from house.people import make_user
from markethall.foundation.audit.models import AuditEntry
from markethall.kernel.errors import Invalid
from markethall.kernel.money import Money
from markethall.trade.vouchers import actions, rules
from markethall.trade.vouchers.errors import (
    VoucherInUse,
    VoucherMissing,
    VoucherRefused,
    VoucherTaken,
)
from markethall.trade.vouchers.models import Voucher, VoucherUse
from markethall.trade.vouchers.queries import uses_by, voucher_by_code

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GOODS = Money(10_000, "USD")
totals = st.lists(st.integers(0, 10**9), max_size=10)


def voucher(**fields: Any) -> Voucher:
    fields = {"code": "WELCOME", "storefront": "elysium", "kind": "free_shipping", **fields}
    return Voucher(created_at=NOW, **fields)


def kept(**fields: Any) -> Voucher:
    made = voucher(**{"code": f"C-{uuid.uuid4().hex[:12].upper()}", **fields})
    made.save()
    return made


def use(code: Voucher, customer_id: uuid.UUID | None = None, email: str = "") -> uuid.UUID:
    reference = uuid.uuid4()
    with transaction.atomic():
        actions.redeem(
            code.pk, reference=reference, customer_id=customer_id, email=email, goods=GOODS
        )
    return reference


@given(totals, st.integers(1, 10_000))
def test_a_percentage_is_split_over_the_lines_and_adds_up(lines: list[int], rate: int) -> None:
    off = rules.discounts(voucher(kind="percentage", basis_points=rate), lines)
    assert len(off) == len(lines)
    assert all(0 <= part <= line for part, line in zip(off, lines, strict=True))
    assert 2 * abs(sum(off) * 10_000 - sum(lines) * rate) <= 10_000


@given(totals, st.integers(1, 10**10))
def test_an_amount_takes_no_more_than_there_is(lines: list[int], amount: int) -> None:
    off = rules.discounts(voucher(kind="amount", amount=amount, currency="USD"), lines)
    assert sum(off) == min(amount, sum(lines))
    assert all(0 <= part <= line for part, line in zip(off, lines, strict=True))


def test_free_shipping_takes_nothing_off_the_goods() -> None:
    assert rules.discounts(voucher(), [500, 700]) == [0, 0]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"is_active": False}, "There is no such code."),
        ({"starts_at": NOW}, ""),
        ({"starts_at": NOW + timedelta(seconds=1)}, "This code cannot be used yet."),
        ({"ends_at": NOW + timedelta(seconds=1)}, ""),
        ({"ends_at": NOW}, "This code has expired."),
        ({"max_uses": 2, "used": 1}, ""),
        ({"max_uses": 2, "used": 2}, "This code has been used up."),
        ({"currency": "EUR"}, "This code is for orders in EUR."),
        ({"currency": "USD", "minimum": 10_000}, ""),
        ({"currency": "USD", "minimum": 10_001}, "This code needs goods for $100.01 or more."),
    ],
)
def test_when_a_code_can_be_used(fields: dict[str, Any], why: str) -> None:
    assert rules.refusal(voucher(**fields), GOODS, NOW) == why


def test_a_code_that_there_is_not_reads_like_one_that_is_off() -> None:
    assert rules.refusal(None, GOODS, NOW) == "There is no such code."


def test_a_code_is_read_as_people_type_it() -> None:
    assert rules.clean_code(" wel come\t10 ") == "WELCOME10"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"code": "A"}, "code"),
        ({"code": "WITH SPACE"}, "code"),
        ({"kind": "percentage"}, "basisPoints"),
        ({"kind": "percentage", "basis_points": 10_001}, "basisPoints"),
        ({"kind": "amount", "currency": "USD"}, "amount"),
        ({"kind": "amount", "amount": 5}, "currency"),
        ({"minimum": 5}, "currency"),
        ({"minimum": -5, "currency": "USD"}, "minimum"),
        ({"starts_at": NOW, "ends_at": NOW}, "endsAt"),
        ({"max_uses": 0}, "maxUses"),
        ({"max_uses_each": 0}, "maxUsesEach"),
        ({"max_uses": 1, "used": 2}, "maxUses"),
    ],
)
def test_a_voucher_that_makes_no_sense_is_refused(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check(voucher(**fields))
    assert [error.path for error in refused.value.errors] == [path]


@pytest.mark.django_db
def test_a_use_is_given_back_once() -> None:
    code = kept(max_uses=1)
    reference = use(code, email="ada@example.com")
    with pytest.raises(VoucherRefused, match="used up"):
        use(code, email="bob@example.com")
    assert actions.give_back(reference)
    assert not actions.give_back(reference)
    code.refresh_from_db()
    assert code.used == 0
    use(code, email="bob@example.com")


@pytest.mark.django_db
def test_somebody_is_known_by_account_and_by_address() -> None:
    code, ada = kept(max_uses_each=1), uuid.uuid4()
    use(code, ada, "ada@example.com")
    for customer_id, email in ((ada, "other@example.com"), (None, "ada@example.com")):
        with pytest.raises(VoucherRefused, match="as often as one may"):
            use(code, customer_id, email)
    use(code, uuid.uuid4(), "bob@example.com")
    assert uses_by(code, customer_id=ada, email="") == 1
    assert uses_by(code, customer_id=None, email="bob@example.com") == 1
    assert uses_by(code, customer_id=None, email="") == 0


@pytest.mark.django_db
def test_a_code_that_went_away_meanwhile_is_refused() -> None:
    code = kept()
    Voucher.objects.all().delete()
    with pytest.raises(VoucherRefused):
        use(code)


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_pass_no_limit_in_all() -> None:
    code = kept(max_uses=3)
    results = together([lambda: use(code, uuid.uuid4(), "") for _ in range(12)])
    assert sum(isinstance(result, uuid.UUID) for result in results) == 3
    assert sum(isinstance(result, VoucherRefused) for result in results) == 9
    code.refresh_from_db()
    assert code.used == VoucherUse.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_parallel_uses_by_one_person_pass_no_limit_of_theirs() -> None:
    code, ada = kept(max_uses_each=2), uuid.uuid4()
    results = together([lambda: use(code, ada, "ada@example.com") for _ in range(10)])
    assert sum(isinstance(result, uuid.UUID) for result in results) == 2
    assert sum(isinstance(result, VoucherRefused) for result in results) == 8


@pytest.mark.django_db
def test_staff_make_change_and_remove_codes_on_record() -> None:
    actor = make_user(role="admin").pk
    made = actions.make_voucher(
        actor_id=actor,
        code=" spring 10",
        storefront="elysium",
        kind="percentage",
        basis_points=1000,
    )
    assert made.code == "SPRING10"
    with pytest.raises(VoucherTaken):
        actions.make_voucher(
            actor_id=actor, code="SPRING10", storefront="elysium", kind="free_shipping"
        )
    actions.change_voucher(voucher_id=made.pk, actor_id=actor, is_active=False)
    found = voucher_by_code("elysium", "SPRING10")
    assert found is not None and not found.is_active
    assert voucher_by_code("market", "SPRING10") is None
    used = kept()
    use(used)
    with pytest.raises(VoucherInUse):
        actions.remove_voucher(voucher_id=used.pk, actor_id=actor)
    actions.remove_voucher(voucher_id=made.pk, actor_id=actor)
    with pytest.raises(VoucherMissing):
        actions.remove_voucher(voucher_id=made.pk, actor_id=actor)
    acts = AuditEntry.objects.filter(subject_id=str(made.pk)).order_by("pk")
    assert [act.action for act in acts] == ["voucher.make", "voucher.change", "voucher.remove"]


@pytest.mark.django_db
def test_many_codes_are_made_at_once() -> None:
    actor = make_user(role="admin").pk
    made = actions.make_codes(
        actor_id=actor, count=50, prefix="gift", storefront="elysium", kind="free_shipping"
    )
    assert len({code.code for code in made}) == 50
    assert all(code.code.startswith("GIFT-") and len(code.code) == 14 for code in made)
    assert Voucher.objects.count() == 50
    with pytest.raises(Invalid):
        actions.make_codes(actor_id=actor, count=0, storefront="elysium", kind="free_shipping")
