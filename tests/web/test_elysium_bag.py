"""The bag and the checkout of ELYSIUM's pages."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from house.after import pay
from house.goods import make_product, plain
from house.people import PASSWORD, make_user, page_client
from house.shelf import stocked
from markethall.foundation.accounts.belongings import add_address
from markethall.foundation.accounts.models import Address
from markethall.kernel import clock
from markethall.trade.cart.models import CartLine
from markethall.trade.catalog.models import Product, ProductPrice
from markethall.trade.orders.access import order_link
from markethall.trade.orders.models import Order
from markethall.trade.vouchers.actions import make_voucher
from markethall.trade.vouchers.models import Voucher, VoucherKind
from markethall.trade.wishlist.actions import forget_wishes
from markethall.trade.wishlist.models import VisitorWish, WishlistItem

pytestmark = pytest.mark.django_db(transaction=True)
GOLD = {"product": "aurore", "option.metal": "gold", "option.size": "52"}
BAG = "/elysium/bag"
ADDRESS = {
    "shipping-country": "DE",
    "shipping-name": "Ada Byron",
    "shipping-line1": "Lindenweg 4",
    "shipping-postal_code": "10115",
    "shipping-city": "Berlin",
}


@pytest.fixture(autouse=True)
def ring() -> Product:
    ring = make_product()
    for variant in ring.variants.all():
        stocked(variant, 5)
    return ring


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, name
    return found[1]


def test_a_piece_comes_into_the_bag_and_leaves_it(client: Client) -> None:
    answer = client.post("/elysium/bag/lines", {**GOLD, "option.engraving": "Ada"})
    assert (answer.status_code, answer["Location"]) == (303, "/elysium/bag")
    shown = text_of(client.get("/elysium/bag"))
    assert "Metal: Yellow gold" in shown
    assert "Engraving: Ada" in shown
    assert "$1,550.00" in shown
    assert 'aria-label="Bag, 1 piece"' in shown
    line = CartLine.objects.get()
    client.post(f"/elysium/bag/lines/{line.pk}", {"quantity": "3"})
    assert "$4,650.00" in text_of(client.get("/elysium/bag"))
    client.post(f"/elysium/bag/lines/{line.pk}/remove")
    assert "Nothing in it yet" in text_of(client.get("/elysium/bag"))


def test_htmx_gets_the_panel_and_the_count(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "panel-body"}
    answer = client.post("/elysium/bag/lines", GOLD, headers=headers)
    assert "In your bag" in text_of(answer)
    assert "<html" not in text_of(answer)
    assert '"pieces": 1' in answer["HX-Trigger"]
    assert "openPanel" in answer["HX-Trigger-After-Swap"]


def test_a_choice_that_cannot_be_made_leads_back(client: Client) -> None:
    sent = {**GOLD, "option.engraving": "1234"}
    answer = client.post("/elysium/bag/lines", sent)
    assert answer.status_code == 303
    assert "cannot be used here" in text_of(client.get(answer["Location"]))
    assert not CartLine.objects.exists()


def test_nobody_sees_or_changes_the_bag_of_another(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    line, other = CartLine.objects.get(), Client()
    assert "Aurore" not in text_of(other.get("/elysium/bag"))
    other.post(f"/elysium/bag/lines/{line.pk}/remove")
    assert CartLine.objects.filter(pk=line.pk).exists()


def test_a_changed_price_is_told(client: Client, ring: Product) -> None:
    client.post("/elysium/bag/lines", GOLD)
    ProductPrice.objects.filter(product=ring, currency="USD").update(amount=110_000)
    shown = text_of(client.get("/elysium/bag"))
    assert "The price was $1,500; it is $1,600 now." in shown


def test_a_code_that_there_is_not_is_told(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post("/elysium/bag/voucher", {"code": "NOPE"}, headers=headers)
        assert "There is no such code" in text_of(answer)
        assert 'value="NOPE"' in text_of(answer)
    assert "NOPE" not in text_of(client.get("/elysium/bag"))


def test_a_guest_checks_out(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    form = text_of(client.get("/elysium/checkout"))
    sent = {**ADDRESS, "email": "ada@example.com", "same": "1", "method": "insured"}
    sent |= {"key": hidden(form, "key")}
    quoted = text_of(client.post("/elysium/checkout/quote", sent))
    sent |= {"seen_total": hidden(quoted, "seen_total")}
    answer = client.post("/elysium/checkout", sent)
    assert answer.status_code == 303, text_of(answer)
    assert answer["Location"].startswith("/sandbox/pay/")
    order = Order.objects.get()
    assert (order.email, order.total) == ("ada@example.com", int(sent["seen_total"]))
    # A second click goes on with the same order.
    assert client.post("/elysium/checkout", sent)["Location"] == answer["Location"]
    assert Order.objects.count() == 1


def test_whose_session_ended_signs_in_again_and_goes_on() -> None:
    ada = make_user()
    browser = page_client(ada)
    browser.post("/elysium/bag/lines", GOLD)
    form = text_of(browser.get("/elysium/checkout"))
    sent = {**ADDRESS, "same": "1", "method": "insured", "note": "For Mia"}
    sent |= {name: hidden(form, name) for name in ("key", "member")}
    sent |= {
        "seen_total": hidden(text_of(browser.post("/elysium/checkout/quote", sent)), "seen_total")
    }
    Session.objects.all().delete()
    quoted = browser.post("/elysium/checkout/quote", sent, headers={"HX-Request": "true"})
    assert quoted.headers["HX-Redirect"].startswith("/login?next=%2Felysium%2Fcheckout")
    answer = browser.post("/elysium/checkout", sent)
    assert answer["Location"].startswith("/login?next=%2Felysium%2Fcheckout")
    assert not Order.objects.exists()
    browser.post("/login?next=/elysium/checkout", {"email": ada.email, "password": PASSWORD})
    shown = text_of(browser.get("/elysium/checkout"))
    assert "Lindenweg 4" in shown
    assert "For Mia" in shown
    assert hidden(shown, "key") == sent["key"]
    paying = browser.post("/elysium/checkout", sent)["Location"]
    assert paying.startswith("/sandbox/pay/")
    assert browser.post("/elysium/checkout", sent)["Location"] == paying
    assert Order.objects.get().customer_id == ada.pk


def test_what_waited_is_shown_to_nobody_else(client: Client) -> None:
    sent = {**ADDRESS, "member": str(make_user().pk)}
    assert client.post("/elysium/checkout", sent)["Location"].startswith("/login")
    eve = make_user()
    client.post("/login", {"email": eve.email, "password": PASSWORD})
    client.post("/elysium/bag/lines", GOLD)
    assert "Lindenweg 4" not in text_of(client.get("/elysium/checkout"))


def test_what_is_missing_is_said_beside_its_field(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    sent = {**ADDRESS, "shipping-city": "", "email": "ada@example.com", "same": "1"}
    answer = client.post("/elysium/checkout", {**sent, "method": "insured"})
    assert answer.status_code == 422
    shown = text_of(answer)
    assert 'href="#id_shipping-city"' in shown
    assert 'id="id_shipping-city_error"' in shown
    assert "Lindenweg 4" in shown
    assert not Order.objects.exists()


def test_nobody_pays_a_total_they_did_not_see(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    sent = {**ADDRESS, "email": "a@example.com", "same": "1", "method": "insured"}
    answer = client.post("/elysium/checkout", {**sent, "seen_total": "1"})
    assert answer.status_code == 409
    assert "The total has changed" in text_of(answer)
    assert not Order.objects.exists()


def test_an_empty_bag_is_not_checked_out(client: Client) -> None:
    assert client.get("/elysium/checkout")["Location"] == "/elysium/bag"


def test_a_kept_address_is_filled_in() -> None:
    ada = make_user()
    add_address(
        user=ada,
        kind="shipping",
        name="Ada Byron",
        line1="1 Market Square",
        city="Dublin",
        postal_code="D02 X285",
        country="IE",
    )
    browser = page_client(ada)
    browser.post("/elysium/bag/lines", GOLD)
    assert 'value="1 Market Square"' in text_of(browser.get("/elysium/checkout"))
    assert 'value="1 Market Square"' not in text_of(browser.get("/elysium/checkout?saved=new"))


def test_the_address_book_is_kept_by_hand() -> None:
    ada = make_user()
    browser = page_client(ada)
    assert browser.post("/elysium/account/addresses/new", {"kind": "shipping"}).status_code == 422
    browser.post("/elysium/account/addresses/new", {**ADDRESS, "kind": "shipping"})
    kept = Address.objects.get(user=ada)
    assert (kept.city, kept.is_default) == ("Berlin", True)
    changed = {**ADDRESS, "shipping-city": "Potsdam", "kind": "shipping"}
    browser.post(f"/elysium/account/addresses/{kept.pk}", changed)
    assert "Potsdam" in text_of(browser.get("/elysium/account/addresses"))
    other = page_client(make_user())
    assert other.post(f"/elysium/account/addresses/{kept.pk}/forget").status_code == 404
    browser.post(f"/elysium/account/addresses/{kept.pk}/forget")
    assert not Address.objects.exists()


def test_profile_and_orders_are_for_their_owner(client: Client) -> None:
    for path in ("account", "account/orders", "account/addresses"):
        answer = client.get(f"/elysium/{path}")
        assert (answer.status_code, answer["Location"][:7]) == (302, "/login?"), path
    ada = make_user()
    browser = page_client(ada)
    browser.post("/elysium/account", {"name": "Ada B.", "marketing_emails": "on"})
    ada.refresh_from_db()
    assert ada.name == "Ada B."
    assert "Nothing ordered yet" in text_of(browser.get("/elysium/account/orders"))


def test_a_piece_is_kept_as_it_was_chosen(client: Client) -> None:
    keep = "/elysium/pieces/aurore/keep"
    assert client.post(keep, GOLD)["Location"].startswith("/login?next=%2Felysium%2Fpieces")
    browser = page_client(make_user(name="Ada Byron"))
    browser.post(keep, GOLD)
    shown = text_of(browser.get("/elysium/wishlist"))
    assert "Metal: Yellow gold" in shown
    chosen = "/elysium/pieces/aurore?option.metal=gold&option.size=52"
    assert 'aria-pressed="true"' in text_of(browser.get(chosen))
    browser.post("/elysium/wishlist/share", {"share": "yes"})
    link = re.search(r'href="[^"]*(/wishlist/[^"]+)"', text_of(browser.get("/elysium/wishlist")))
    assert link
    assert "Ada" in text_of(client.get(link[1]))
    assert "Byron" not in text_of(client.get(link[1]))
    browser.post("/elysium/wishlist/share", {"share": "no"})
    assert client.get(link[1]).status_code == 404
    answer = browser.post(keep, GOLD, headers={"HX-Request": "true"})
    assert '"isKept": false' in answer["HX-Trigger"]
    assert "Nothing wished for yet" in text_of(browser.get("/elysium/wishlist"))


def test_what_a_visitor_wished_for_is_on_their_list_once_they_sign_in(client: Client) -> None:
    ada, keep = make_user(), "/elysium/pieces/aurore/keep"
    to_login = client.post(keep, GOLD)["Location"]
    client.post(keep, GOLD)
    client.post("/elysium/pieces/aurore/keep", headers={"HX-Request": "true"})
    other = page_client(make_user())
    assert "Nothing wished for yet" in text_of(other.get("/elysium/wishlist"))

    answer = client.post(to_login, {"email": ada.email, "password": PASSWORD})
    landed = text_of(client.get(answer["Location"]))
    assert answer["Location"].startswith("/elysium/pieces/aurore?option.metal=gold")
    assert 'aria-pressed="true"' in landed
    shown = text_of(client.get("/elysium/wishlist"))
    assert shown.count('<li class="bag-line">') == 2
    assert not VisitorWish.objects.exists()


def test_a_visitors_wish_that_is_kept_already_joins_it(client: Client) -> None:
    ada, keep = make_user(), "/elysium/pieces/aurore/keep"
    page_client(ada).post(keep, GOLD)
    client.post(keep, GOLD)
    client.post("/login", {"email": ada.email, "password": PASSWORD})
    assert 'aria-pressed="true"' in text_of(
        client.get("/elysium/pieces/aurore?option.metal=gold&option.size=52")
    )
    assert WishlistItem.objects.filter(user=ada).count() == 1


def test_a_visitors_wishes_are_few_and_forgotten(client: Client) -> None:
    for number in range(22):
        sent = {**GOLD, "option.engraving": "A" * (number % 12) + "B" * (number // 12)}
        client.post("/elysium/pieces/aurore/keep", sent)
    assert VisitorWish.objects.count() == 20
    assert forget_wishes(before=clock.now() + timedelta(days=1)) == 20
    assert client.post("/elysium/pieces/none/keep").status_code == 404


def test_a_line_is_chosen_anew_where_it_was_chosen(client: Client) -> None:
    client.post("/elysium/bag/lines", GOLD)
    line = CartLine.objects.get()
    link = re.search(r'href="([^"]*)" aria-label="Change Aurore"', text_of(client.get(BAG)))
    assert link
    there = unescape(link[1])
    shown = text_of(client.get(there))
    assert "Update bag" in shown
    assert "Add to bag" not in shown
    assert "checked" in shown[shown.index('id="o-metal-gold"') :][:40]
    act = f"/elysium/bag/lines/{line.pk}/choice"
    assert f'action="{act}"' in shown
    assert hidden(shown, "line") == str(line.pk)
    assert "Update bag" not in text_of(Client().get(there))

    sent = {**GOLD, "line": str(line.pk), "option.engraving": "1"}
    led = client.post(act, sent)["Location"]
    assert "Update bag" in text_of(client.get(led))
    assert "cannot be used here" in text_of(client.get(led))
    assert client.post(act, {**sent, "option.engraving": "Ada"})["Location"] == BAG
    assert "Engraving: Ada" in text_of(client.get(BAG))

    client.post("/elysium/bag/lines", GOLD)
    answer = client.post(act, GOLD, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == BAG
    assert CartLine.objects.get().quantity == 2
    assert Client().post(act, GOLD).status_code == 404


def test_a_piece_is_wished_for_before_its_size_is_known(ring: Product) -> None:
    ring.options.filter(code="size").update(has_default=False)
    browser, keep = page_client(make_user()), "/elysium/pieces/aurore/keep"
    browser.post(keep, {"option.metal": "silver"})
    shown = text_of(browser.get("/elysium/wishlist"))
    assert "Metal: Silver" in shown
    assert "$800" in shown
    assert ">Choose</a>" in shown
    assert ">Add to bag<" not in shown
    here = "/elysium/pieces/aurore?option.metal=silver"
    assert 'aria-pressed="true"' in text_of(browser.get(here))
    assert 'aria-pressed="false"' in text_of(browser.get(f"{here}&option.size=52"))


def test_a_piece_without_options_shows_that_it_is_kept() -> None:
    plain("chain")
    browser = page_client(make_user())
    browser.post("/elysium/pieces/chain/keep")
    assert 'aria-pressed="true"' in text_of(browser.get("/elysium/pieces/chain"))


def test_what_was_looked_at_is_remembered(client: Client) -> None:
    make_product("other")
    client.post("/elysium/pieces/aurore/seen")
    assert "You looked at" in text_of(client.get("/elysium/pieces/other"))
    assert "You looked at" not in text_of(Client().get("/elysium/pieces/other"))


def about_to_pay(client: Client, **typed: str) -> dict[str, str]:
    """A guest's form as it stands before the button is pressed."""
    client.post("/elysium/bag/lines", GOLD)
    shown = text_of(client.get("/elysium/checkout"))
    sent = {**ADDRESS, "email": "ada@example.com", "same": "1", "method": "insured", **typed}
    sent |= {"key": hidden(shown, "key")}
    quoted = text_of(client.post("/elysium/checkout/quote", sent))
    return sent | {"seen_total": hidden(quoted, "seen_total")}


