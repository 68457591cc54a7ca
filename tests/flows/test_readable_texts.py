"""What customers write is kept without what turns the writing around it, wherever it comes in."""

from __future__ import annotations

from typing import Any

import pytest

from house.after import bought
from house.cart import HOME, Visitor, check_out, make_ring, put_in
from house.people import ApiClient, client_for, make_user
from house.shelf import line_of, on_shelf
from markethall.flows.order_cancel import call_off
from markethall.flows.reviews import review_product
from markethall.foundation.accounts.models import Address
from markethall.trade.leads.models import Lead, LeadMessage
from markethall.trade.orders.models import Order

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
_TURN = "\u202e\u2066"
_UNSEEN = "\u200b\u202e"


def wish(**more: Any) -> Any:
    body = {"name": "Ada", "email": "ada@example.com", "notes": "A ring.", **more}
    return ApiClient().post("/api/bespoke", body)


def test_an_order() -> None:
    guest = Visitor()
    put_in(guest, make_ring())
    home = {**HOME, "name": f"Ada{_TURN} Lovelace", "line1": f"{_TURN}Unter den Linden 1"}
    started = check_out(
        guest, email="ada@example.com", shippingAddress=home, note=f"Ring{_TURN}\r\ntwice."
    )
    order = Order.objects.get(pk=started["orderId"])
    assert order.customer_note == "Ring\ntwice."
    assert order.shipping_address
    assert order.shipping_address["name"] == "Ada Lovelace"
    assert order.shipping_address["line1"] == "Unter den Linden 1"
    call_off(order_id=order.pk, actor_id=None, note=f"{_TURN}No more.")
    assert order.moves.order_by("pk").last().note == "No more."


def test_an_address_of_nothing_that_can_be_read_is_none() -> None:
    guest = Visitor()
    put_in(guest, make_ring())
    home = {**HOME, "name": _UNSEEN}
    answer = check_out(guest, status=422, email="ada@example.com", shippingAddress=home)
    assert [each["path"] for each in answer["errors"]] == ["shippingAddress.name"]


def test_an_account() -> None:
    user = make_user()
    client = client_for(user)
    assert client.patch("/api/user/profile", {"name": f"Ada{_TURN} L."}).status_code == 200
    user.refresh_from_db()
    assert user.name == "Ada L."
    home = {**HOME, "kind": "shipping", "name": f"A{_TURN}da"}
    kept = client.post("/api/user/addresses", home).json()
    assert Address.objects.get().name == "Ada"
    path = f"/api/user/addresses/{kept['id']}"
    assert client.put(path, {**home, "city": f"{_TURN}Bern"}).json()["city"] == "Bern"
    answer = client.put(path, {**home, "city": _UNSEEN})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "city")


def test_a_wish_and_what_is_written_about_it() -> None:
    assert wish(name=f"{_TURN}Ada", notes=f"A{_TURN}\nring.").status_code == 201
    lead = Lead.objects.get()
    assert (lead.name, lead.notes) == ("Ada", "A\nring.")
    staff = client_for(make_user(role="admin"))
    staff.post(f"/api/bespoke/{lead.pk}/messages", {"body": f"{_TURN}Gladly."})
    assert LeadMessage.objects.get().body == "Gladly."
    answer = wish(notes=_UNSEEN)
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "notes")


def test_a_review() -> None:
    user, variant = make_user(name=f"{_TURN}Ada Lovelace"), on_shelf()
    product = variant.product
    bought(user, line_of(variant))
    review = review_product(
        product=product, user=user, rating=5, title=f"Fine{_TURN}", text=f"{_TURN}So\nfine."
    )
    assert (review.name, review.title, review.text) == ("Ada", "Fine", "So\nfine.")
