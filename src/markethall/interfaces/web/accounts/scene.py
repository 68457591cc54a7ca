"""Which storefront's look an account page wears, and where it leads to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from markethall.interfaces.web.accounts.forms import AccountForm
from markethall.kernel.errors import Problem

BRANDS = {
    "plushify": "Plushify",
    "mybeing": "MyBeing",
    "elysium": "ELYSIUM",
    "market": "Market",
    "console": "Console",
    "hall": "Markethall",
}
_DEFAULT = "plushify"


def own_path(target: str) -> str:
    """``target`` if it is a path of this site, else nothing."""
    own = target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if own and target.isprintable() else ""


def next_of(request: HttpRequest) -> str:
    """Where to go afterwards: a path of this site, or nothing."""
    return own_path(request.POST.get("next") or request.GET.get("next") or "")


def storefront_of(request: HttpRequest) -> str:
    """The storefront that a person comes from: as named, else as the way on tells."""
    named = request.POST.get("storefront") or request.GET.get("storefront") or ""
    if named in BRANDS:
        return named
    first = next_of(request).lstrip("/").split("/")[0].split("?")[0]
    return first if first in BRANDS else _DEFAULT


def home_of(request: HttpRequest) -> str:
    """Where someone goes who did not say where to."""
    storefront = storefront_of(request)
    return "/" if storefront == "hall" else f"/{storefront}"


def destination(request: HttpRequest) -> str:
    """Where to go after a sign-in."""
    return next_of(request) or home_of(request)


def with_scene(request: HttpRequest, path: str) -> str:
    """``path`` with the storefront and the way on carried along."""
    carried = {"next": next_of(request), "storefront": request.GET.get("storefront", "")}
    query = urlencode({name: value for name, value in carried.items() if value})
    return f"{path}?{query}" if query else path


def page(
    request: HttpRequest,
    template: str,
    *,
    form: AccountForm | None = None,
    problem: Problem | None = None,
    **context: Any,
) -> HttpResponse:
    """An account page; with a problem it carries the problem's status and headers."""
    storefront = storefront_of(request)
    scene = {
        "theme": storefront,
        "brand_name": BRANDS[storefront],
        "brand_url": home_of(request),
        "query": with_scene(request, ""),
        "next": next_of(request),
        "destination": destination(request),
        "storefront": request.POST.get("storefront") or request.GET.get("storefront") or "",
    }
    if form is not None and problem is not None:
        form.show(problem)
    status = problem.status if problem else 422 if form is not None and form.errors else 200
    response = render(
        request,
        f"accounts/{template}.html",
        {**scene, "form": form, "problem": problem, **context},
        status=status,
    )
    for name, value in (problem.headers if problem else {}).items():
        response.headers[name] = value
    return response


def providers(request: HttpRequest) -> list[dict[str, str]]:
    """The providers that are set up: their names, and where a sign-in with each starts."""
    return [
        {
            "id": provider.sub_id,
            "name": provider.name,
            "url": provider.get_login_url(request),
        }
        for provider in get_adapter().list_providers(request)
    ]
