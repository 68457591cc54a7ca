"""Every mail as its reader would see it: by storefront, on a phone and a desk, light and dark."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from markethall.flows.brands import brand_of
from markethall.flows.mail_samples import faces, sample
from markethall.foundation.accounts.permissions import Permission
from markethall.foundation.messaging.rules import KINDS, STOPPABLE
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import Filters, show
from markethall.interfaces.web.console.mails import PREVIEW_POLICY
from markethall.kernel.errors import NotFound

_SCHEMES = ("light", "dark")
_IS_DARK = "(prefers-color-scheme:dark)"


class LookFilters(Filters):
    """What the previews show; the hall's face in light colours unless another is chosen."""

    storefront = forms.ChoiceField(choices=[(face, brand_of(face).name) for face in faces()])
    colours = forms.ChoiceField(choices=[(scheme, scheme) for scheme in _SCHEMES])

    def look(self) -> tuple[str, str]:
        chosen = self.chosen()
        return chosen["storefront"] or "hall", chosen["colours"] or "light"


@require_safe
@staff(Permission.MAIL_READ)
def index(request: StaffRequest) -> HttpResponse:
    rows = [
        {
            "name": name,
            "kind": kind,
            "subject": sample(name, "hall").subject,
            "stoppable": kind in STOPPABLE,
        }
        for name, kind in KINDS.items()
    ]
    return show(request, "console/mail_templates.html", {"title": "Mail templates", "rows": rows})


@require_safe
@staff(Permission.MAIL_READ)
def detail(request: StaffRequest, name: str) -> HttpResponse:
    _known(name)
    filters = LookFilters(request.GET)
    face, scheme = filters.look()
    letter = sample(name, face)
    context = {
        "title": letter.subject,
        "name": name,
        "kind": KINDS[name],
        "stoppable": KINDS[name] in STOPPABLE,
        "filters": filters,
        "sender": brand_of(face).name,
        "text": letter.text,
        "preview_url": f"{request.path}/preview?storefront={face}&colours={scheme}",
    }
    return show(request, "console/mail_template.html", context)


@require_safe
@xframe_options_sameorigin
@staff(Permission.MAIL_READ)
def preview(request: StaffRequest, name: str) -> HttpResponse:
    """The HTML of a sample, for a frame, in the colours that are asked for and not the reader's."""
    _known(name)
    face, scheme = LookFilters(request.GET).look()
    chosen = "all" if scheme == "dark" else "not all"
    html = sample(name, face).html.replace(_IS_DARK, chosen)
    response = HttpResponse(html.replace("(prefers-color-scheme: dark)", chosen))
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


def _known(name: str) -> None:
    if name not in KINDS:
        raise NotFound("There is no mail of this name.")
