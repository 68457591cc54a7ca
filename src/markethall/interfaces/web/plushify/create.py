"""The wizard: photo → style → size and wish → review, and the order to make the picture."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from markethall.content.imaging.errors import InsufficientCredits
from markethall.content.imaging.providers.registry import configured
from markethall.content.imaging.queries import recent_uploads, upload_of
from markethall.content.imaging.rules import MAX_PROMPT
from markethall.flows.generation import start_generation
from markethall.flows.uploads import take_photo
from markethall.foundation.accounts.models import UserSettings
from markethall.foundation.ledger.queries import balance_of
from markethall.foundation.platform.queries import platform_settings
from markethall.interfaces.web import toasts
from markethall.interfaces.web.links import preview_link
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.plushify.styles import SIZES, STYLES, size_label, style_label
from markethall.interfaces.web.plushify.wish import STEPS, Wish
from markethall.kernel import idempotency
from markethall.kernel.errors import Invalid, Problem
from markethall.kernel.ids import new_id


@require_safe
@members_only
def wizard(request: HttpRequest) -> HttpResponse:
    """The first step whose choice is missing; ``at`` goes back to an earlier one."""
    return _show(request, Wish.read(request.GET.dict()))


@require_http_methods(["GET", "POST"])
@members_only(back="/plushify/create")
def photo(request: HttpRequest) -> HttpResponse:
    """Take the photo, then go on to the style."""
    if request.method == "GET":
        return HttpResponseRedirect("/plushify/create")
    try:
        file = request.FILES.get("file")
        if file is None:
            raise Invalid("Choose a photo first.")
        stored = take_photo(
            user_id=member(request).pk,
            file=file,
            size=file.size or 0,
            name=file.name or "",
            declared_type=file.content_type or "",
        )
    except Problem as problem:
        return _show(request, Wish(), problem=problem)
    return HttpResponseRedirect(Wish(photo=stored.pk).url())


@require_http_methods(["GET", "POST"])
@members_only(back="/plushify/create")
def make(request: HttpRequest) -> HttpResponse:
    """Order the picture. The same form sent twice orders one."""
    if request.method == "GET":
        return HttpResponseRedirect("/plushify/create")
    wish = Wish.read(request.POST.dict())
    if wish.step < 4:
        return HttpResponseRedirect(wish.url())
    user_id = member(request).pk

    def act() -> idempotency.Answer:
        made = start_generation(
            user_id=user_id,
            upload_id=wish.photo,  # type: ignore[arg-type]
            style=wish.style,
            size=wish.size,
            prompt=wish.prompt,
        )
        return idempotency.Answer(303, str(made.pk))

    try:
        answer = idempotency.once(
            scope=f"{user_id}:plushify/create/make",
            key=request.POST.get("key") or None,
            request_body=wish.url().encode(),
            act=act,
        )
    except Problem as problem:
        return _show(request, wish, problem=problem)
    return HttpResponseRedirect(f"/plushify/generations/{answer.body}")


def _show(request: HttpRequest, wish: Wish, problem: Problem | None = None) -> HttpResponse:
    """The page of the step. htmx swaps a 422 only, and must not keep a form's address."""
    user_id = member(request).pk
    by_htmx = bool(request.headers.get("HX-Request"))
    context: dict[str, Any] = {
        "wish": wish,
        "step": wish.step,
        "steps": _steps(wish),
        "problem": problem,
        "by_htmx": by_htmx,
    }
    if wish.photo:
        upload = upload_of(user_id, wish.photo)
        context |= {"upload": upload, "photo_url": preview_link(upload.pk)}
    context |= _STEP_CONTEXT[wish.step](request, wish)
    status = problem.status if problem else 200
    page = render(request, "plushify/create.html", context, status=status)
    if problem and by_htmx:
        page.status_code = 422
        page.headers["HX-Push-Url"] = "false"
    if isinstance(problem, InsufficientCredits):
        balance = balance_of(user_id)
        trigger_client_event(page, "balance", {"balance": balance.balance, "held": balance.held})
        pricing = "/plushify/pricing"
        toasts.show(page, [toasts.Toast("warning", problem.detail, pricing, "Get credits")])
    return page


def _steps(wish: Wish) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "url": wish.url(number) if number < wish.step else "",
            "current": number == wish.step,
            "done": number < wish.step,
        }
        for number, label in enumerate(STEPS, 1)
    ]


def _photo_step(request: HttpRequest, wish: Wish) -> dict[str, Any]:
    earlier = [
        {"url": f"/plushify/create?{urlencode({'photo': file.pk})}", "image": preview_link(file.pk)}
        for file in recent_uploads(member(request).pk)
    ]
    return {"earlier": earlier}


def _style_step(request: HttpRequest, wish: Wish) -> dict[str, Any]:
    own = UserSettings.objects.filter(user=member(request)).first() or UserSettings()
    return {"styles": STYLES, "chosen": own.default_style, "next_step": wish.url(3)}


def _detail_step(request: HttpRequest, wish: Wish) -> dict[str, Any]:
    hint = "You find the picture by it later."
    if configured() != "local":
        hint = "The picture will follow it, and you find it by these words later."
    return {
        "sizes": SIZES,
        "chosen": wish.size or "medium",
        "max_prompt": MAX_PROMPT,
        "prompt_hint": hint,
    }


def _review_step(request: HttpRequest, wish: Wish) -> dict[str, Any]:
    balance = balance_of(member(request).pk)
    return {
        "cost": platform_settings().generation_cost,
        "have": balance.balance,
        "left": balance.balance - platform_settings().generation_cost,
        "enough": balance.balance >= platform_settings().generation_cost,
        "key": new_id(),
        "style_label": style_label(wish.style),
        "size_label": size_label(wish.size),
    }


_STEP_CONTEXT = {1: _photo_step, 2: _style_step, 3: _detail_step, 4: _review_step}
