"""Sign-in by a provider: allauth's redirects and callbacks, counted, with our own refusals."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.github import views as github
from allauth.socialaccount.providers.google import views as google
from allauth.socialaccount.providers.openid_connect import views as oidc
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache
from requests import RequestException

from markethall.foundation.accounts import limits
from markethall.foundation.accounts.adapter import REFUSED
from markethall.interfaces.web.accounts.scene import page, with_scene
from markethall.kernel.errors import Forbidden, NotFound

log = structlog.get_logger(__name__)
View = Callable[..., HttpResponseBase]

REASONS = {
    "unverified": (
        "Verify your address there first",
        "This provider has not verified your e-mail address, so it cannot vouch for you. Verify"
        " it there, or open an account here with your address and a password.",
    ),
    "cancelled": ("You turned back", "Nothing was changed. You can sign in another way."),
    "taken": (
        "That one belongs to another account",
        "It signs in another account here, or its address has one. Unlink it there first.",
    ),
    "closed": ("No new accounts for now", "If you have one already, sign in as before."),
    "again": ("Try once more", "Something came in between. A second try will work."),
    "unreachable": (
        "The provider does not answer",
        "That is not your fault. Try again in a while, or sign in with your password.",
    ),
    "failed": (
        "That sign-in did not work",
        "The answer of the provider was not one that we asked for, or came too late. Start again.",
    ),
}


def counted(view: View) -> View:
    """``view`` of one provider: counted, absent when not set up, calm when out of reach."""

    @never_cache
    @login_not_required
    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        limits.count_by_address("oauth")
        if "process" in request.GET or "process" in request.POST:
            return redirect("socialaccount_connections")
        try:
            return view(request, **kwargs)
        except SocialApp.DoesNotExist:
            raise NotFound("Sign-in by this provider is not set up.") from None
        except RequestException as error:
            log.warning("provider unreachable", error=str(error))
            return redirect(f"{REFUSED}?why=unreachable")

    return wrapped


def start_url(
    request: HttpRequest, provider_id: str, next_url: str, *, process: str = AuthProcess.LOGIN
) -> str:
    """Where to send a browser to sign in by a provider, or to link an account there; its session
    remembers what was asked.

    Raises NotFound for a provider that is not set up.
    """
    try:
        provider = get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        raise NotFound("Sign-in by this provider is not set up.") from None
    return str(provider.redirect(request, process, next_url=next_url or None).headers["Location"])


@never_cache
def refused(request: HttpRequest) -> HttpResponseBase:
    """Why a sign-in by a provider came to nothing."""
    heading, text = REASONS.get(request.GET.get("why", ""), REASONS["failed"])
    problem = Forbidden(text)
    return page(request, "oauth_refused", problem=problem, heading=heading, text=text)


def to_login(request: HttpRequest) -> HttpResponseBase:
    """allauth's pages that we have no use for lead to the sign-in."""
    return redirect(with_scene(request, "/login"))


urlpatterns = [
    path("google/login", counted(google.oauth2_login), name="google_login"),
    path("google/callback", counted(google.oauth2_callback), name="google_callback"),
    path("github/login", counted(github.oauth2_login), name="github_login"),
    path("github/callback", counted(github.oauth2_callback), name="github_callback"),
    path("<str:provider_id>/login", counted(oidc.login), name="openid_connect_login"),
    path("<str:provider_id>/callback", counted(oidc.callback), name="openid_connect_callback"),
    path("refused", refused, name="socialaccount_login_error"),
    path("cancelled", to_login, name="socialaccount_login_cancelled"),
    path("signup", to_login, name="socialaccount_signup"),
]
