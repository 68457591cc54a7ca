from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from markethall.kernel.money import Money, minor_digits, proportion, share, split

amounts = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2)])
def test_minor_units_follow_iso_4217(currency: str, digits: int) -> None:
    assert minor_digits(currency) == digits


def test_what_is_no_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="no ISO 4217"):
        Money(1, "CREDIT")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(499, "USD"), "$4.99"),
        (Money(499, "JPY"), "¥499"),
        (Money(-499, "USD"), "-$4.99"),
        (Money(1_234_500, "EUR"), "€12,345.00"),
    ],
)
def test_money_reads_as_people_write_it(money: Money, text: str) -> None:
    assert str(money) == text


def test_amounts_are_whole_minor_units() -> None:
    with pytest.raises(TypeError):
        Money(4.99, "USD")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(True, "USD")


def test_currencies_do_not_mix() -> None:
    for operation in ("__add__", "__sub__", "__lt__", "__le__"):
        with pytest.raises(ValueError, match="do not add up"):
            getattr(Money(1, "USD"), operation)(Money(1, "EUR"))


def test_arithmetic() -> None:
    two, three = Money(2, "USD"), Money(3, "USD")
    assert (two + three, three - two, -two, two * 3) == (
        Money(5, "USD"),
        Money(1, "USD"),
        Money(-2, "USD"),
        Money(6, "USD"),
    )
    assert two < three
    assert two <= Money(2, "USD")
    assert not three <= two


@pytest.mark.parametrize(
    ("amount", "basis_points", "expected"),
    [(100, 2000, 20), (5, 1000, 1), (4, 1000, 0), (-5, 1000, -1), (999, 10_000, 999), (1, 0, 0)],
)
def test_shares_round_halves_away_from_zero(amount: int, basis_points: int, expected: int) -> None:
    assert share(amount, basis_points) == expected


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_a_split_adds_up_and_each_part_is_within_one_of_its_share(
    amount: int, weights: list[int]
) -> None:
    parts = split(amount, weights)
    total = sum(weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - amount * weight) < total
        assert weight or not part


def test_of_equal_remainders_the_earlier_part_gets_the_unit() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(-100, [1, 1, 1]) == [-34, -33, -33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [3, -1]])
def test_a_split_needs_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="Weights"):
        split(1, weights)


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_proportion_is_never_more_than_its_share(amount: int, part: int, whole: int) -> None:
    part = min(part, whole)
    taken = proportion(amount, part, whole)
    assert taken * whole <= amount * part < (taken + 1) * whole


@pytest.mark.parametrize(("part", "whole"), [(-1, 5), (6, 5), (0, 0)])
def test_a_part_lies_within_the_whole(part: int, whole: int) -> None:
    with pytest.raises(ValueError, match="part"):
        proportion(10, part, whole)
