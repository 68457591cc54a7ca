"""The second factor: its step of a sign-in, and turning it on and off."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.internal.decorators import login_stage_required
from allauth.mfa.stages import AuthenticateStage
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from markethall.foundation.accounts import second_factor
from markethall.foundation.accounts.models import User
from markethall.interfaces.web.accounts import forms
from markethall.interfaces.web.accounts.scene import page, with_scene
from markethall.kernel.errors import Problem

_HERE = "/second-factor"


@sensitive_post_parameters()
@login_stage_required(stage=AuthenticateStage.key, redirect_urlname="account_login")
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest) -> HttpResponseBase:
    """The second step of a sign-in."""
    stage = request._login_stage  # type: ignore[attr-defined]
    form = forms.CodeForm(request.POST or None)
    problem: Problem | None = None
    if form.is_valid():
        try:
            second_factor.check(user=stage.login.user, code=form.cleaned_data["code"])
        except Problem as refused:
            problem = refused
        else:
            return cast(HttpResponseBase, stage.exit())
    return page(request, "second_factor_step", form=form, problem=problem)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponseBase:
    """Whether it is on, and the ways to change that. POST begins to turn it on."""
    user = cast(User, request.user)
    if request.method == "POST":
        try:
            return _setup_page(request, second_factor.begin(user=user), forms.ConfirmForm())
        except Problem:
            return redirect(with_scene(request, _HERE))
    return _home_page(request, user)


@never_cache
@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponseBase:
    """The first code turns it on; the recovery codes are shown this once."""
    user = cast(User, request.user)
    form = forms.ConfirmForm(request.POST)
    try:
        setup = second_factor.resume(user=user, token=request.POST.get("setup", ""))
        if not form.is_valid():
            return _setup_page(request, setup, form)
        codes = second_factor.confirm(user=user, token=setup.token, code=form.cleaned_data["code"])
    except second_factor.SecondFactorState as problem:
        messages.error(request, problem.detail)
        return redirect(with_scene(request, _HERE))
    except Problem as problem:
        return _setup_page(request, setup, form, problem)
    return page(request, "recovery_codes", codes=codes)


@never_cache
@sensitive_post_parameters()
@login_required
@require_POST
def turn_off(request: HttpRequest) -> HttpResponseBase:
    """Back to the password alone."""
    user = cast(User, request.user)
    form = forms.PasswordForm(request.POST)
    try:
        if form.is_valid():
            second_factor.turn_off(user=user, password=form.cleaned_data["password"])
            messages.success(request, "The second factor is off.")
            return redirect(with_scene(request, _HERE))
    except Problem as problem:
        return _home_page(request, user, off=form, problem=problem)
    return _home_page(request, user, off=form)


@never_cache
@sensitive_post_parameters()
@login_required
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponseBase:
    """New recovery codes in place of the old ones."""
    user = cast(User, request.user)
    form = forms.PasswordForm(request.POST)
    try:
        if form.is_valid():
            codes = second_factor.renew_recovery_codes(
                user=user, password=form.cleaned_data["password"]
            )
            return page(request, "recovery_codes", codes=codes)
    except Problem as problem:
        return _home_page(request, user, codes=form, problem=problem)
    return _home_page(request, user, codes=form)


def _home_page(
    request: HttpRequest,
    user: User,
    *,
    off: forms.PasswordForm | None = None,
    codes: forms.PasswordForm | None = None,
    problem: Problem | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "is_on": second_factor.is_on(user),
        "codes_left": second_factor.unused_recovery_codes(user),
        "has_password": user.has_usable_password(),
        "off_form": off or forms.PasswordForm(prefix=None, auto_id="off_%s"),
        "codes_form": codes or forms.PasswordForm(prefix=None, auto_id="codes_%s"),
    }
    return page(request, "second_factor", form=off or codes, problem=problem, **context)


def _setup_page(
    request: HttpRequest,
    setup: second_factor.Setup,
    form: forms.ConfirmForm,
    problem: Problem | None = None,
) -> HttpResponse:
    form.initial["setup"] = setup.token
    picture = second_factor.qr_svg(setup.url).split("?>", 1)[-1]
    return page(
        request,
        "second_factor_setup",
        form=form,
        problem=problem,
        setup=setup,
        # Drawn by the QR library from our own address: path data only.
        picture=mark_safe(picture),  # noqa: S308
    )
