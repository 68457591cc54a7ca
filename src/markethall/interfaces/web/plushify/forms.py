from __future__ import annotations

from typing import Any

from django import forms

from markethall.content.imaging.models import Style
from markethall.kernel.errors import Problem


def _input(kind: type[forms.TextInput], autocomplete: str) -> forms.TextInput:
    return kind(attrs={"class": "input", "autocomplete": autocomplete})


class PageForm(forms.Form):
    """A form that can show a problem: at the field it names, else on top."""

    def show(self, problem: Problem) -> None:
        """Show ``problem`` where it belongs."""
        for error in problem.errors:
            self.add_error(error.path if error.path in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)


class SettingsForm(PageForm):
    default_style = forms.ChoiceField(
        label="Default style",
        choices=Style.choices,
        widget=forms.Select(attrs={"class": "select"}),
    )
    email_notifications = forms.BooleanField(required=False)
    marketing_emails = forms.BooleanField(required=False)


class NameForm(PageForm):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        required=False,
        widget=_input(forms.TextInput, "name"),
    )


class KeyForm(PageForm):
    name = forms.CharField(
        label="What is it for?", max_length=100, widget=_input(forms.TextInput, "off")
    )


class DeleteForm(PageForm):
    password = forms.CharField(
        label="Your password",
        max_length=256,
        strip=False,
        widget=_input(forms.PasswordInput, "current-password"),
    )

    def __init__(self, *args: Any, has_password: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].required = has_password
