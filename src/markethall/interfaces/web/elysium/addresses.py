"""Forms of addresses. What an address must be is checked where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms.utils import ErrorDict

from markethall.foundation.accounts.models import Address
from markethall.kernel.countries import countries
from markethall.kernel.errors import FieldError
from markethall.trade.shipping.addresses import NEED_REGION

FIELDS = (
    "country",
    "name",
    "company",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "phone",
)
_SNAKE = {"postalCode": "postal_code"}


def _text(label: str, length: int, autocomplete: str, *, needed: bool = True) -> forms.CharField:
    kind = "tel" if autocomplete == "tel" else "text"
    widget = forms.TextInput(attrs={"class": "input", "autocomplete": autocomplete, "type": kind})
    return forms.CharField(label=label, max_length=length, required=needed, widget=widget)


class AddressForm(forms.Form):
    """An address as it is typed. ``prefix`` is shipping or billing, which browsers fill in for."""

    country = forms.ChoiceField(
        label="Country",
        widget=forms.Select(attrs={"class": "select", "autocomplete": "country"}),
    )
    name = _text("Full name", 150, "name")
    company = _text("Company", 150, "organization", needed=False)
    line1 = _text("Street and number", 200, "address-line1")
    line2 = _text("Apartment, floor", 200, "address-line2", needed=False)
    postal_code = _text("Postal code", 20, "postal-code")
    city = _text("City", 100, "address-level2")
    region = _text("State or province", 100, "address-level1", needed=False)
    phone = _text("Phone, for the courier", 32, "tel", needed=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        country: Any = self.fields["country"]
        country.choices = [("", "Choose"), *countries().items()]
        if self["country"].value() in NEED_REGION:
            self.fields["region"].required = True
        for field in self.fields.values():
            told = field.widget.attrs["autocomplete"]
            if self.prefix:
                field.widget.attrs["autocomplete"] = f"{self.prefix} {told}"

    def typed(self) -> dict[str, str]:
        """What was typed, checked by nobody yet."""
        return {name: str(self[name].value() or "") for name in FIELDS}

    def full_clean(self) -> None:
        """Nothing is wrong until ``show`` says so."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def show(self, errors: Iterable[FieldError]) -> None:
        """Show what is wrong beside the fields that it names."""
        self.full_clean()
        for error in errors:
            name = error.path.rpartition(".")[2]
            self.add_error(_SNAKE.get(name, name), error.message)


def initial_of(address: Address | Mapping[str, Any] | None) -> dict[str, Any]:
    """What a form begins with."""
    if address is None:
        return {}
    if isinstance(address, Mapping):
        return dict(address)
    return {name: getattr(address, name) for name in FIELDS}


def one_line(address: Address) -> str:
    """An address in a list to choose from."""
    return ", ".join(each for each in (address.name, address.line1, address.city) if each)
