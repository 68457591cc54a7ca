"""Whether the sign-in providers know us: each is shown our credentials with a code that is none.

Who knows the credentials complains of the code; who does not complains of the credentials (RFC
6749, 5.2; GitHub has words of its own). Nobody is signed in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import requests
from django.conf import settings

_TIMEOUT = 10  # seconds
_KNOWS_US = {"invalid_grant", "bad_verification_code"}
_DISCOVERY = "/.well-known/openid-configuration"


class ProviderUnwell(Exception):
    """A provider cannot be reached, or does not take our credentials; the message says which."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Somebody to sign in with. ``slug`` ends the callback's address."""

    name: str
    slug: str
    client_id: str
    secret: str


def providers() -> Iterator[Provider]:
    """Those whose credentials are set."""
    environment = settings.ENVIRONMENT
    for name, slug in (("Google", "google"), ("GitHub", "github"), ("OpenID Connect", "oidc")):
        client_id = getattr(environment, f"{slug}_client_id")
        if client_id:
            secret = getattr(environment, f"{slug}_client_secret")
            yield Provider(name, slug, client_id, secret)


def probe(provider: Provider) -> str:
    """Ask a provider whether it knows us; returns what was found. Raises ProviderUnwell."""
    url, by_header = _token_endpoint(provider)
    form = {
        "grant_type": "authorization_code",
        "code": "none",
        "redirect_uri": callback(provider),
        "code_verifier": "x" * 43,
    }
    if not by_header:
        form |= {"client_id": provider.client_id, "client_secret": provider.secret}
    credentials = (provider.client_id, provider.secret) if by_header else None
    answer = _call("POST", url, data=form, auth=credentials)
    error = answer.get("error", "")
    if error in _KNOWS_US:
        return f"{provider.name} knows us"
    if error == "redirect_uri_mismatch":
        raise ProviderUnwell(f"{provider.name} does not know the address {callback(provider)}")
    raise ProviderUnwell(f"{provider.name} refuses our id or secret: {error or 'no reason given'}")


def callback(provider: Provider) -> str:
    """The redirect address to enter at the provider's."""
    return f"{settings.SITE_URL}/oauth/{provider.slug}/callback"


def _token_endpoint(provider: Provider) -> tuple[str, bool]:
    """Where codes are exchanged, and whether the credentials go into the header there."""
    if provider.slug == "oidc":
        found = _discovered(str(settings.ENVIRONMENT.oidc_issuer))
        methods = found.get("token_endpoint_auth_methods_supported", [])
        # As allauth chooses when somebody signs in.
        by_header = "client_secret_post" not in methods and "client_secret_basic" in methods
        return str(found["token_endpoint"]), by_header
    views = import_module(f"allauth.socialaccount.providers.{provider.slug}.views")
    adapter = {"google": "GoogleOAuth2Adapter", "github": "GitHubOAuth2Adapter"}[provider.slug]
    return str(getattr(views, adapter).access_token_url), False


def _discovered(issuer: str) -> dict[str, Any]:
    url = issuer if _DISCOVERY in issuer else issuer.rstrip("/") + _DISCOVERY
    found = _call("GET", url)
    if not {"authorization_endpoint", "token_endpoint", "jwks_uri"} <= found.keys():
        raise ProviderUnwell(f"{url} describes no OpenID Connect provider")
    return found


def _call(method: str, url: str, **more: Any) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    try:
        answer = requests.request(method, url, headers=headers, timeout=_TIMEOUT, **more)
        document = answer.json()
    except requests.JSONDecodeError:
        raise ProviderUnwell(f"{url} answers {answer.status_code}, and no JSON") from None
    except requests.RequestException as error:
        raise ProviderUnwell(f"{url} cannot be reached ({type(error).__name__})") from error
    return document if isinstance(document, dict) else {}
