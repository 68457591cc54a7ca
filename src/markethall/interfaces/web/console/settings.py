"""The settings that the operator changes while the hall is open."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError

from markethall.foundation.accounts.permissions import Permission, may, require
from markethall.foundation.platform.actions import change_settings
from markethall.foundation.platform.queries import fresh_settings
from markethall.foundation.platform.rules import PlatformSettings
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show


class SettingsForm(forms.Form):
    """A field for each setting; what it may be is checked by the settings themselves."""

    use_required_attribute = False

    def __init__(self, data: Any, *, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial)
        for name, setting in PlatformSettings.model_fields.items():
            self.fields[name] = _field(name, setting.annotation, setting.description or "")

    def refuse(self, error: ValidationError) -> None:
        """Show what the settings said against a value, at its field."""
        for fault in error.errors():
            self.add_error(str(fault["loc"][0]), str(fault["msg"]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.SETTINGS_READ)
def index(request: StaffRequest) -> HttpResponse:
    present = fresh_settings().model_dump()
    form = SettingsForm(None, initial=present)
    status = 200
    if request.method == "POST":
        require(request.user, Permission.SETTINGS_WRITE)
        form, status = SettingsForm(request.POST, initial=present), 422
        if form.is_valid() and _save(request, form):
            messages.success(request, "Saved. It holds everywhere within two seconds.")
            return HttpResponseRedirect(request.path)
    context = {
        "title": "Settings",
        "form": form,
        "may_write": may(request.user, Permission.SETTINGS_WRITE),
    }
    return show(request, "console/settings.html", context, status=status)


def _save(request: StaffRequest, form: SettingsForm) -> bool:
    try:
        change_settings(actor_id=request.user.pk, **form.cleaned_data)
    except ValidationError as error:
        form.refuse(error)
        return False
    return True


def _field(name: str, kind: Any, description: str) -> forms.Field:
    label = name.replace("_", " ").capitalize()
    if kind is bool:
        switch = forms.CheckboxInput(attrs={"role": "switch"})
        return forms.BooleanField(label=label, help_text=description, required=False, widget=switch)
    if kind is int:
        number = forms.NumberInput(attrs={"class": "input input--count"})
        return forms.IntegerField(label=label, help_text=description, widget=number)
    text = forms.TextInput(attrs={"class": "input"})
    return forms.CharField(label=label, help_text=description, required=False, widget=text)
