from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders import rules
from markethall.trade.orders.actions import move, place_order
from markethall.trade.orders.errors import EmptyOrder, MixedCurrencies, MoveNotAllowed
from markethall.trade.orders.models import OrderMove
from markethall.trade.orders.models import OrderStatus as S
from markethall.trade.orders.rules import PricedLine

statuses = st.sampled_from(list(S))
# What money or nothing has happened to; the rest have been paid.
UNPAID = {S.PENDING, S.PROCESSING, S.PAYMENT_FAILED, S.CANCELLED}


def line(amount: int, quantity: int, currency: str = "USD") -> PricedLine:
    return PricedLine(LineKind.CREDITS, "x", "X", quantity, Money(amount, currency))


def reachable(origin: S) -> set[S]:
    seen, waiting = {origin}, [origin]
    while waiting:
        for to in rules.MOVES[waiting.pop()] - seen:
            seen.add(to)
            waiting.append(to)
    return seen


@pytest.mark.parametrize("kind", list(LineKind))
def test_only_goods_are_sent_by_hand(kind: LineKind) -> None:
    sent = {S.SHIPPED, S.DELIVERED}
    assert rules.moves_by_hand([kind]) & sent == (sent if kind == LineKind.GOODS else set())
    assert rules.moves_by_hand([kind, LineKind.GOODS]) == rules.BY_HAND


def test_every_state_has_its_moves_and_can_be_reached() -> None:
    assert set(rules.MOVES) == set(S)
    assert reachable(S.PENDING) == set(S)


@given(statuses, statuses)
def test_nothing_moves_to_itself_and_no_end_is_left(origin: S, to: S) -> None:
    assert not rules.can_move(origin, origin)
    if origin in {S.CANCELLED, S.REFUNDED}:
        assert not rules.can_move(origin, to)


@given(statuses)
def test_what_is_paid_is_never_unpaid_again(status: S) -> None:
    if status not in UNPAID:
        assert not reachable(status) & UNPAID
        assert S.REFUNDED in reachable(status)
        assert status not in rules.PAYABLE


@given(statuses)
def test_only_what_waits_for_money_is_payable(status: S) -> None:
    assert (status in rules.PAYABLE) == rules.can_move(status, S.PAID)


def test_hands_move_nothing_that_follows_from_money() -> None:
    assert not rules.BY_HAND & {S.PAID, S.FULFILLED, S.REFUNDED, S.PAYMENT_FAILED}


@given(
    st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 100)), min_size=1, max_size=20),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_a_total_is_the_sum_of_its_lines(pairs: list[tuple[int, int]], currency: str) -> None:
    total = rules.total_of([line(amount, quantity, currency) for amount, quantity in pairs])
    assert total == Money(sum(amount * quantity for amount, quantity in pairs), currency)


def test_no_lines_and_two_currencies_are_refused() -> None:
    with pytest.raises(EmptyOrder):
        rules.total_of([])
    with pytest.raises(MixedCurrencies):
        rules.total_of([line(1, 1), line(1, 1, "EUR")])


@pytest.mark.django_db
@settings(max_examples=30)
@given(st.lists(statuses, max_size=12))
def test_any_walk_leaves_a_timeline_without_gaps(walk: list[S]) -> None:
    order, _ = place_order(
        customer_id=uuid.uuid4(), email="a@example.com", storefront="plushify", lines=[line(5, 2)]
    )
    for to in walk:
        before = order.status
        if rules.can_move(before, to):
            move(order, to)
        else:
            with pytest.raises(MoveNotAllowed):
                move(order, to)
            assert order.status == before
    steps = list(OrderMove.objects.filter(order=order).order_by("pk"))
    assert [step.from_status for step in steps] == ["", *(step.to_status for step in steps[:-1])]
    assert steps[-1].to_status == order.status


@pytest.mark.django_db
def test_a_taken_number_is_not_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from markethall.trade.orders import actions

    codes = iter(["AAAA-AAAA", "AAAA-AAAA", "BBBB-BBBB"])
    monkeypatch.setattr(actions, "human_code", lambda: next(codes))
    values = {"customer_id": uuid.uuid4(), "email": "a@example.com", "storefront": "plushify"}
    numbers = [place_order(lines=[line(1, 1)], **values)[0].number for _ in range(2)]
    assert numbers == ["MH-AAAA-AAAA", "MH-BBBB-BBBB"]
