"""The log of mails: what was sent, what failed, and how it looked."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.messaging.actions import resend as resend_mail
from markethall.foundation.messaging.errors import MailMissing
from markethall.foundation.messaging.models import Mail, MailStatus
from markethall.foundation.messaging.queries import mails, without_secrets
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    show,
    show_list,
)
from markethall.kernel.pagination import paginate

_COLUMNS = [
    {"label": "Subject"},
    {"label": "To"},
    {"label": "Template"},
    {"label": "Status"},
    {"label": "Tries", "num": True},
    {"label": "Written", "num": True},
]
# A mail's own styles and pictures, and nothing that runs, sends or leads anywhere.
PREVIEW_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'self'"
)


class MailFilters(Filters):
    to = forms.CharField(label="To (start of the address)", max_length=254)
    status = forms.ChoiceField(choices=choices(MailStatus.values, "Any status"))
    template = forms.CharField(label="Template", max_length=64)


@require_safe
@staff(Permission.MAIL_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = MailFilters(request.GET)
    chosen = filters.chosen()
    page = paginate(mails(**chosen), order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Mails",
        "columns": _COLUMNS,
        "empty_title": "No mail has been written yet",
        "empty_text": "Every mail to a person is kept here with its state, sent or not.",
        "empty_icon": "mail",
    }
    return show_list(request, "console/mails.html", page, context, filters=filters)


@require_safe
@staff(Permission.MAIL_READ)
def detail(request: StaffRequest, mail_id: uuid.UUID) -> HttpResponse:
    return _show(request, mail_id)


@require_safe
@xframe_options_sameorigin
@staff(Permission.MAIL_READ)
def preview(request: StaffRequest, mail_id: uuid.UUID) -> HttpResponse:
    """The HTML of a mail, for a frame: it can run nothing and reach nothing."""
    _, html = without_secrets(_mail(mail_id))
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@require_POST
@staff(Permission.MAIL_SEND)
def resend(request: StaffRequest, mail_id: uuid.UUID) -> HttpResponse:
    mail = resend_mail(mail_id, actor_id=request.user.pk)
    return done(
        request,
        f"The mail to {mail.to} is on its way again.",
        to=f"/console/mails/{mail_id}",
        again=lambda: _show(request, mail_id),
    )


def _mail(mail_id: uuid.UUID) -> Mail:
    mail = Mail.objects.filter(pk=mail_id).first()
    if mail is None:
        raise MailMissing
    return mail


def _show(request: StaffRequest, mail_id: uuid.UUID) -> HttpResponse:
    mail = _mail(mail_id)
    text, _ = without_secrets(mail)
    context = {"title": mail.subject, "mail": mail, "text": text}
    return show(request, "console/mail.html", context)
