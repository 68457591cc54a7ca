"""The sandbox's clock is turned by a month over HTTP: what ends, what is swept, what stays."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from house.jobs import run_jobs
from house.people import PASSWORD, ApiClient, make_user
from house.photos import photo
from house.till import books_are_right, buy, checkout
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import InboxEvent
from markethall.kernel import clock
from markethall.kernel.models import IdempotentAnswer

pytestmark = [pytest.mark.usefixtures("till"), pytest.mark.django_db(transaction=True)]
UPLOAD, GENERATE = "/api/images/upload", "/api/images/generate"


def turn(**by: int) -> None:
    """Turn the clock, and let the worker do what is due."""
    assert ApiClient().post("/api/dev/clock", by).status_code == 200
    run_jobs()


def signed_in_api(user: User) -> ApiClient:
    answer = ApiClient().post("/api/auth/login", {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return ApiClient(answer.json()["token"])


def signed_in_browser(user: User) -> Client:
    browser = Client()
    browser.post("/login", {"email": user.email, "password": PASSWORD})
    assert is_in(browser)
    return browser


def is_in(browser: Client) -> bool:
    return browser.get("/plushify/gallery").status_code == 200


def uploaded(api: ApiClient) -> dict[str, Any]:
    file = io.BytesIO(photo("JPEG", (320, 240)))
    file.name = "photo.jpg"
    return dict(api.upload(UPLOAD, file=file).json())


def mailed(email: str, holding: str) -> str:
    (mail,) = ApiClient().get("/api/dev/outbox", {"to": email, "limit": 1}).json()["items"]
    link = next(link for link in mail["links"] if holding in link)
    return str(link.removeprefix("http://testserver"))


def in_browser(link: str) -> str:
    return Client().get(link.removeprefix("http://testserver")).content.decode()


class TestWhatEnds:
    def test_sessions_and_tokens_but_not_api_keys(self) -> None:
        ada = make_user()
        browser, api = signed_in_browser(ada), signed_in_api(ada)
        key = api.post("/api/user/api-keys", {"name": "Build server"}).json()["key"]
        turn(days=6)
        assert is_in(browser) and api.get("/api/auth/me").status_code == 200
        ApiClient().post("/api/dev/clock", {"days": 2})
        assert not is_in(browser), "it ends with its week, not with the sweep"
        assert api.get("/api/auth/me").status_code == 401
        turn(days=23)
        assert not Session.objects.exists()
        assert not Token.objects.filter(kind=Token.Kind.SESSION).exists()
        assert ApiClient(key).get("/api/auth/me").status_code == 200

    def test_who_signs_in_after_a_turn_stays_in_for_a_week(self) -> None:
        turn(days=31)
        ada = make_user()
        browser, api = signed_in_browser(ada), signed_in_api(ada)
        turn(days=6)
        assert is_in(browser) and api.get("/api/auth/me").status_code == 200
        turn(days=2)
        assert not is_in(browser) and api.get("/api/auth/me").status_code == 401

    def test_mailed_links(self) -> None:
        ada = make_user()
        ApiClient().post("/api/auth/forgot-password", {"email": ada.email})
        reset = mailed(ada.email, "/reset-password/")
        eve = {"email": "eve@example.com", "password": PASSWORD}
        ApiClient().post("/api/auth/register", {**eve, "name": "Eve"})
        verify = mailed("eve@example.com", "/verify-email/")
        assert Client().get(reset, follow=True).status_code == 200
        turn(days=2)
        assert Client().get(reset, follow=True).status_code != 200
        turn(days=29)
        assert Client().get(verify).status_code != 200
        assert ApiClient().post("/api/auth/login", eve).json()["code"] == "email_unverified"
        ApiClient().post("/api/auth/forgot-password", {"email": ada.email})
        assert Client().get(mailed(ada.email, "/reset-password/"), follow=True).status_code == 200

    def test_links_to_pictures_are_given_out_anew(self) -> None:
        api = signed_in_api(make_user())
        photo_url = uploaded(api)["url"].removeprefix("http://testserver")
        assert Client().get(photo_url).status_code == 200
        turn(days=31)
        assert Client().get(photo_url).status_code == 404


class TestWhatIsSweptAndWhatStays:
    def test_a_month_of_a_customer(self) -> None:
        ada = make_user()
        api = signed_in_api(ada)
        kept, unused = uploaded(api), uploaded(api)
        wish = {"uploadId": kept["id"], "style": "minimalist", "size": "small"}
        once = {"Idempotency-Key": "once"}
        made = api.post(GENERATE, wish, headers=once).json()["id"]
        run_jobs()
        left = checkout(api)
        turn(days=31)

        api = signed_in_api(ada)
        assert api.get("/api/credits/balance").json() == {"balance": 9, "held": 0}
        picture = api.get(f"/api/images/{made}").json()
        assert picture["status"] == "completed"
        for url in (picture["originalUrl"], picture["generatedUrl"]):
            assert Client().get(url.removeprefix("http://testserver")).status_code == 200
        assert not StoredFile.objects.filter(pk=unused["id"]).exists()
        again = api.post(GENERATE, {**wish, "uploadId": unused["id"]})
        assert (again.status_code, again.json()["code"]) == (404, "upload_not_found")

        order = api.get(f"/api/orders/{left['orderId']}").json()
        assert (order["status"], order["payments"][0]["status"]) == ("CANCELLED", "cancelled")
        assert "closed" in in_browser(left["checkoutUrl"])
        assert not IdempotentAnswer.objects.exists()
        new = api.post(GENERATE, wish, headers=once)
        assert (new.status_code, new.headers.get("Idempotent-Replayed")) == (202, None)
        run_jobs()
        assert api.get("/api/credits/balance").json() == {"balance": 8, "held": 0}
        assert books_are_right()

    def test_network_addresses_in_the_audit_log_go_after_three_months(self) -> None:
        signed_in_api(make_user())
        told = AuditEntry.objects.filter(action="auth.login")
        turn(days=31)
        assert {entry.ip_address for entry in told.all()} == {"127.0.0.1"}
        turn(days=62)
        assert {entry.ip_address for entry in told.all()} == {None}
        assert told.count() == 1

    def test_the_logs_of_mails_and_webhooks_end_after_their_time(self) -> None:
        ada = make_user()
        order = buy(ada)
        run_jobs()
        mails = Mail.objects.filter(to=ada.email)
        parked = InboxEvent.objects.create(
            provider="sandbox", event_id="odd", payload={}, status="parked",
            received_at=clock.now(), due_at=clock.now(),
        )  # fmt: skip
        turn(days=179)
        assert (InboxEvent.objects.count(), mails.exists()) == (2, True)
        turn(days=2)
        assert list(InboxEvent.objects.all()) == [parked], "somebody has to look at it"
        assert mails.exists()
        turn(days=185)
        assert not mails.exists()
        order.refresh_from_db()
        assert (order.status, books_are_right()) == ("FULFILLED", True)
