from __future__ import annotations

import uuid
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.messaging.models import Mail
from markethall.foundation.messaging.queries import links_in, outbox
from markethall.interfaces.jobs.periodic import enqueue_all_periodic
from markethall.kernel import clock
from markethall.kernel.errors import NotFound
from markethall.kernel.pagination import paginate

_FARTHEST = timedelta(days=3650)  # ahead of real time, in all
_MOST_DIGITS = 7
# A mail brings its own styles, and nothing that runs or loads.
_MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
    " allow-popups allow-popups-to-escape-sandbox"
)


@require_safe
def outbox_page(request: HttpRequest) -> HttpResponse:
    """Mails, newest first."""
    to = request.GET.get("to", "").replace("\x00", "").strip()
    page = paginate(outbox(to), order=["-id"], limit=30, cursor=request.GET.get("cursor"))
    return render(request, "dev/outbox.html", {"page": page, "to": to, "theme": "hall"})


@require_safe
def mail_page(request: HttpRequest, mail_id: uuid.UUID) -> HttpResponse:
    """One mail as its reader sees it."""
    mail = _mail(mail_id)
    return render(request, "dev/mail.html", {"mail": mail, "links": links_in(mail)})


@require_safe
@xframe_options_sameorigin
def mail_body(request: HttpRequest, mail_id: uuid.UUID) -> HttpResponse:
    """The HTML part alone, for the frame."""
    response = HttpResponse(_mail(mail_id).html)
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@require_POST
def turn_clock(request: HttpRequest) -> HttpResponse:
    """Turn the sandbox's clock, and do at once what is due by then."""
    if request.POST.get("reset"):
        clock.reset()
        messages.success(request, "The clock shows real time again.")
        return redirect("/")
    by = min(_span(request), max(_FARTHEST - clock.offset(), timedelta()))
    clock.turn(by)
    enqueue_all_periodic()
    messages.success(request, f"It is now {clock.now():%-d %B %Y, %H:%M} UTC.")
    return redirect("/")


def _span(request: HttpRequest) -> timedelta:
    units = ("days", "hours", "minutes")
    given = {unit: request.POST.get(unit, "") for unit in units}
    return timedelta(
        **{
            unit: int(text)
            for unit, text in given.items()
            if text.isdecimal() and len(text) <= _MOST_DIGITS
        }
    )


def _mail(mail_id: uuid.UUID) -> Mail:
    mail = Mail.objects.filter(pk=mail_id).first()
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail
