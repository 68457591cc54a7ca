"""Reviews: what customers say of products, and hiding what breaks the rules."""

from __future__ import annotations

import uuid

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    invalid,
    show_list,
)
from markethall.kernel.pagination import paginate
from markethall.trade.catalog.actions.reviews import hide_review
from markethall.trade.catalog.errors import ReviewMissing
from markethall.trade.catalog.models import Review
from markethall.trade.catalog.queries import reviews_kept

_PATH = "/console/reviews"
_STARS = [("", "Any stars"), *((str(n), f"{n} star{'s'[: n > 1]}") for n in range(5, 0, -1))]
_COLUMNS = [
    {"label": "Product"},
    {"label": "Review"},
    {"label": "By"},
    {"label": "State"},
    {"label": "Written", "num": True},
    {"label": "Act"},
]


class ReviewFilters(Filters):
    product = forms.CharField(label="Product (slug or id)", max_length=80)
    stars = forms.TypedChoiceField(choices=_STARS, coerce=int, empty_value=None)
    state = forms.ChoiceField(choices=choices(("shown", "hidden"), "Any state"))


class StateForm(forms.Form):
    act = forms.ChoiceField(choices=[("hide", "Hide"), ("show", "Show again")])
    reason = forms.CharField(
        max_length=500, error_messages={"required": "Say why: it stands in the audit log."}
    )


@require_safe
@staff(Permission.CATALOG_WRITE)
def index(request: StaffRequest) -> HttpResponse:
    filters = ReviewFilters(request.GET)
    chosen = filters.chosen()
    found = reviews_kept(**{**chosen, "stars": chosen["stars"] or None})
    page = paginate(found, order=["-id"], limit=ROWS, cursor=cursor_of(request))
    context = {
        "title": "Reviews",
        "columns": _COLUMNS,
        "empty_title": "Nobody has reviewed anything yet",
        "empty_text": "What customers say of what they bought stands here.",
        "empty_icon": "star",
    }
    return show_list(request, "console/reviews.html", page, context, filters=filters)


@require_POST
@staff(Permission.CATALOG_WRITE)
def change(request: StaffRequest, review_id: uuid.UUID) -> HttpResponse:
    """Hide a review, or show it again, and say why."""
    form = StateForm(request.POST)
    if not form.is_valid():
        raise invalid(form)
    product_id = Review.objects.filter(pk=review_id).values_list("product", flat=True).first()
    if product_id is None:
        raise ReviewMissing
    hidden = form.cleaned_data["act"] == "hide"
    hide_review(
        product_id=product_id,
        review_id=review_id,
        hidden=hidden,
        reason=form.cleaned_data["reason"],
        actor_id=request.user.pk,
    )
    text = f"The review is {'hidden' if hidden else 'shown again'}."
    return done(request, text, to=_PATH, again=lambda: HttpResponse(status=204))
