"""Signing up, in and out; verification; passwords."""

from __future__ import annotations

from typing import cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from markethall.foundation.accounts import actions, limits, sign_in
from markethall.foundation.accounts.errors import EmailUnverified, LinkInvalid
from markethall.foundation.accounts.models import User
from markethall.interfaces.web.accounts import forms
from markethall.interfaces.web.accounts.scene import (
    destination,
    next_of,
    page,
    providers,
    with_scene,
)
from markethall.kernel.errors import Problem

_form_page = require_http_methods(["GET", "HEAD", "POST"])
_PENDING = "pending_email"


@never_cache
@sensitive_post_parameters()
@_form_page
def login(request: HttpRequest) -> HttpResponseBase:
    """Sign in by password, or by a provider."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    form = forms.LoginForm(request.POST or None)
    problem: Problem | None = None
    if form.is_valid():
        try:
            user = sign_in.check_credentials(**form.cleaned_data)
        except EmailUnverified:
            request.session[_PENDING] = form.cleaned_data["email"]
            return redirect(with_scene(request, "/verify-email"))
        except Problem as refused:
            problem = refused
        else:
            return _complete(request, user)
    return page(request, "login", form=form, problem=problem, providers=providers(request))


def _complete(request: HttpRequest, user: User) -> HttpResponseBase:
    """Through allauth's stages: a second factor, where one is on, and then the session."""
    step = Login(user=user, email=user.email, redirect_url=destination(request))
    answer = perform_password_login(request, {"email": user.email}, step)
    return cast(HttpResponseBase, answer)


@never_cache
@sensitive_post_parameters()
@_form_page
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Open an account."""
    if request.user.is_authenticated:
        return redirect(destination(request))
    form = forms.SignUpForm(request.POST or None)
    problem: Problem | None = None
    if form.is_valid():
        try:
            actions.register(**form.cleaned_data)
        except Problem as refused:
            problem = refused
        else:
            request.session[_PENDING] = form.cleaned_data["email"]
            return redirect(with_scene(request, "/verify-email"))
    return page(request, "signup", form=form, problem=problem, providers=providers(request))


@never_cache
@_form_page
def logout(request: HttpRequest) -> HttpResponseBase:
    """Sign out. A link alone asks first."""
    if request.method == "POST":
        limits.count_by_address("session")
        sign_in.sign_out(request)
        return redirect(next_of(request) or destination(request))
    if not request.user.is_authenticated:
        return redirect(destination(request))
    return page(request, "logout")


@never_cache
@_form_page
def verification_sent(request: HttpRequest) -> HttpResponseBase:
    """Check your mail; or have the link sent again."""
    pending = request.session.get(_PENDING, "")
    form = forms.EmailForm(request.POST or None, initial={"email": pending})
    problem: Problem | None = None
    if form.is_valid():
        try:
            actions.request_verification(email=form.cleaned_data["email"])
        except Problem as refused:
            problem = refused
        else:
            request.session[_PENDING] = form.cleaned_data["email"]
            messages.success(request, "If that account waits for it, the link is on its way.")
            return redirect(with_scene(request, "/verify-email"))
    return page(request, "verification_sent", form=form, problem=problem, pending=pending)


@never_cache
@require_GET
def verify_email(request: HttpRequest, key: str) -> HttpResponseBase:
    """The mailed link: the address is verified, and nobody signed in."""
    try:
        actions.verify_email(key=key)
    except LinkInvalid as problem:
        return page(request, "link_invalid", problem=problem, again="/verify-email")
    return page(request, "verified")


@never_cache
@_form_page
def forgot_password(request: HttpRequest) -> HttpResponseBase:
    """Ask for a link to set a new password."""
    form = forms.EmailForm(request.POST or None)
    problem: Problem | None = None
    if form.is_valid():
        try:
            actions.request_password_reset(email=form.cleaned_data["email"])
        except Problem as refused:
            problem = refused
        else:
            return page(request, "reset_sent", email=form.cleaned_data["email"])
    return page(request, "forgot_password", form=form, problem=problem)


@never_cache
@sensitive_post_parameters()
@_form_page
def reset_password(request: HttpRequest, key: str) -> HttpResponseBase:
    """The mailed link: set a new password."""
    form = forms.NewPasswordForm(request.POST or None)
    problem: Problem | None = None
    try:
        actions.user_of_reset(key)
        if form.is_valid():
            actions.reset_password(token=key, password=form.cleaned_data["password"])
            messages.success(request, "Your new password is set. Sign in with it.")
            return redirect(with_scene(request, "/login"))
    except LinkInvalid as refused:
        return page(request, "link_invalid", problem=refused, again="/forgot-password")
    except Problem as refused:
        problem = refused
    return page(request, "reset_password", form=form, problem=problem)


@never_cache
@sensitive_post_parameters()
@login_required
@_form_page
def change_password(request: HttpRequest) -> HttpResponseBase:
    """Replace one's password; this browser stays signed in, all others do not."""
    form = forms.ChangePasswordForm(request.POST or None)
    problem: Problem | None = None
    if form.is_valid():
        try:
            user = actions.change_password(
                user=cast(User, request.user),
                present=form.cleaned_data["current"],
                password=form.cleaned_data["new"],
            )
        except Problem as refused:
            problem = refused
        else:
            auth.update_session_auth_hash(request, user)
            messages.success(request, "Your password is changed.")
            return redirect(destination(request))
    return page(request, "change_password", form=form, problem=problem)


@require_GET
def inactive(request: HttpRequest) -> HttpResponseBase:
    """For someone whose account has been closed."""
    return page(request, "inactive")
