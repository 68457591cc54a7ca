from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.flows import bespoke
from markethall.foundation.files.links import signed_link
from markethall.kernel.errors import Invalid
from markethall.trade.catalog.storefronts import storefront
from markethall.trade.leads.errors import LeadMissing, LinkEnded


@require_safe
@never_cache
def conversation(request: HttpRequest, token: str) -> HttpResponse:
    """What was asked for and written since."""
    try:
        return _show(request, token)
    except (LeadMissing, LinkEnded) as refused:
        return _lead_on(request, refused)


@require_POST
@never_cache
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Write back. What cannot be sent stays in the form, or is shown for taking along."""
    body = request.POST.get("body", "")
    try:
        bespoke.answer(token=token, body=body)
    except Invalid as refused:
        return _show(request, token, body=body, error=refused.detail, status=422)
    except (LeadMissing, LinkEnded) as refused:
        return _lead_on(request, refused, body)
    messages.success(request, "Your message is with us.")
    return HttpResponseRedirect(f"/bespoke/{token}", status=303)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask_for_link(request: HttpRequest) -> HttpResponse:
    """Have new links mailed. The answer is the same whether or not an address is known."""
    if request.method != "POST":
        return render(request, "bespoke/link.html", {"is_sent": "sent" in request.GET})
    email = request.POST.get("email", "").replace("\x00", "")[:254]
    try:
        bespoke.send_links(email)
    except Invalid as refused:
        context = {"email": email, "error": refused.detail}
        return render(request, "bespoke/link.html", context, status=422)
    return HttpResponseRedirect("/bespoke/link?sent", status=303)


def _lead_on(
    request: HttpRequest, refused: LeadMissing | LinkEnded, body: str = ""
) -> HttpResponse:
    context = {"has_ended": isinstance(refused, LinkEnded), "is_wrong": True, "body": body}
    return render(request, "bespoke/link.html", context, status=refused.status)


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