def test_all_that_is_missing_is_said_at_once(client: Client) -> None:
    sent = about_to_pay(client) | {"email": "", "shipping-city": "", "note": "x" * 501}
    sent |= {"billing-country": "IE"}
    del sent["same"]
    shown = text_of(client.post("/elysium/checkout", sent))
    for place in ("id_email", "id_shipping-city", "id_billing-city", "id_note"):
        assert f'href="#{place}"' in shown, place


def test_a_state_is_asked_for_where_there_is_one(client: Client) -> None:
    sent = about_to_pay(client)
    optional = re.compile(r"State or province <span")
    assert optional.search(text_of(client.post("/elysium/checkout/quote", sent)))
    sent["shipping-country"] = "US"
    assert not optional.search(text_of(client.post("/elysium/checkout/quote", sent)))


def test_a_second_window_is_led_to_what_the_first_has_paid(client: Client) -> None:
    sent = about_to_pay(client)
    client.post("/elysium/checkout", sent)
    order = Order.objects.get()
    pay(order)
    answer = client.post("/elysium/checkout", {**sent, "key": "another window"})
    assert answer["Location"] == order_link(order).removeprefix("http://testserver")
    assert "This bag is paid already" in text_of(client.get(answer["Location"]))
    assert Order.objects.count() == 1


