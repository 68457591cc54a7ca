"""The stated rule of taxes: rounded once a line, and adding up."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from house.people import make_user
from markethall.foundation.audit.models import AuditEntry
from markethall.kernel.errors import Invalid
from markethall.kernel.money import contained
from markethall.trade.taxes import actions, rules
from markethall.trade.taxes.errors import TaxRateMissing, TaxRateTaken
from markethall.trade.taxes.queries import rates_in
from markethall.trade.taxes.rules import NO_TAX, Rate

amounts = st.integers(0, 10**12)
points = st.integers(0, 10_000)
rates = st.builds(Rate, st.sampled_from(["VAT", "GST"]), points, st.booleans())


@given(amounts, points)
def test_a_price_that_contains_tax_falls_into_net_and_tax(amount: int, rate: int) -> None:
    taxed = rules.tax_of(amount, Rate("VAT", rate))
    assert taxed.net + taxed.tax == amount
    assert taxed.added == 0
    # The tax is right to half a minor unit: 2 × |tax × (100 % + rate) - amount × rate| ≤ whole.
    whole = 10_000 + rate
    assert 2 * abs(taxed.tax * whole - amount * rate) <= whole


@given(amounts, points)
def test_a_tax_on_top_leaves_the_price_as_it_was(amount: int, rate: int) -> None:
    taxed = rules.tax_of(amount, Rate("GST", rate, is_inclusive=False))
    assert (taxed.net, taxed.added) == (amount, taxed.tax)
    assert 2 * abs(taxed.tax * 10_000 - amount * rate) <= 10_000


@given(st.lists(st.tuples(amounts, rates), max_size=12))
def test_what_is_stated_by_rate_adds_up_to_the_lines(lines: list[tuple[int, Rate]]) -> None:
    taxed = [rules.tax_of(amount, rate) for amount, rate in lines]
    stated = rules.by_rate(taxed)
    assert sum(row["tax"] for row in stated) == rules.total_tax(taxed)
    on_top = sum(row["tax"] for row in stated if not row["isInclusive"])
    assert on_top == rules.total_added(taxed)
    paid = sum(each.amount for each in taxed) + rules.total_added(taxed)
    assert sum(row["net"] + row["tax"] for row in stated) == paid
    assert len({(row["name"], row["basisPoints"], row["isInclusive"]) for row in stated}) == len(
        stated
    )


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [
        (11_900, Rate("VAT", 1900), 1900),
        (100, Rate("VAT", 810), 7),
        (-11_900, Rate("VAT", 1900), -1900),
        # Exactly half a unit goes away from zero: 3 × 20 % ÷ 120 % = 0.5.
        (3, Rate("VAT", 2000), 1),
        (-3, Rate("VAT", 2000), -1),
        (5, Rate("GST", 1000, is_inclusive=False), 1),
        (1, Rate("GST", 1000, is_inclusive=False), 0),
        (999, NO_TAX, 0),
    ],
)
def test_a_tax_is_rounded_once_halves_away_from_zero(amount: int, rate: Rate, tax: int) -> None:
    assert rules.tax_of(amount, rate).tax == tax


def test_all_of_a_price_can_be_no_tax() -> None:
    assert contained(0, 10_000) == 0
    assert contained(10, 10_000) == 5


STATED = {
    ("DE", "standard"): Rate("VAT", 1900),
    ("DE", "reduced"): Rate("VAT", 700),
    ("FR", "standard"): Rate("VAT", 2000),
    ("", "standard"): Rate("Export", 0),
    ("", "reduced"): Rate("Export", 100),
}


@pytest.mark.parametrize(
    ("country", "category", "rate"),
    [
        ("DE", "reduced", Rate("VAT", 700)),
        # A country without a rate for a category has its standard one for it, not the others'.
        ("FR", "reduced", Rate("VAT", 2000)),
        ("FR", "zero", NO_TAX),
        ("BR", "standard", Rate("Export", 0)),
        ("BR", "reduced", Rate("Export", 100)),
        ("", "standard", Rate("Export", 0)),
    ],
)
def test_which_rate_holds(country: str, category: str, rate: Rate) -> None:
    assert rules.rate_for(STATED, country, category) == rate


def test_without_any_rate_there_is_no_tax() -> None:
    assert rules.rate_for({}, "DE", "standard") == NO_TAX


def test_a_zero_rate_is_stated_and_no_tax_is_not() -> None:
    zero = rules.tax_of(500, Rate("Sales tax", 0, is_inclusive=False))
    assert [row["name"] for row in rules.by_rate([zero, rules.tax_of(1, NO_TAX)])] == ["Sales tax"]


@pytest.mark.django_db
def test_the_stated_rates_come_with_the_hall() -> None:
    if not rates_in("DE"):
        import_module("markethall.trade.taxes.migrations.0002_stated_rates").state_rates(apps, None)
    assert rates_in("DE")[("DE", "standard")] == Rate("VAT", 1900)
    assert rates_in("FI")[("FI", "standard")].basis_points == 2550
    assert rates_in("CH")[("CH", "standard")].basis_points == 810
    assert rates_in("US")[("US", "standard")] == Rate("Sales tax", 0, is_inclusive=False)
    assert rates_in("BR") == {}


@pytest.mark.django_db
def test_a_rate_is_stated_changed_and_removed_on_record() -> None:
    actor = make_user(role="admin").pk
    terms = {"category": "reduced", "name": "VAT", "is_inclusive": True, "actor_id": actor}
    rate = actions.state_rate(country="DE", basis_points=700, **terms)
    actions.state_rate(country="DE", basis_points=800, rate_id=rate.pk, **terms)
    assert rates_in("DE")[("DE", "reduced")].basis_points == 800
    with pytest.raises(TaxRateTaken):
        actions.state_rate(country="DE", basis_points=900, **terms)
    actions.remove_rate(rate_id=rate.pk, actor_id=actor)
    assert ("DE", "reduced") not in rates_in("DE")
    with pytest.raises(TaxRateMissing):
        actions.remove_rate(rate_id=rate.pk, actor_id=actor)
    acts = AuditEntry.objects.filter(subject_id=str(rate.pk)).order_by("pk")
    assert [act.action for act in acts] == ["tax_rate.set", "tax_rate.set", "tax_rate.remove"]


@pytest.mark.django_db
@pytest.mark.parametrize(("country", "rate"), [("XX", 700), ("DE", 10_001), ("DE", -1)])
def test_a_rate_that_cannot_be_is_refused(country: str, rate: int) -> None:
    with pytest.raises(Invalid):
        actions.state_rate(
            country=country,
            category="reduced",
            name="VAT",
            basis_points=rate,
            is_inclusive=True,
            actor_id=make_user(role="admin").pk,
        )
