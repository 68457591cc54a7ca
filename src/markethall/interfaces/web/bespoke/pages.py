from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import bespoke
from markethall.foundation.files.links import signed_link
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.storefronts import storefront


@require_safe
@never_cache
def conversation(request: HttpRequest, token: str) -> HttpResponse:
    """What was asked for and written since."""
    return _show(request, token)


@require_POST
@never_cache
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Write back. What cannot be sent stays in the form."""
    body = request.POST.get("body", "")
    try:
        bespoke.answer(token=token, body=body)
    except Invalid as refused:
        return _show(request, token, body=body, error=refused.detail, status=422)
    messages.success(request, "Your message is with us.")
    return HttpResponseRedirect(f"/bespoke/{token}", status=303)


def _show(
    request: HttpRequest, token: str, *, body: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    lead, written = bespoke.conversation(token)
    shop = storefront(lead.storefront)
    context = {
        "lead": lead,
        "written": written,
        "shop": shop,
        "layout": f"layouts/{shop.slug}.html",
        "pictures": [
            signed_link(picture.file_id) for picture in lead.pictures.order_by("added_at", "pk")
        ],
        "token": token,
        "body": body,
        "error": error,
    }
    return render(request, "bespoke/conversation.html", context, status=status)
