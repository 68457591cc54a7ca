"""The redirects between the hall and a provider, step by step."""

from __future__ import annotations

import re
from typing import Any

import httpx
from django.test import Client

from markethall.config.environment import Environment, oauth_providers


def configure(settings: Any, issuer: str, secret: str = "a-secret-of-the-hall") -> None:
    environment = Environment(oidc_issuer=issuer, oidc_client_id="hall", oidc_client_secret=secret)
    settings.SOCIALACCOUNT_PROVIDERS = oauth_providers(environment)


def start(browser: Client, **form: str) -> str:
    """Press the button; the address at the provider."""
    response = browser.post("/oauth/oidc/login", form)
    assert response.status_code == 302
    return str(response.headers["Location"])


def at_provider(location: str, person: str) -> str:
    """Sign in as ``person`` at the provider and agree; the address it sends the browser back to."""
    with httpx.Client(follow_redirects=False) as provider:
        for _ in range(12):
            if location.startswith("http://testserver/"):
                return location
            page = provider.get(location)
            if page.is_redirect:
                location = str(httpx.URL(location).join(page.headers["Location"]))
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            prompt = re.search(r'name="prompt" value="([^"]+)"', page.text)
            assert form and prompt, page.text
            sent = provider.post(
                httpx.URL(location).join(form[1]),
                data={"prompt": prompt[1], "login": person, "password": "any"},
            )
            location = str(httpx.URL(location).join(sent.headers["Location"]))
    raise AssertionError("The provider never sent the browser back.")


def come_back(browser: Client, location: str) -> Any:
    return browser.get(location.removeprefix("http://testserver"))


def sign_in(browser: Client, person: str, **form: str) -> Any:
    return come_back(browser, at_provider(start(browser, **form), person))


def signed_in_as(browser: Client) -> str | None:
    user = browser.get("/api/auth/session").json()["user"]
    return user["email"] if user else None
