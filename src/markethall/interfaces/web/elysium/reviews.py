"""Saying what one thinks of a piece that one has bought."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from markethall.flows.reviews import may_review, review_product, reviewed
from markethall.interfaces.web.elysium.frame import STOREFRONT
from markethall.interfaces.web.members import member, members_only
from markethall.trade.catalog.errors import AlreadyReviewed, NotBought
from markethall.trade.catalog.queries import product_shown

_STARS = ((1, "Poor"), (2, "Fair"), (3, "Good"), (4, "Very good"), (5, "Excellent"))


class ReviewForm(forms.Form):
    rating = forms.TypedChoiceField(
        choices=_STARS, coerce=int, error_messages={"required": "Choose from one to five stars."}
    )
    title = forms.CharField(
        label="In a few words",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label="What should others know?",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 5}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def review(request: HttpRequest, slug: str) -> HttpResponse:
    """Review a piece, once. It stands on its page at once; staff can hide it."""
    user, detail = member(request), product_shown(STOREFRONT, slug)
    product, page = detail.product, f"/elysium/pieces/{slug}"
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            review_product(product=product, user=user, **form.cleaned_data)
        except AlreadyReviewed as problem:
            messages.info(request, f"{problem.title}.")
        else:
            messages.success(request, "Thank you. Others read it here from now on.")
        return HttpResponseRedirect(f"{page}#reviews", status=303)
    if not may_review(product_id=product.pk, user_id=user.pk):
        if not reviewed([product.pk], user_id=user.pk):
            raise NotBought("A piece is reviewed by those who have bought it with their account.")
        messages.info(request, f"{AlreadyReviewed.title}.")
        return HttpResponseRedirect(f"{page}#reviews", status=303)
    context = {
        "form": form,
        "product": product,
        "picture": detail.images[0] if detail.images else None,
        "stars": [(str(number), name) for number, name in _STARS],
        "path": page,
    }
    return render(request, "elysium/review.html", context, status=422 if form.errors else 200)
