from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from markethall.foundation.payments.gateways.sandbox import portal


@require_safe
@never_cache
def page(request: HttpRequest, ticket: str) -> HttpResponse:
    """What a customer has paid at the sandbox gateway, for whoever has a link to it."""
    return render(request, "sandbox/portal.html", {"view": portal.view(ticket)})
