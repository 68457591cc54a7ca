"""What may be chosen of a product, and what it costs."""

from __future__ import annotations

import pytest

from markethall.kernel.money import Money
from markethall.trade.catalog import rules
from markethall.trade.catalog.errors import ConfigurationInvalid, NotSoldInCurrency
from markethall.trade.catalog.models import (
    Option,
    OptionKind,
    OptionValue,
    PriceEffect,
    Product,
    ProductPrice,
)
from markethall.trade.catalog.specs import specs_of


@pytest.fixture
def ring(db: None) -> Product:
    product = Product.objects.create(storefront="elysium", slug="aurore", name="Aurore")
    ProductPrice.objects.create(product=product, currency="USD", amount=100_000)
    ProductPrice.objects.create(product=product, currency="JPY", amount=150_000)
    metal = Option.objects.create(product=product, code="metal", name="Metal", is_stocked=True)
    gold = OptionValue.objects.create(option=metal, code="gold", name="Yellow gold")
    silver = OptionValue.objects.create(option=metal, code="silver", name="Silver", position=1)
    PriceEffect.objects.create(value=gold, currency="USD", amount=50_000)
    PriceEffect.objects.create(value=silver, currency="USD", amount=-20_000)
    text = Option.objects.create(
        product=product,
        code="engraving",
        name="Engraving",
        kind=OptionKind.TEXT,
        is_required=False,
        max_length=12,
        allowed="A-Za-z ♥&",
        position=2,
    )
    word = OptionValue.objects.create(option=text, code="text", name="Engraving")
    PriceEffect.objects.create(value=word, currency="USD", amount=4_000)
    return product


def configured(product: Product, currency: str = "USD", **wanted: str) -> rules.Configured:
    return rules.configure(specs_of([product.pk])[product.pk], wanted, currency)


def test_effects_add_up_on_the_price(ring: Product) -> None:
    found = configured(ring, metal="gold", engraving="  A & B ")

    assert found.price == Money(154_000, "USD")
    assert found.chosen == {"metal": "gold", "engraving": "A & B"}
    assert found.shown == [("Metal", "Yellow gold"), ("Engraving", "A & B")]
    assert found.variant_key == "metal=gold"


def test_an_outline_prices_the_least_of_what_is_missing(ring: Product) -> None:
    spec = specs_of([ring.pk])[ring.pk]
    found = rules.outline(spec, {"engraving": "Ada"}, "USD")
    assert (found.price, found.is_exact) == (Money(84_000, "USD"), False)
    assert [fault.path for fault in found.faults] == ["configuration.metal"]
    whole = rules.outline(spec, {"metal": "gold"}, "USD")
    assert (whole.price, whole.is_exact, whole.missing) == (Money(150_000, "USD"), True, [])
    assert rules.outline(spec, {}, "JPY").is_exact
    with pytest.raises(ConfigurationInvalid):
        rules.outline(spec, {"metal": "lead"}, "USD")


def test_a_value_may_take_something_off(ring: Product) -> None:
    assert configured(ring, metal="silver").price == Money(80_000, "USD")


def test_a_currency_without_effects_costs_its_base_price(ring: Product) -> None:
    assert configured(ring, "JPY", metal="gold").price == Money(150_000, "JPY")


def test_a_currency_without_a_price_is_not_sold(ring: Product) -> None:
    with pytest.raises(NotSoldInCurrency):
        configured(ring, "EUR", metal="gold")


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ({}, "configuration.metal"),
        ({"metal": "lead"}, "configuration.metal"),
        ({"metal": "gold", "engraving": "x" * 13}, "configuration.engraving"),
        ({"metal": "gold", "engraving": "A1"}, "configuration.engraving"),
        ({"metal": "gold", "price": "1"}, "configuration.price"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    ring: Product, wanted: dict[str, str], path: str
) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        configured(ring, **wanted)
    assert [error.path for error in refused.value.errors] == [path]


@pytest.mark.parametrize(
    "text", ["a\x00b", "\x1b[31m", "\u202eabc", "a\u200bb", "\ue000", "\uffff"]
)
def test_what_nobody_can_read_is_engraved_nowhere(ring: Product, text: str) -> None:
    """Also where any character may be used."""
    Option.objects.filter(code="engraving").update(allowed="")
    spec = specs_of([ring.pk])[ring.pk]
    with pytest.raises(ConfigurationInvalid) as refused:
        rules.configure(spec, {"metal": "gold", "engraving": text}, "USD")
    assert refused.value.errors[0].path == "configuration.engraving"
    for seen in ("مریم", "می\u200cخواهم", "💍 ♥", "Zoë"):
        made = rules.configure(spec, {"metal": "gold", "engraving": seen}, "USD")
        assert made.chosen["engraving"] == seen


def test_the_mark_does_not_depend_on_the_order_of_choosing(ring: Product) -> None:
    one = configured(ring, metal="gold", engraving="Eve")
    other = configured(ring, engraving="Eve", metal="gold")
    another = configured(ring, metal="gold", engraving="Eva")
    assert one.mark == other.mark != another.mark
