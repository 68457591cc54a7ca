"""Accounts at a provider, linked to an account here and unlinked again."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from house.oidc_dance import at_provider, come_back, configure, sign_in, signed_in_as
from house.people import PASSWORD, client_for, make_user
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.messaging.queries import outbox

pytestmark = [pytest.mark.oidc, pytest.mark.django_db]
GRACE, PAGE = "grace@example.com", "/sign-ins"


@pytest.fixture
def grace(settings: Any, issuer: str) -> User:
    configure(settings, issuer)
    return make_user(email=GRACE, name="Grace")


@pytest.fixture
def browser(grace: User) -> Client:
    """Signed in as Grace, by her password."""
    client = Client()
    client.post("/login", {"email": GRACE, "password": PASSWORD})
    assert signed_in_as(client) == GRACE
    return client


def link(browser: Client, person: str = "ada") -> Any:
    asked = browser.post(PAGE, {"link": "oidc", "password": PASSWORD})
    return come_back(browser, at_provider(asked.headers["Location"], person))


def test_an_account_of_another_address_is_linked_and_signs_in(browser: Client, grace: User) -> None:
    assert link(browser).headers["Location"] == PAGE
    assert SocialAccount.objects.get().user == grace
    assert "Unlink" in browser.get(PAGE).content.decode()
    grace.refresh_from_db()
    assert (grace.email, grace.name, grace.check_password(PASSWORD)) == (GRACE, "Grace", True)
    assert outbox(GRACE)[0].subject == "You can sign in with OpenID Connect now"
    assert AuditEntry.objects.filter(action="auth.oauth_link", actor_id=grace.pk).exists()
    elsewhere = Client()
    sign_in(elsewhere, "ada")
    assert signed_in_as(elsewhere) == GRACE and User.objects.count() == 1


def test_an_address_that_the_provider_has_not_verified_is_not_taken_over(browser: Client) -> None:
    link(browser, "mallory")
    visitor = Client()
    sign_in(visitor, "mallory")
    assert signed_in_as(visitor) == GRACE
    assert not User.objects.filter(email="ada@example.com").exists()


def test_what_signs_in_somebody_else_cannot_be_linked(browser: Client, grace: User) -> None:
    sign_in(Client(), "ada")
    assert link(browser).headers["Location"] == "/oauth/refused?why=taken"
    assert not SocialAccount.objects.filter(user=grace).exists()


def test_the_password_is_asked_for(browser: Client) -> None:
    page = browser.post(PAGE, {"link": "oidc", "password": "not-the-password"})
    assert page.status_code == 422 and "not your password" in page.content.decode()
    # Nor is there a way round it by the sign-in's own address.
    round_it = browser.post("/oauth/oidc/login?process=connect")
    assert round_it.headers["Location"] == PAGE


def test_unlinked_it_signs_nobody_in(browser: Client, grace: User) -> None:
    link(browser)
    row = SocialAccount.objects.get()
    wrong = browser.post(PAGE, {"unlink": row.pk, "password": "not-the-password"})
    assert wrong.status_code == 422 and SocialAccount.objects.exists()
    done = browser.post(PAGE, {"unlink": row.pk, "password": PASSWORD})
    assert done.headers["Location"] == PAGE and not SocialAccount.objects.exists()
    assert outbox(GRACE)[0].subject == "OpenID Connect no longer signs you in"
    assert AuditEntry.objects.filter(action="auth.oauth_unlink", actor_id=grace.pk).exists()


def test_the_only_way_to_sign_in_stays(settings: Any, issuer: str) -> None:
    configure(settings, issuer)
    browser = Client()
    sign_in(browser, "ada")
    row = SocialAccount.objects.get()
    page = browser.post(PAGE, {"unlink": row.pk})
    assert page.status_code == 409 and "Set a password first" in page.content.decode()
    assert SocialAccount.objects.exists()


def test_the_api_links_lists_and_unlinks(browser: Client, grace: User) -> None:
    body = {"password": PASSWORD, "next": "/plushify"}
    headers = {"X-CSRFToken": "unused"}
    asked = browser.post(
        "/api/auth/oauth/oidc/link", body, content_type="application/json", headers=headers
    )
    assert asked.status_code == 200
    come_back(browser, at_provider(asked.json()["url"], "ada"))
    api = client_for(grace)
    (shown,) = api.get("/api/auth/links").json()["items"]
    assert (shown["provider"], shown["name"]) == ("oidc", "OpenID Connect")
    other = client_for(make_user())
    assert other.delete(f"/api/auth/links/{shown['id']}", {"password": PASSWORD}).status_code == 404
    gone = api.delete(f"/api/auth/links/{shown['id']}", {"password": PASSWORD})
    assert gone.status_code == 204 and api.get("/api/auth/links").json()["items"] == []


def test_a_bearer_token_cannot_link(grace: User) -> None:
    answer = client_for(grace).post("/api/auth/oauth/oidc/link", {"password": PASSWORD})
    assert answer.status_code == 403
