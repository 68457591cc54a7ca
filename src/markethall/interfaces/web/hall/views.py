from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts import sign_in
from markethall.interfaces.web.hall import demo
from markethall.interfaces.web.verbs import read_only
from markethall.kernel import clock

_NOT_FOR_ROBOTS = (
    "/api/",
    "/console",
    "/dev/",
    "/files/",
    "/orders/",
    "/elysium/account",
    "/elysium/bag",
    "/elysium/checkout",
    "/elysium/search",
    "/elysium/wishlist",
)
_TURNS = (
    ("hours", 1, "An hour"),
    ("days", 1, "A day"),
    ("days", 7, "A week"),
    ("days", 31, "A month"),
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, a door to each storefront, and the sandbox's tools."""
    sandbox = {}
    if settings.SANDBOX:
        sandbox = {
            "demo_logins": demo.demo_logins(),
            "now": clock.now(),
            "clock_is_turned": bool(clock.offset()),
            "turns": [{"unit": u, "by": n, "label": label} for u, n, label in _TURNS],
        }
    return render(request, "hall/home.html", sandbox)


@require_POST
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """Sign in as a demo person, without a password: the sandbox only."""
    login = demo.demo_login(request.POST.get("role", ""))
    sign_in.start_session(request, login.user, sign_in.start_token(login.user)[0])
    return HttpResponseRedirect(login.start)


@read_only
@cache_control(max_age=86400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _NOT_FOR_ROBOTS)]
    lines += ["", f"Sitemap: {settings.SITE_URL}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain")


@read_only
@cache_control(max_age=86400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(static("img/hall/mark.svg"))
