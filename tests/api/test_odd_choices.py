"""What somebody may send as a choice or an engraving, and what becomes of it: nothing, or a plain
word on an order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from house.cart import Visitor, cart_of, check_out, make_ring, put_in
from house.people import client_for, make_user
from markethall.trade.cart.models import CartLine
from markethall.trade.catalog.models import Option, Product
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]

DEEP = 3_000
ODD: dict[str, Any] = {
    "a list": ["gold"],
    "a number": {"metal": 1},
    "nothing": {"metal": None},
    "a nested one": {"metal": {"gold": "gold"}},
    "a list within": {"metal": ["gold"]},
    "a truth": {"metal": True},
    "an unknown option": {"metal": "gold", "stone": "ruby"},
    "an unknown value": {"metal": "mithril"},
    "another case": {"metal": "GOLD"},
    "the key of a prototype": {"metal": "gold", "__proto__": "x"},
    "a long word": {"metal": "gold", "engraving": "A" * 13},
    "a very long word": {"metal": "gold", "engraving": "A" * 100_000},
    "a long name": {"metal": "gold", "A" * 50_000: "x"},
    "many options": {f"option-{number}": "x" for number in range(5_000)},
    "marks that turn the writing": {"metal": "gold", "engraving": "A\u202eB"},
    "marks that isolate it": {"metal": "gold", "engraving": "\u2066AB\u2069"},
    "a mark at the end": {"metal": "gold", "engraving": "AB\u200f"},
    "a byte order mark": {"metal": "gold", "engraving": "\ufeffAB"},
    "a NUL": {"metal": "gold", "engraving": "A\x00B"},
    "half a character": {"metal": "gold", "engraving": "\ud83d"},
    "half a character as a name": {"metal": "gold", "\udfff": "x"},
    "tags": {"metal": "gold", "engraving": "<b>A</b>"},
    "accents without end": {"metal": "gold", "engraving": "A" + "\u0301" * 150},
}


@pytest.fixture
def ring(till: None) -> Product:
    return make_ring()


@pytest.mark.parametrize("allowed", ["A-Za-z ", ""])
def test_an_odd_choice_is_a_fault_of_the_caller(ring: Product, allowed: str) -> None:
    Option.objects.filter(code="engraving").update(allowed=allowed)
    guest, told = Visitor(), {}
    harmless = set() if allowed else {"tags"}
    for name, configuration in ODD.items():
        body = {"productId": str(ring.pk), "configuration": configuration}
        told[name] = guest.post("/api/cart", body).status_code
    assert {name for name, status in told.items() if status == 201} == harmless
    assert set(told.values()) <= {201, 422}
    assert CartLine.objects.count() == len(harmless)


@pytest.mark.parametrize(
    "body",
    [
        '{"productId": "x", "configuration": ' + "[" * DEEP + "]" * DEEP + "}",
        '{"a":' * DEEP + "1" + "}" * DEEP,
        '{"configuration": {"metal": "gold", "metal": "silver"}, "product": ["aurore"]}',
        '{"product": "aurore", "quantity": 1e400}',
        '{"product": "aurore", "quantity": NaN}',
        '{"product": "aurore", "quantity": ' + "9" * 5_000 + "}",
        '{"product": "aurore\\u0000"}',
        '"aurore"',
        "[]",
        "\ufeff{}",
    ],
)
def test_an_odd_body_too(ring: Product, body: str) -> None:
    answer = Visitor().post("/api/cart", body)
    assert 400 <= answer.status_code < 500, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_on_the_page_too(ring: Product, client: Client) -> None:
    for name, configuration in ODD.items():
        if not isinstance(configuration, dict):
            continue
        sent = {
            f"option.{code}": value if isinstance(value, str) else json.dumps(value)
            for code, value in configuration.items()
        }
        if name.startswith("half"):
            sent = {"option.metal": "gold", "option.engraving": "%ED%A0%BD"}
        answer = client.post("/elysium/bag/lines", {"product": "aurore", **sent})
        assert 300 <= answer.status_code < 500, name
        page = client.get("/elysium/pieces/aurore", sent if len(sent) < 9 else {})
        assert page.status_code in {200, 302, 404, 400}, name
    assert not CartLine.objects.exists()


def test_what_is_typed_is_shown_as_text_wherever_it_goes(ring: Product) -> None:
    Option.objects.filter(code="engraving").update(allowed="", max_length=40)
    ada = make_user()
    client = client_for(ada)
    put_in(client, ring, engraving="  <img src=x>  {{ 7*7 }}\t%s ")
    (line,) = cart_of(client)["lines"]
    assert line["configuration"]["engraving"] == "<img src=x> {{ 7*7 }} %s"
    order = Order.objects.get(pk=check_out(client)["orderId"])
    from house.people import page_client

    shown = page_client(ada).get(f"/orders/{order.pk}").content.decode()
    assert "&lt;img src=x&gt; {{ 7*7 }} %s" in shown
    assert "<img src=x>" not in shown


def test_the_same_word_written_otherwise_is_the_same_line(ring: Product) -> None:
    Option.objects.filter(code="engraving").update(allowed="")
    client = client_for(make_user())
    put_in(client, ring, engraving="Zo\u00eb")
    put_in(client, ring, engraving=" Zoe\u0308 ")
    assert [line["quantity"] for line in cart_of(client)["lines"]] == [2]
