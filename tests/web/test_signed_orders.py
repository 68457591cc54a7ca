"""The links of a guest's order and of a shared list: each opens one thing, as long as it may."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from house.after import HOME, bought, pay, placed
from house.cart import make_ring
from house.parallel import together
from house.people import client_for, make_user, page_client
from house.shelf import figures, line_of, on_shelf
from house.till import books_are_right, deliver_and_settle
from markethall.flows.erasure import erase_account, erase_guest
from markethall.flows.order_parcels import pack
from markethall.flows.refunds import refund_later, refund_order
from markethall.flows.settlement import settle_free
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.payments.models import Refund
from markethall.trade.orders.access import token_of
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import Shipment
from markethall.trade.wishlist.actions import share, unshare
from markethall.trade.wishlist.models import WishlistLink

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db]
_GET = ("", "/status", "/receipt")
_POST = ("/pay", "/cancel")


def statuses(token: str) -> list[int]:
    """How the pages of a link answer, and its buttons."""
    client, page = Client(), f"/orders/track/{token}"
    shown = [client.get(page + end).status_code for end in _GET]
    return shown + [client.post(page + end).status_code for end in _POST]


NOT_THERE = [404] * 5


@pytest.fixture
def order(till: None) -> Order:
    return bought(None, line_of(on_shelf(), 2))


def tampered(token: str, other: str) -> list[str]:
    """What somebody who holds two links can make of them, and of one."""
    key, _, signature = token.partition(".")
    other_key, _, other_signature = other.partition(".")
    return [
        f"{other_key}.{signature}",
        f"{key}.{other_signature}",
        f"{key}=.{signature}",
        f"{key}.{signature}.{signature}",
        f"{key}.{signature[:-1]}",
        f"{key}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        f"{key}.{signature.swapcase()}",
        f"{key}.",
        f".{signature}",
        key,
        signature,
        f"{uuid.uuid4()}.{signature}",
        f"{key}\u202e.{signature}",
        f"{key}.{signature}\u00e9",
        "%00",
        "x" * 5_000,
    ]


def test_a_link_that_was_tampered_with_leads_nowhere(order: Order) -> None:
    other = placed(None, line_of(on_shelf()))
    found = {token: statuses(token) for token in tampered(token_of(order), token_of(other))}
    assert {token: seen for token, seen in found.items() if seen != NOT_THERE} == {}
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.status, other.status) == (OrderStatus.PAID, OrderStatus.PENDING)


def test_a_link_shows_no_part_of_another_order(order: Order) -> None:
    other = bought(None, line_of(on_shelf()))
    refund = refund_order(order_id=other.pk, amount=100, reason="Sorry", actor_id=None)
    deliver_and_settle()
    client, notes = Client(), f"credit-notes/{refund.pk}"
    assert client.get(f"/orders/track/{token_of(other)}/{notes}").status_code == 200
    assert client.get(f"/orders/track/{token_of(order)}/{notes}").status_code == 404
    assert other.number not in client.get(f"/orders/track/{token_of(order)}").content.decode()


def test_of_an_order_with_an_account_it_shows_and_acts_nothing() -> None:
    ada = make_user()
    own = placed(ada, line_of(on_shelf()))
    assert statuses(token_of(own))[-2:] == [404, 404]
    own.refresh_from_db()
    assert own.status == OrderStatus.PENDING


def test_after_a_refund_it_shows_it_and_gives_nothing_back_again(order: Order) -> None:
    refund_order(order_id=order.pk, amount=None, reason="Sorry", actor_id=None)
    deliver_and_settle()
    assert statuses(token_of(order))[:3] == [200, 200, 200]
    order.refresh_from_db()
    assert (order.status, order.refunded) == (OrderStatus.REFUNDED, order.total)
    assert Refund.objects.count() == 1
    assert books_are_right()


@pytest.mark.parametrize("is_paid", [True, False])
def test_it_ends_with_the_person(is_paid: bool) -> None:
    order = placed(None, line_of(on_shelf()))
    if is_paid:
        order = pay(order)
    token = token_of(order)
    assert Client().get(f"/orders/track/{token}").status_code == 200
    erase_guest(order_id=order.pk, actor_id=make_user(role=Role.ADMIN).pk)
    assert statuses(token) == NOT_THERE


class TestWhoIsErased:
    """Whatever their orders wait for."""

    def test_while_their_money_is_on_its_way_back(self) -> None:
        ada = make_user()
        order = bought(ada, line_of(on_shelf(), 2))
        refund_later(order_id=order.pk, reason="Sorry", actor_id=None)
        erase_account(user_id=ada.pk, actor=ada)
        order.refresh_from_db()
        assert order.erased_at is not None
        assert Refund.objects.count() == 1

    def test_with_a_part_of_it_given_back(self) -> None:
        ada, variant = make_user(), on_shelf()
        order = bought(ada, line_of(variant, 2))
        refund_order(order_id=order.pk, amount=100, reason="Sorry", actor_id=None)
        erase_account(user_id=ada.pk, actor=ada)
        assert sum(Refund.objects.values_list("amount", flat=True)) == order.total

    @pytest.mark.parametrize("has_account", [True, False])
    def test_what_cost_nothing_and_has_not_left_goes_back(self, has_account: bool) -> None:
        ada, variant = make_user(), on_shelf(5)
        order = placed(ada if has_account else None, line_of(variant, 1, price=0))
        settle_free(order.pk)
        pack(order_id=order.pk, actor_id=ada.pk)
        assert figures(variant) == (4, 0)
        if has_account:
            erase_account(user_id=ada.pk, actor=ada)
        else:
            erase_guest(order_id=order.pk, actor_id=ada.pk)
        order.refresh_from_db()
        assert order.status == OrderStatus.REFUNDED
        assert figures(variant) == (5, 0)
        assert not Shipment.objects.exists()


class TestSharedList:
    def test_each_link_ends_for_good(self) -> None:
        ada = make_user()
        client_for(ada).post("/api/wishlist", {"productId": str(make_ring().pk)})
        seen = []
        for _ in range(3):
            seen.append(share(ada))
            assert share(ada) == seen[-1]
            assert Client().get(f"/wishlist/{seen[-1]}").status_code == 200
            unshare(ada)
        assert len(set(seen)) == 3
        assert [Client().get(f"/wishlist/{token}").status_code for token in seen] == [404] * 3

    def test_what_is_not_its_secret_opens_nothing(self) -> None:
        ada = make_user()
        token = share(ada)
        wrong = [token[:-1], token.swapcase(), f"{token}x", str(ada.pk), "%", "x" * 5_000, "\u202e"]
        answers = [Client().get(f"/wishlist/{each}").status_code for each in wrong]
        assert answers == [404] * len(wrong)

    def test_it_ends_with_the_person(self) -> None:
        ada = make_user()
        token = share(ada)
        erase_account(user_id=ada.pk, actor=ada)
        assert Client().get(f"/wishlist/{token}").status_code == 404
        assert not WishlistLink.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_sharing_and_ending_at_once_leave_one_link_or_none(self) -> None:
        ada = make_user()
        client = page_client(ada)
        on = [lambda: share(ada)] * 4
        off: list[Any] = [lambda: unshare(ada)] * 2
        found = together([*on, *off, *on])
        assert [each for each in found if isinstance(each, Exception)] == []
        live = set(WishlistLink.objects.values_list("token", flat=True))
        dead = {each for each in found if each} - live
        assert len(live) <= 1
        assert {client.get(f"/wishlist/{each}").status_code for each in live} <= {200}
        assert {client.get(f"/wishlist/{each}").status_code for each in dead} <= {404}


def test_nobody_sends_to_an_address_of_anothers_book() -> None:
    """The checkout's page fills in one's own addresses only."""
    ada, eve = make_user(), make_user()
    address = client_for(ada).post(
        "/api/user/addresses",
        {"kind": "shipping", "name": "Ada Lovelace", "line1": "7 Hidden Lane", "city": "Berlin",
         "postalCode": "10115", "country": "DE"},
    )  # fmt: skip
    assert address.status_code == 201, address.content
    make_ring()
    for who, sees in ((ada, True), (eve, False)):
        browser = page_client(who)
        browser.post("/elysium/bag/lines", {"product": "aurore", "option.metal": "gold"})
        shown = browser.get(f"/elysium/checkout?saved={address.json()['id']}").content.decode()
        assert ("7 Hidden Lane" in shown) is sees
    own = f"/api/user/addresses/{address.json()['id']}"
    assert client_for(eve).put(own, {**HOME, "postalCode": "1"}).status_code in {404, 422}
    assert client_for(eve).delete(own).status_code == 404
    assert User.objects.get(pk=ada.pk) is not None
