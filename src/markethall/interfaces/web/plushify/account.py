"""Settings, and everything about one's account."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.flows.erasure import erase_own_account
from markethall.flows.export import export_of
from markethall.foundation.accounts import belongings, second_factor
from markethall.foundation.accounts.actions import update_profile
from markethall.foundation.accounts.by_provider import links_of
from markethall.foundation.accounts.limits import count_by_account
from markethall.interfaces.web.accounts.scene import providers
from markethall.interfaces.web.members import member, members_only
from markethall.interfaces.web.plushify.forms import (
    DeleteForm,
    KeyForm,
    NameForm,
    PageForm,
    SettingsForm,
)
from markethall.kernel.errors import Problem

ACCOUNT = "/plushify/account"
SETTINGS = "/plushify/settings"


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(back=SETTINGS)
def settings_page(request: HttpRequest) -> HttpResponse:
    """The default style, and which mails to get."""
    user = member(request)
    if request.method == "POST":
        form = SettingsForm(request.POST)
        if form.is_valid():
            belongings.change_settings(user=user, **form.cleaned_data)
            messages.success(request, "Saved.")
            return HttpResponseRedirect(SETTINGS)
    else:
        own = belongings.settings_of(user.pk)
        form = SettingsForm(initial={name: getattr(own, name) for name in SettingsForm.base_fields})
    status = 422 if form.errors else 200
    return render(request, "plushify/settings.html", {"form": form}, status=status)


@require_safe
@members_only
def account(request: HttpRequest) -> HttpResponse:
    """Name, password, second factor, sign-ins, keys, export, and the way out."""
    return _show(request)


@require_POST
@members_only(back=ACCOUNT)
def change_name(request: HttpRequest) -> HttpResponse:
    """Change the name that mails and receipts use."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _show(request, name_form=form)
    update_profile(user=member(request), name=form.cleaned_data["name"])
    messages.success(request, "Saved.")
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@members_only(back=ACCOUNT)
def make_key(request: HttpRequest) -> HttpResponse:
    """Make an API key, and show it this once."""
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            secret = belongings.make_api_key(user=member(request), name=form.cleaned_data["name"])
            return _show(request, new_key=secret[1])
        except Problem as problem:
            form.show(problem)
    return _show(request, key_form=form)


@require_POST
@members_only(back=ACCOUNT)
def revoke_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """End an API key."""
    belongings.revoke_api_key(user=member(request), key_id=key_id)
    messages.success(request, "The key no longer works.")
    return HttpResponseRedirect(ACCOUNT)


@require_POST
@members_only(back=ACCOUNT)
def export(request: HttpRequest) -> HttpResponse:
    """All that is kept about a person, as a JSON file."""
    user = member(request)
    count_by_account("export", user.pk)
    content = json.dumps(export_of(user), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
    return HttpResponse(
        content,
        content_type="application/json; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="markethall-export.json"'},
    )


@require_POST
@members_only(back=ACCOUNT)
def delete(request: HttpRequest) -> HttpResponse:
    """Erase the account, with the password."""
    user = member(request)
    form = DeleteForm(request.POST, has_password=user.has_usable_password())
    if not form.is_valid():
        return _show(request, delete_form=form)
    try:
        erase_own_account(user=user, password=form.cleaned_data["password"])
    except Problem as problem:
        form.show(problem)
        return _show(request, delete_form=form)
    request.session.flush()
    messages.success(request, "Your account is deleted. Come back any time.")
    return HttpResponseRedirect("/plushify")


def _show(request: HttpRequest, **forms: Any) -> HttpResponse:
    """The account page; a form with errors is shown in place of the empty one."""
    user = member(request)
    has_password = user.has_usable_password()
    wrong = any(isinstance(form, PageForm) and form.errors for form in forms.values())
    context = {
        "name_form": NameForm(initial={"name": user.name}),
        "key_form": KeyForm(auto_id="key_%s"),
        "delete_form": DeleteForm(has_password=has_password),
        "has_password": has_password,
        "has_second_factor": second_factor.is_on(user),
        "sign_ins": links_of(user),
        "providers": providers(request),
        "keys": belongings.api_keys(user),
        **forms,
    }
    return render(request, "plushify/account.html", context, status=422 if wrong else 200)