def test_a_bag_that_was_emptied_or_forgotten_is_told_and_nothing_typed_is_lost(
    client: Client,
) -> None:
    sent = about_to_pay(client, note="For Mia")
    CartLine.objects.all().delete()
    answer = client.post("/elysium/checkout", sent)
    assert "taken out in another window" in text_of(client.get(answer["Location"]))
    del client.cookies["visitor"]
    answer = client.post("/elysium/checkout", sent)
    assert "has forgotten this bag" in text_of(client.get(answer["Location"]))
    client.post("/elysium/bag/lines", GOLD)
    shown = text_of(client.get("/elysium/checkout"))
    for typed in ("For Mia", "Lindenweg 4", "ada@example.com"):
        assert typed in shown
    assert not Order.objects.exists()


def test_a_form_without_its_cookie_is_shown_as_it_was_typed() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/elysium")
    token = {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    client.post("/elysium/bag/lines", GOLD | token)
    sent = {**ADDRESS, **token, "email": "ada@example.com", "same": "1", "method": "insured"}
    del client.cookies["csrftoken"]
    ours = {"Origin": "http://testserver"}
    answer = client.post("/elysium/checkout", sent, headers=ours)
    assert answer.status_code == 403
    shown = text_of(answer)
    assert "Nothing is ordered yet" in shown
    assert "Lindenweg 4" in shown
    # What another site's page sends is not shown.
    foreign = client.post("/elysium/checkout", sent, headers={"Origin": "http://evil.example"})
    assert "Lindenweg 4" not in text_of(foreign)
    # Here there is no member any more, so it is asked to sign in.
    lapsed = client.post("/elysium/checkout", sent | {"member": "x"}, headers=ours)
    assert lapsed["Location"].startswith("/login?next=%2Felysium%2Fcheckout")
    assert not Order.objects.exists()


def test_what_was_left_at_the_gateway_is_ordered_again_without_typing_it_again(
    client: Client,
) -> None:
    client.post("/elysium/checkout", about_to_pay(client, note="For Mia"))
    order = Order.objects.get()
    pay(order, outcome="abandoned")
    path = order_link(order).removeprefix("http://testserver")
    assert "your pieces are still in your bag" in text_of(client.get(path))
    assert "still in your bag" not in text_of(Client().get(path))
    shown = text_of(client.get("/elysium/checkout"))
    for typed in ("For Mia", "Lindenweg 4", "ada@example.com"):
        assert typed in shown
    # What is paid is over, and is not shown to whoever comes next.
    client.post("/elysium/checkout", about_to_pay(client))
    pay(Order.objects.get(status="PENDING"))
    client.post("/elysium/bag/lines", GOLD)
    assert "Lindenweg 4" not in text_of(client.get("/elysium/checkout"))


def test_what_has_gone_meanwhile_is_named_and_nothing_typed_is_lost(
    client: Client, ring: Product
) -> None:
    sent = about_to_pay(client, note="For Mia")
    for variant in ring.variants.all():
        stocked(variant, 0)
    answer = client.post("/elysium/checkout", sent)
    assert answer.status_code == 409
    shown = text_of(answer)
    assert "Aurore: This is sold out." in shown
    assert "Change your bag, then pay" in shown
    assert "For Mia" in shown
    assert not Order.objects.exists()


def test_a_code_that_was_used_up_meanwhile_is_why_the_total_changed(client: Client) -> None:
    voucher = make_voucher(
        actor_id=make_user().pk,
        storefront="elysium",
        code="ONEONLY",
        kind=VoucherKind.PERCENTAGE,
        basis_points=1_000,
        max_uses=1,
    )
    client.post("/elysium/bag/lines", GOLD)
    client.post("/elysium/bag/voucher", {"code": "oneonly"})
    sent = about_to_pay(client)
    Voucher.objects.filter(pk=voucher.pk).update(used=1)
    answer = client.post("/elysium/checkout", sent)
    assert answer.status_code == 409
    faults = text_of(answer).partition('id="faults"')[2].partition("</ul>")[0]
    assert "ONEONLY: " in faults
