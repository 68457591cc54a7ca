"""The ways to sign in: accounts at providers, linked and unlinked."""

from __future__ import annotations

from typing import cast

from allauth.socialaccount.providers.base.constants import AuthProcess
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from requests import RequestException

from markethall.foundation.accounts import by_provider, limits
from markethall.foundation.accounts.adapter import REFUSED
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.sign_in import confirm_identity
from markethall.interfaces.web.accounts import forms, oauth
from markethall.interfaces.web.accounts.scene import page, providers, with_scene
from markethall.kernel.errors import Problem

_HERE = "/sign-ins"


@never_cache
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponseBase:
    """What is linked, and what could be. POST links or unlinks, with the password."""
    user = cast(User, request.user)
    form = forms.IdentityForm(request.POST or None, has_password=user.has_usable_password())
    if not form.is_valid():
        return _home_page(request, user, form)
    try:
        confirm_identity(user=user, password=form.cleaned_data["password"])
        if form.cleaned_data["link"]:
            return _link(request, form.cleaned_data["link"])
        by_provider.unlink(user=user, link_id=form.cleaned_data["unlink"])
    except Problem as problem:
        return _home_page(request, user, form, problem)
    messages.success(request, "It no longer signs you in.")
    return redirect(with_scene(request, _HERE))


def _link(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    limits.count_by_address("oauth")
    back = with_scene(request, _HERE)
    try:
        return redirect(oauth.start_url(request, provider_id, back, process=AuthProcess.CONNECT))
    except RequestException:
        return redirect(f"{REFUSED}?why=unreachable")


def _home_page(
    request: HttpRequest, user: User, form: forms.IdentityForm, problem: Problem | None = None
) -> HttpResponse:
    links = by_provider.links_of(user)
    linked = {link.provider for link in links}
    return page(
        request,
        "links",
        form=form,
        problem=problem,
        links=links,
        others=[each for each in providers(request) if each["id"] not in linked],
        has_password=user.has_usable_password(),
    )
