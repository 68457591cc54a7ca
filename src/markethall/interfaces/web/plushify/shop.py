"""The shop window and the till: home, pricing, buying a pack."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.flows.checkout import Wanted, start_checkout
from markethall.foundation.platform.queries import platform_settings
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.plushify.packs import packs
from markethall.interfaces.web.plushify.styles import STYLES
from markethall.kernel.ids import new_id


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What Plushify does, shown rather than told."""
    return render(
        request,
        "plushify/home.html",
        {
            "packs": packs(),
            "styles": STYLES,
            "welcome_credits": platform_settings().welcome_credits,
        },
    )


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """The packs. The form's key makes one order of a double click."""
    return render(
        request,
        "plushify/pricing.html",
        {"packs": packs(), "key": new_id(), "welcome_credits": platform_settings().welcome_credits},
    )


@require_POST
@members_only(back="/plushify/pricing")
def buy(request: HttpRequest) -> HttpResponse:
    """Order a pack, and lead to the gateway's pay page."""
    started = start_checkout(
        customer=member(request),
        wanted=[Wanted(request.POST.get("item", ""))],
        key=request.POST.get("key") or None,
    )
    url = started.payment.checkout_url or f"/orders/{started.order.pk}/return"
    return HttpResponseRedirect(url.removeprefix(settings.SITE_URL))
