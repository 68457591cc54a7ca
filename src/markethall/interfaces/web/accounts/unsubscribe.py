"""Ending a kind of mail: by a mail program's button (RFC 8058), or on a page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from markethall.foundation.accounts import limits
from markethall.foundation.accounts.unsubscribing import follow, wish_of
from markethall.foundation.messaging.rules import Kind
from markethall.interfaces.web.accounts.scene import page

_WHAT = {Kind.NOTICE: "mails about your pictures", Kind.MARKETING: "news and offers by mail"}


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """Opening the link changes nothing: programs that look into mails open links. POST does, with
    no session and no cookie: the signed link is the proof, and mail programs have nothing else."""
    limits.count_by_address("verify")
    wish = wish_of(token)
    done = ""
    if request.method == "POST":
        wanted = bool(request.POST.get("again"))
        follow(wish, wanted=wanted)
        done = "again" if wanted else "stopped"
    return page(request, "unsubscribe", what=_WHAT[wish.kind], done=done, here=request.path)
