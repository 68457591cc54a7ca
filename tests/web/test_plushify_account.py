"""History, settings and the account page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from house.people import PASSWORD, make_user, page_client
from markethall.flows.generation import start_generation
from markethall.foundation.accounts.belongings import api_keys, make_api_key, settings_of
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import store_file
from markethall.foundation.files.models import UPLOAD
from markethall.foundation.ledger.actions import grant_credits
from markethall.kernel import clock
from markethall.kernel.money import Money
from markethall.trade.catalog.models import LineKind
from markethall.trade.orders.actions import place_order
from markethall.trade.orders.models import Order
from markethall.trade.orders.rules import PricedLine

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    return answer.content.decode()


def order_for(user: User, *, paid: bool = False) -> Order:
    line = PricedLine(
        LineKind.CREDITS, "credits-50", "50 credits", 1, Money(499, "USD"), {"credits": 50}
    )
    order, _ = place_order(
        customer_id=user.pk, email=user.email, storefront="plushify", lines=[line]
    )
    if paid:
        Order.objects.filter(pk=order.pk).update(status="PAID", paid_at=clock.now())
    return order


def test_the_credit_history_says_what_happened_in_words() -> None:
    ada = make_user(credits=10)
    content = store_file(b"x", purpose=UPLOAD, content_type="image/png", owner_id=ada.pk)
    picture = start_generation(user_id=ada.pk, upload_id=content.pk, style="minimalist")
    grant_credits(user_id=ada.pk, amount=3, kind="admin", key="k", metadata={"reason": "Sorry"})
    page = text(page_client(ada).get("/plushify/history"))
    for expected in ("A gift from us", "+10", "−1", "Minimalist", "Held while it is made", "Sorry"):
        assert expected in page
    assert f'href="/plushify/generations/{picture.pk}"' in page
    picture.delete()
    assert f"/plushify/generations/{picture.pk}" not in text(
        page_client(ada).get("/plushify/history")
    )


def test_a_long_history_is_loaded_in_pages_with_as_many_queries(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    ada = make_user(credits=1)
    browser = page_client(ada)
    browser.get("/plushify/history")
    with django_assert_max_num_queries(6) as one:
        browser.get("/plushify/history")
    for number in range(30):
        grant_credits(user_id=ada.pk, amount=1, kind="bonus", key=f"k{number}", metadata={})
    with django_assert_num_queries(len(one)):
        page = browser.get("/plushify/history")
    assert text(page).count('<li class="booking"') == 20
    rest = browser.get(page.context["next_url"], headers={"HX-Request": "true"})
    assert text(rest).count('<li class="booking"') == 11
    assert "<html" not in text(rest)


def test_purchases_are_ones_own_with_receipts_once_paid(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    ada = make_user()
    browser = page_client(ada)
    waiting, strangers = order_for(ada), order_for(make_user())
    browser.get("/plushify/history/purchases")
    with django_assert_max_num_queries(6) as one:
        browser.get("/plushify/history/purchases")
    paid = [order_for(ada, paid=True) for _ in range(5)]
    with django_assert_num_queries(len(one)):
        page = text(browser.get("/plushify/history/purchases"))
    assert page.count("$4.99") == 6
    assert page.count("· 50 credits") == 6
    assert all(f"/orders/{order.pk}/receipt" in page for order in paid)
    assert f"/orders/{waiting.pk}/receipt" not in page
    assert strangers.number not in page


def test_nothing_booked_yet_says_so() -> None:
    browser = page_client(make_user(credits=0))
    assert "Nothing booked yet" in text(browser.get("/plushify/history"))
    assert "Nothing bought yet" in text(browser.get("/plushify/history/purchases"))


def test_settings_are_kept() -> None:
    ada = make_user()
    browser = page_client(ada)
    sent = {"default_style": "cartoon-style", "marketing_emails": "on"}
    assert "Saved." in text(browser.post("/plushify/settings", sent, follow=True))
    own = settings_of(ada.pk)
    kept = (own.default_style, own.email_notifications, own.marketing_emails)
    assert kept == ("cartoon-style", False, True)
    wrong = browser.post("/plushify/settings", {"default_style": "gold"})
    assert wrong.status_code == 422


def test_the_name_is_kept() -> None:
    ada = make_user()
    page_client(ada).post("/plushify/account/name", {"name": "Ada Lovelace"})
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"
    long = page_client(ada).post("/plushify/account/name", {"name": "x" * 151})
    assert long.status_code == 422


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(client: Client) -> None:
    ada = make_user()
    browser = page_client(ada)
    made = browser.post("/plushify/account/keys", {"name": "My script"})
    secret = made.context["new_key"]
    assert secret in text(made)
    assert secret not in text(browser.get("/plushify/account"))
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/auth/me", headers=bearer).status_code == 200
    browser.post(f"/plushify/account/keys/{api_keys(ada).get().pk}")
    assert client.get("/api/auth/me", headers=bearer).status_code == 401


def test_nobody_revokes_the_key_of_another() -> None:
    ada = make_user()
    key, _ = make_api_key(user=ada, name="Mine")
    eve = page_client(make_user())
    assert eve.post(f"/plushify/account/keys/{key.pk}").status_code == 404
    assert api_keys(ada).exists()


def test_the_export_is_a_file_with_ones_own_data() -> None:
    ada = make_user(name="Ada")
    answer = page_client(ada).post("/plushify/account/export")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.content)["profile"]["email"] == ada.email


def test_an_account_is_deleted_with_its_password_only() -> None:
    ada = make_user()
    browser = page_client(ada)
    for wrong in ("", "not-it"):
        refused = browser.post("/plushify/account/delete", {"password": wrong})
        assert refused.status_code == 422
        assert "field-error" in text(refused)
    gone = browser.post("/plushify/account/delete", {"password": PASSWORD}, follow=True)
    assert "Your account is deleted." in text(gone)
    ada.refresh_from_db()
    assert ada.erased_at is not None
    assert not gone.context["user"].is_authenticated


def test_who_has_no_password_must_have_signed_in_recently(turn_clock: Any) -> None:
    ada = make_user()
    ada.set_unusable_password()
    ada.save()
    browser = page_client(ada)
    User.objects.filter(pk=ada.pk).update(last_login=None)
    refused = browser.post("/plushify/account/delete")
    assert "Sign in once more" in text(refused)
    User.objects.filter(pk=ada.pk).update(last_login=clock.now())
    browser.post("/plushify/account/delete")
    ada.refresh_from_db()
    assert ada.erased_at is not None
