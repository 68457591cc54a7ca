"""Which methods there are, what they cost, and what an address must have."""

from __future__ import annotations

import uuid
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from house.people import make_user
from markethall.kernel.countries import countries, postal_code_fault
from markethall.kernel.errors import Invalid
from markethall.kernel.money import Money
from markethall.trade.shipping import actions, addresses, rules
from markethall.trade.shipping.errors import (
    AddressInvalid,
    ShippingMethodMissing,
    ShippingMethodTaken,
)
from markethall.trade.shipping.models import ShippingMethod
from markethall.trade.shipping.queries import methods_priced_in
from markethall.trade.shipping.rules import Method, Step

HOME = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "sw1y 4jh",
    "country": "gb",
}


def method(kind: str = "flat", countries: tuple[str, ...] = (), *steps: Step) -> Method:
    return Method("a", "A", "", kind, countries, 1, 3, "standard", steps)


def codes(*methods: Method, country: str = "DE", grams: int = 100, goods: int = 0) -> list[int]:
    found = rules.options(methods, country=country, weight_grams=grams, goods=Money(goods, "EUR"))
    return [option.price.amount for option in found]


def test_a_flat_price_holds_for_any_weight() -> None:
    assert codes(method("flat", (), Step(500)), grams=10**6) == [500]


def test_from_so_much_on_it_is_free() -> None:
    parcel = method("flat", (), Step(500, free_from=10_000))
    assert codes(parcel, goods=9_999) == [500]
    assert codes(parcel, goods=10_000) == [0]


def test_a_method_goes_where_it_goes() -> None:
    parcel = method("flat", ("AT", "DE"), Step(500))
    assert codes(parcel, country="DE") == [500]
    assert codes(parcel, country="US") == []
    assert codes(parcel, country="") == [500]


def test_what_is_too_heavy_is_not_carried() -> None:
    parcel = method("weight", (), Step(900, up_to_grams=500), Step(400, up_to_grams=100))
    assert codes(parcel, grams=100) == [400]
    assert codes(parcel, grams=101) == [900]
    assert codes(parcel, grams=501) == []


def test_without_a_price_in_the_currency_there_is_no_method() -> None:
    assert codes(method()) == []


@given(st.lists(st.integers(1, 5000), min_size=1, unique=True), st.booleans(), st.integers(0, 6000))
def test_the_lightest_step_that_fits_is_the_price(
    limits: list[int], is_open: bool, grams: int
) -> None:
    # Each step costs what it carries, so the price tells which one it was.
    steps = [Step(limit, up_to_grams=limit) for limit in limits]
    steps += [Step(99_999)] if is_open else []
    fits = [limit for limit in limits if grams <= limit] or ([99_999] if is_open else [])
    expected = [min(fits)] if fits else []
    assert codes(method("weight", (), *steps), grams=grams) == expected


@pytest.mark.django_db
def test_the_first_methods_come_with_the_hall() -> None:
    if not ShippingMethod.objects.exists():
        import_module("markethall.trade.shipping.migrations.0002_methods").add_methods(apps, None)
    found = methods_priced_in("elysium", "USD")
    assert [each.code for each in found] == ["insured", "express"]
    assert [step.up_to_grams for step in found[1].steps] == [500, 2000, None]
    assert methods_priced_in("elysium", "CHF") == []
    assert methods_priced_in("market", "USD") == []


def keep(method_id: uuid.UUID | None = None, **fields: Any) -> ShippingMethod:
    prices = fields.pop("prices", [actions.Price("USD", 500)])
    fields = {"storefront": "market", "code": "post", "name": "Post", **fields}
    return actions.keep_method(
        actor_id=make_user(role="admin").pk, prices=prices, method_id=method_id, **fields
    )


@pytest.mark.django_db
def test_staff_keep_methods_with_all_their_prices() -> None:
    made = keep(countries=["DE", "AT", "DE"])
    assert made.countries == ["AT", "DE"]
    with pytest.raises(ShippingMethodTaken):
        keep()
    keep(made.pk, kind="weight", prices=[actions.Price("EUR", 5, 10), actions.Price("EUR", 9)])
    assert methods_priced_in("market", "USD") == []
    assert methods_priced_in("market", "EUR")[0].steps == [Step(5, 10), Step(9)]
    actions.remove_method(method_id=made.pk, actor_id=make_user(role="admin").pk)
    with pytest.raises(ShippingMethodMissing):
        keep(made.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"countries": ["XX"]}, "countries"),
        ({"days_min": 5, "days_max": 4}, "daysMax"),
        ({"prices": [actions.Price("XXQ", 1)]}, "prices.0.currency"),
        ({"prices": [actions.Price("USD", -1)]}, "prices.0.amount"),
        ({"prices": [actions.Price("USD", 1, free_from=-1)]}, "prices.0.freeFrom"),
        ({"prices": [actions.Price("USD", 1, 100)]}, "prices.0.upToGrams"),
        ({"prices": [actions.Price("USD", 1), actions.Price("USD", 2)]}, "prices.1"),
        ({"kind": "weight", "prices": [actions.Price("USD", 1, 0)]}, "prices.0.upToGrams"),
    ],
)
def test_a_method_that_makes_no_sense_is_refused(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as refused:
        keep(**fields)
    assert [error.path for error in refused.value.errors] == [path]


def test_an_address_is_tidied() -> None:
    given = addresses.checked({**HOME, "city": "  London\n ", "extra": "x"}, "shippingAddress")
    assert given["city"] == "London"
    assert (given["postal_code"], given["country"]) == ("SW1Y 4JH", "GB")
    assert list(given) == list(addresses.LENGTHS)


@pytest.mark.parametrize(
    ("changes", "path", "told"),
    [
        ({"name": " "}, "name", "Say whose address this is."),
        ({"line1": ""}, "line1", "Give the street and number."),
        ({"city": None}, "city", "Give the town or city."),
        ({"country": ""}, "country", "Choose a country."),
        ({"country": "XX"}, "country", "There is no country of this code."),
        ({"postal_code": "1234"}, "postalCode",
         "United Kingdom: a postal code looks like SW1A 1AA."),
        ({"country": "DE", "postal_code": ""}, "postalCode",
         "Give the postal code, like 10115."),
        ({"country": "US", "postal_code": "10001"}, "region", "Give the state."),
        ({"name": "A" * 151}, "name", "At most 150 characters."),
        ({"phone": "call me"}, "phone", "A phone number has digits and + ( ) - . / only."),
    ],
)  # fmt: skip
def test_an_address_says_what_it_lacks(changes: dict[str, Any], path: str, told: str) -> None:
    with pytest.raises(AddressInvalid) as refused:
        addresses.checked({**HOME, **changes}, "shippingAddress")
    assert [(error.path, error.message) for error in refused.value.errors] == [
        (f"shippingAddress.{path}", told)
    ]


def test_every_example_of_a_postal_code_has_its_shape() -> None:
    from markethall.kernel.countries import _POSTAL

    assert _POSTAL.keys() <= countries().keys()
    for country, (_, example) in _POSTAL.items():
        assert postal_code_fault(country, example) == "", country
        assert postal_code_fault(country, "?") != "", country
    assert postal_code_fault("AO", "") == ""
