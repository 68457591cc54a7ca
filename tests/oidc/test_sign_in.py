"""The whole dance of redirects, against a server that is not ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from house.oidc_dance import at_provider, come_back, configure, sign_in, signed_in_as, start
from house.people import PASSWORD, ApiClient, client_for, make_user
from house.second_factor import code_for, turn_on
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.messaging.queries import outbox

pytestmark = [pytest.mark.oidc, pytest.mark.django_db]
ADA = "ada@example.com"


@pytest.fixture
def browser(settings: Any, issuer: str) -> Client:
    configure(settings, issuer)
    return Client()


def test_the_button_and_what_is_asked_of_the_provider(browser: Client, issuer: str) -> None:
    assert "Continue with OpenID Connect" in browser.get("/login").content.decode()
    asked = urlsplit(start(browser))
    query = parse_qs(asked.query)
    assert f"{asked.scheme}://{asked.netloc}" == issuer
    assert query["code_challenge_method"] == ["S256"] and query["state"]
    assert {"openid", "email"} <= set(query["scope"][0].split())


def test_a_new_person_with_a_verified_address(browser: Client) -> None:
    response = sign_in(browser, "ada", next="/plushify/gallery")
    assert response.headers["Location"] == "/plushify/gallery"
    assert signed_in_as(browser) == ADA
    user = User.objects.get()
    assert (user.name, user.has_usable_password()) == ("Ada Lovelace", False)
    assert EmailAddress.objects.get().verified is True
    assert balance_of(user.pk).balance == 10
    assert [mail.template for mail in outbox(ADA)] == ["welcome"]
    acts = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(acts) == ["auth.register", "auth.verify", "auth.login"]


def test_the_same_person_again(browser: Client, settings: Any) -> None:
    sign_in(browser, "ada")
    again = Client()
    sign_in(again, "ada")
    assert signed_in_as(again) == ADA
    assert User.objects.count() == SocialAccount.objects.count() == 1


def test_an_operator_who_comes_by_a_provider_gets_the_role(browser: Client, settings: Any) -> None:
    settings.ADMIN_EMAILS = [ADA]
    sign_in(browser, "ada")
    assert User.objects.get().role == "super_admin"


@pytest.mark.parametrize("person", ["mallory", "word", "silent"])
@pytest.mark.parametrize("existing", [None, "verified", "unverified"])
def test_an_address_that_the_provider_has_not_verified_opens_nothing(
    browser: Client, person: str, existing: str | None
) -> None:
    if existing:
        make_user(email=ADA, verified=existing == "verified")
    response = sign_in(browser, person)
    assert response.headers["Location"] == "/oauth/refused?why=unverified"
    page = browser.get(response.headers["Location"])
    assert page.status_code == 403 and "has not verified" in page.content.decode()
    assert signed_in_as(browser) is None
    assert not SocialAccount.objects.exists()
    assert User.objects.count() == (1 if existing else 0)


def test_a_verified_account_is_joined_and_told(browser: Client) -> None:
    user = make_user(email=ADA)
    sign_in(browser, "ada")
    assert signed_in_as(browser) == ADA
    assert SocialAccount.objects.get().user == user
    assert outbox(ADA)[0].subject == "You can sign in with OpenID Connect now"
    assert AuditEntry.objects.filter(action="auth.oauth_link", actor_id=user.pk).exists()
    # Its owner has proved the address, so the password stays good.
    body = {"email": ADA, "password": PASSWORD}
    assert ApiClient().post("/api/auth/login", body).status_code == 200


def test_who_registered_an_address_first_gains_nothing_by_it(browser: Client) -> None:
    intruder = ApiClient()
    body = {"email": ADA, "password": PASSWORD, "name": "Mallory was here"}
    assert intruder.post("/api/auth/register", body).status_code == 201
    user = User.objects.get()
    stale = client_for(user)
    intruder.force_login(user)

    sign_in(browser, "ada")
    assert signed_in_as(browser) == ADA
    user.refresh_from_db()
    assert (user.name, user.has_usable_password()) == ("Ada Lovelace", False)
    assert EmailAddress.objects.get().verified is True
    credentials = {"email": ADA, "password": PASSWORD}
    assert ApiClient().post("/api/auth/login", credentials).status_code == 401
    assert stale.get("/api/auth/me").status_code == 401
    assert signed_in_as(intruder) is None
    assert AuditEntry.objects.filter(action="auth.claim").exists()


def test_the_second_factor_is_asked_for_all_the_same(browser: Client) -> None:
    secret = turn_on(make_user(email=ADA))
    response = sign_in(browser, "ada", next="/plushify/gallery")
    assert response.headers["Location"] == "/login/code"
    assert signed_in_as(browser) is None
    wrong = browser.post("/login/code", {"code": "000000"})
    assert wrong.status_code == 401 and signed_in_as(browser) is None
    done = browser.post("/login/code", {"code": code_for(secret)})
    assert done.headers["Location"] == "/plushify/gallery"
    assert signed_in_as(browser) == ADA


def test_a_closed_account_is_not_opened_by_a_provider(browser: Client) -> None:
    sign_in(browser, "ada")
    User.objects.update(is_active=False)
    visitor = Client()
    assert sign_in(visitor, "ada").headers["Location"] == "/closed"
    assert signed_in_as(visitor) is None


class TestRefusals:
    def test_a_state_that_was_tampered_with(self, browser: Client) -> None:
        back = at_provider(start(browser), "ada")
        state = parse_qs(urlsplit(back).query)["state"][0]
        response = come_back(browser, back.replace(state, "x" + state[1:]))
        assert response.headers["Location"] == "/oauth/refused?why=failed"
        assert signed_in_as(browser) is None and not User.objects.exists()

    def test_an_answer_that_another_browser_asked_for(self, browser: Client) -> None:
        back = at_provider(start(browser), "ada")
        victim = Client()
        start(victim)
        assert come_back(victim, back).headers["Location"] == "/oauth/refused?why=failed"
        assert signed_in_as(victim) is None and not User.objects.exists()

    def test_an_answer_that_comes_twice(self, browser: Client) -> None:
        back = at_provider(start(browser), "ada")
        come_back(browser, back)
        assert come_back(browser, back).headers["Location"] == "/oauth/refused?why=failed"
        assert User.objects.count() == 1

    def test_a_code_that_was_tampered_with(self, browser: Client) -> None:
        back = at_provider(start(browser), "ada")
        code = parse_qs(urlsplit(back).query)["code"][0]
        response = come_back(browser, back.replace(code, "x" * len(code)))
        assert response.headers["Location"] == "/oauth/refused?why=failed"
        assert signed_in_as(browser) is None and not User.objects.exists()

    def test_one_who_turns_back(self, browser: Client) -> None:
        state = parse_qs(urlsplit(start(browser)).query)["state"][0]
        response = browser.get(f"/oauth/oidc/callback?error=access_denied&state={state}")
        assert response.headers["Location"] == "/oauth/refused?why=cancelled"
        assert "turned back" in browser.get(response.headers["Location"]).content.decode()

    def test_an_error_of_the_provider(self, browser: Client) -> None:
        state = parse_qs(urlsplit(start(browser)).query)["state"][0]
        response = browser.get(f"/oauth/oidc/callback?error=server_error&state={state}")
        assert response.headers["Location"] == "/oauth/refused?why=failed"

    def test_a_wrong_client_secret(self, settings: Any, issuer: str) -> None:
        configure(settings, issuer, secret="not-the-secret-of-the-hall")
        browser = Client()
        assert sign_in(browser, "ada").headers["Location"] == "/oauth/refused?why=failed"
        assert not User.objects.exists()

    def test_a_provider_that_is_out_of_reach(self, settings: Any) -> None:
        configure(settings, "http://127.0.0.1:9")
        browser = ApiClient()
        page = Client().post("/oauth/oidc/login")
        assert page.headers["Location"] == "/oauth/refused?why=unreachable"
        answer = browser.post("/api/auth/oauth/oidc/start")
        assert (answer.status_code, answer.json()["code"]) == (502, "provider_unreachable")

    def test_next_leads_nowhere_else(self, browser: Client) -> None:
        response = sign_in(browser, "ada", next="https://evil.example/")
        assert response.headers["Location"] == "/"


def test_the_api_starts_and_completes_it_too(browser: Client) -> None:
    body = {"next": "/plushify"}
    started = browser.post("/api/auth/oauth/oidc/start", body, content_type="application/json")
    back = at_provider(started.json()["url"], "ada")
    query = urlsplit(back).query
    led_on = browser.get(f"/api/auth/oauth/oidc/callback?{query}")
    assert led_on.headers["Location"] == f"/oauth/oidc/callback?{query}"
    done = browser.get(led_on.headers["Location"])
    assert done.headers["Location"] == "/plushify" and signed_in_as(browser) == ADA


def test_a_foreign_page_cannot_start_it(browser: Client) -> None:
    answer = browser.post(
        "/api/auth/oauth/oidc/start",
        {},
        content_type="application/json",
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
