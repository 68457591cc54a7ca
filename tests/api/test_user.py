"""One's own account by API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from house.jobs import run_jobs
from house.people import PASSWORD, ApiClient, client_for, make_user, page_client
from house.till import books_are_right, checkout, deliver_and_settle, payment_of, press
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import Mail
from markethall.foundation.platform.actions import change_settings
from markethall.trade.orders.models import Order

pytestmark = pytest.mark.django_db

HOME = {
    "kind": "shipping",
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postalCode": "SW1Y 4JH",
    "country": "GB",
}


@pytest.fixture
def ada() -> User:
    return make_user(name="Ada")


@pytest.fixture
def api(ada: User) -> ApiClient:
    return client_for(ada)


class TestProfileAndSettings:
    @pytest.mark.parametrize("verb", ["patch", "put"])
    def test_a_profile_is_changed_in_part(self, api: ApiClient, verb: str) -> None:
        getattr(api, verb)("/api/user/profile", {"phone": "+44 20 7946 0000"})
        answer = getattr(api, verb)("/api/user/profile", {"name": "Ada King"})
        assert answer.status_code == 200
        profile = api.get("/api/user/profile").json()
        assert (profile["name"], profile["phone"]) == ("Ada King", "+44 20 7946 0000")

    def test_nobody_gives_themselves_a_role(self, api: ApiClient) -> None:
        answer = api.patch("/api/user/profile", {"role": "admin"})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "role")

    def test_settings_have_defaults_and_keep_what_is_not_named(self, api: ApiClient) -> None:
        assert api.get("/api/user/settings").json() == {
            "defaultStyle": "cute-fluffy",
            "emailNotifications": True,
            "marketingEmails": False,
        }
        api.patch("/api/user/settings", {"defaultStyle": "minimalist"})
        api.patch("/api/user/settings", {"marketingEmails": True})
        assert api.get("/api/user/settings").json() == {
            "defaultStyle": "minimalist",
            "emailNotifications": True,
            "marketingEmails": True,
        }
        assert api.patch("/api/user/settings", {"defaultStyle": "fur"}).status_code == 422


class TestAddresses:
    def test_each_kind_has_one_default(self, api: ApiClient) -> None:
        first = api.post("/api/user/addresses", HOME).json()
        second = api.post("/api/user/addresses", {**HOME, "isDefault": True}).json()
        billing = api.post("/api/user/addresses", {**HOME, "kind": "billing"}).json()
        assert [first["isDefault"], second["isDefault"], billing["isDefault"]] == [True] * 3
        listed = {a["id"]: a["isDefault"] for a in api.get("/api/user/addresses").json()["items"]}
        assert listed == {first["id"]: False, second["id"]: True, billing["id"]: True}
        assert api.delete(f"/api/user/addresses/{second['id']}").status_code == 204
        listed = {a["id"]: a["isDefault"] for a in api.get("/api/user/addresses").json()["items"]}
        assert listed == {first["id"]: True, billing["id"]: True}

    def test_an_address_is_replaced_and_stays_the_default(self, api: ApiClient) -> None:
        address = api.post("/api/user/addresses", HOME).json()
        answer = api.put(f"/api/user/addresses/{address['id']}", {**HOME, "city": "Paris"})
        assert (answer.json()["city"], answer.json()["isDefault"]) == ("Paris", True)

    def test_another_persons_address_does_not_exist(self, api: ApiClient) -> None:
        other = client_for(make_user()).post("/api/user/addresses", HOME).json()
        assert api.put(f"/api/user/addresses/{other['id']}", HOME).status_code == 404
        assert api.delete(f"/api/user/addresses/{other['id']}").status_code == 404

    def test_a_faulty_address_names_its_fields(self, api: ApiClient) -> None:
        answer = api.post("/api/user/addresses", {**HOME, "country": "Germany", "line1": ""})
        assert {error["path"] for error in answer.json()["errors"]} == {"country", "line1"}

    def test_there_is_a_bound(self, api: ApiClient) -> None:
        statuses = [api.post("/api/user/addresses", HOME).status_code for _ in range(51)]
        assert statuses == [201] * 50 + [409]


class TestApiKeys:
    def test_a_key_works_until_it_is_revoked(self, api: ApiClient, ada: User) -> None:
        made = api.post("/api/user/api-keys", {"name": "Build server"}).json()
        program = ApiClient(made["key"])
        assert program.get("/api/user/profile").json()["email"] == ada.email
        assert not Token.objects.filter(digest=made["key"]).exists()
        listed = api.get("/api/user/api-keys").json()["items"]
        assert [(key["id"], key["name"]) for key in listed] == [(made["id"], "Build server")]
        assert "key" not in listed[0]
        assert client_for(make_user()).delete(f"/api/user/api-keys/{made['id']}").status_code == 404
        assert api.delete(f"/api/user/api-keys/{made['id']}").status_code == 204
        assert program.get("/api/user/profile").status_code == 401
        acts = AuditEntry.objects.filter(actor_id=ada.pk).values_list("action", flat=True)
        assert {"auth.api_key_made", "auth.api_key_revoked"} <= set(acts)

    def test_a_session_is_no_key(self, api: ApiClient, ada: User) -> None:
        session = Token.objects.get(user=ada, kind=Token.Kind.SESSION)
        assert api.delete(f"/api/user/api-keys/{session.pk}").status_code == 404


class TestEntitlements:
    def test_says_how_often_and_why_not(self, api: ApiClient, ada: User) -> None:
        found = api.get("/api/user/entitlements").json()
        assert found["balance"] == 10
        assert found["items"][0] == {
            "feature": "plush_picture",
            "allowed": True,
            "left": 10,
            "cost": 1,
            "reason": "",
        }
        change_settings(actor_id=None, generation_cost=11)
        from markethall.foundation.platform.queries import forget_kept

        forget_kept()
        item = api.get("/api/user/entitlements").json()["items"][0]
        assert (item["allowed"], item["reason"]) == (False, "insufficient_credits")


class TestExport:
    def test_holds_everything_of_the_person_and_nothing_of_others(
        self, api: ApiClient, ada: User
    ) -> None:
        stranger = make_user(name="Stranger")
        api.post("/api/user/addresses", HOME)
        client_for(stranger).post("/api/user/addresses", {**HOME, "city": "Elsewhere"})
        send_mail("welcome", to=ada.email, user_id=ada.pk, context={"user": ada})
        answer = api.get("/api/user/export")
        data = answer.json()
        assert answer["Content-Disposition"].startswith("attachment")
        assert data["profile"]["email"] == ada.email
        assert [address["city"] for address in data["addresses"]] == ["London"]
        assert data["credits"]["balance"] == 10
        assert [row["amount"] for row in data["credits"]["history"]] == [10]
        assert [mail["to"] for mail in data["mails"]] == [ada.email]
        assert stranger.email not in answer.content.decode()
        assert "digest" not in data["apiKeys"][0]

    def test_is_limited(self, api: ApiClient) -> None:
        statuses = [api.get("/api/user/export").status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]


def order_of(user: User) -> Order:
    return Order.objects.create(
        number=f"T-{uuid.uuid4().hex[:8]}",
        customer_id=user.pk,
        email=user.email,
        storefront="plushify",
        currency="USD",
        items_total=499,
        total=499,
        created_at=user.created_at,
    )


@pytest.mark.django_db(transaction=True)
class TestErasure:
    def test_takes_what_is_personal_and_leaves_the_books_whole(
        self, api: ApiClient, ada: User
    ) -> None:
        email = ada.email
        api.post("/api/user/addresses", HOME)
        api.post("/api/user/api-keys", {"name": "Build server"})
        send_mail("welcome", to=email, user_id=ada.pk, context={"user": ada})
        order = order_of(ada)
        browser = page_client(ada)
        answer = api.delete("/api/user/account", {"password": PASSWORD})
        assert (answer.status_code, answer.json()) == (200, {"status": "erased"})
        ada.refresh_from_db()
        order.refresh_from_db()
        assert (ada.name, ada.is_active, ada.erased_at is None) == ("", False, False)
        assert email not in f"{ada.email} {order.email}"
        assert order.customer_id == ada.pk
        mails = Mail.objects.filter(user_id=ada.pk)
        assert {(kept.text, kept.html, kept.subject) for kept in mails} == {("", "", "")}
        assert [kept.template for kept in Mail.objects.filter(to=email)] == ["account_deleted"]
        assert balance_of(ada.pk).balance == 0
        assert [fault for result in check_ledger() for fault in result.faults] == []
        assert api.get("/api/user/profile").status_code == 401
        assert browser.get("/api/user/profile").status_code == 401
        assert not Token.objects.filter(user=ada).exists()
        # The address is free again.
        again = {"email": email, "password": "another-long-secret", "name": "Ada"}
        assert ApiClient().post("/api/auth/register", again).status_code == 201
        assert User.objects.filter(email=email).exists()

    @pytest.mark.parametrize("outcome", ["", "declined"])
    def test_money_that_comes_afterwards_goes_back(
        self, api: ApiClient, ada: User, transactional_db: None, till: None, outcome: str
    ) -> None:
        started = checkout(api)
        if outcome:
            press(started, outcome)
            deliver_and_settle()
        assert api.delete("/api/user/account", {"password": PASSWORD}).status_code == 200
        order = Order.objects.get(pk=started["orderId"])
        assert order.status == "CANCELLED"
        # Before the job has closed the page at the gateway.
        press(started)
        deliver_and_settle()
        run_jobs()
        assert payment_of(order).refunded == order.total
        assert (balance_of(ada.pk).balance, books_are_right()) == (0, True)

    def test_one_last_mail_is_sent_and_leaves_no_trace(self, api: ApiClient, ada: User) -> None:
        send_mail("welcome", to=ada.email, user_id=ada.pk, context={"user": ada})
        api.delete("/api/user/account", {"password": PASSWORD})
        run_jobs()
        assert [(sent.to, sent.subject) for sent in mail.outbox] == [
            ([ada.email], "Your account was deleted")
        ]
        assert not Mail.objects.filter(to=ada.email).exists()
        assert not Mail.objects.exclude(text="").exists()

    def test_needs_the_password(self, api: ApiClient, ada: User) -> None:
        for body in ({}, {"password": "wrong"}):
            assert api.delete("/api/user/account", body).status_code in {401, 403, 422}
        ada.refresh_from_db()
        assert ada.is_active

    def test_without_a_password_a_fresh_sign_in_counts(self, ada: User, turn_clock: Any) -> None:
        ada.set_unusable_password()
        ada.save()
        stale = client_for(ada)
        turn_clock(timedelta(minutes=11))
        assert stale.delete("/api/user/account", {}).json()["code"] == "sign_in_again"
        assert client_for(ada).delete("/api/user/account", {}).status_code == 200

    def test_the_last_super_admin_stays(self) -> None:
        boss = make_user(role="super_admin")
        answer = client_for(boss).delete("/api/user/account", {"password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (409, "last_super_admin")
