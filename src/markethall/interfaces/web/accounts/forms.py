from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from markethall.kernel.errors import Problem


def _input(kind: type[forms.TextInput], autocomplete: str, **more: Any) -> forms.TextInput:
    return kind(attrs={"class": "input", "autocomplete": autocomplete, **more})


def _password(label: str, autocomplete: str, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=256,
        strip=False,
        widget=_input(forms.PasswordInput, autocomplete),
    )


def _email() -> forms.EmailField:
    return forms.EmailField(
        label="E-mail address", max_length=254, widget=_input(forms.EmailInput, "email")
    )


def _code(label: str, hint: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        max_length=32,
        widget=_input(forms.TextInput, "one-time-code", autocapitalize="off", spellcheck="false"),
    )


class AccountForm(forms.Form):
    """A form that can show a problem: at the field it names, else on top."""

    field_of: ClassVar[dict[str, str]] = {}

    def show(self, problem: Problem) -> None:
        """Show ``problem`` where it belongs."""
        for error in problem.errors:
            field = self.field_of.get(error.path, error.path)
            self.add_error(field if field in self.fields else None, error.message)
        if not problem.errors:
            text = problem.title
            if problem.detail != problem.title:
                text = f"{problem.title}. {problem.detail}"
            self.add_error(None, text)


class LoginForm(AccountForm):
    email = _email()
    password = _password("Password", "current-password")


class SignUpForm(AccountForm):
    name = forms.CharField(
        label="Your name", max_length=150, required=False, widget=_input(forms.TextInput, "name")
    )
    email = _email()
    password = _password("Password", "new-password", "At least 8 characters.")


class EmailForm(AccountForm):
    email = _email()


class NewPasswordForm(AccountForm):
    password = _password("New password", "new-password", "At least 8 characters.")


class ChangePasswordForm(AccountForm):
    current = _password("Present password", "current-password")
    new = _password("New password", "new-password", "At least 8 characters.")
    field_of: ClassVar[dict[str, str]] = {"currentPassword": "current", "newPassword": "new"}


class CodeForm(AccountForm):
    code = _code("Code", "The six digits of your authenticator app, or a recovery code.")


class ConfirmForm(AccountForm):
    code = _code("Code", "The six digits that the app shows now.")
    setup = forms.CharField(max_length=500, widget=forms.HiddenInput)


class PasswordForm(AccountForm):
    password = _password("Password", "current-password")


class IdentityForm(AccountForm):
    """What to link or unlink, with the password of who has one."""

    password = _password("Your password", "current-password")
    link = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    unlink = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, has_password: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].required = has_password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("link")) == bool(cleaned.get("unlink")):
            raise forms.ValidationError("Choose what to link or to unlink.")
        return cleaned
