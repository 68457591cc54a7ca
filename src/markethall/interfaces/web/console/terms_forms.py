"""Forms of what an order is sold on: codes, methods and their prices, tax rates. Amounts are typed
in major units, percentages as per cents."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from django import forms

from markethall.kernel.countries import countries
from markethall.kernel.errors import Problem
from markethall.kernel.money import minor_digits, of_decimal
from markethall.trade.catalog.models import TaxCategory
from markethall.trade.catalog.storefronts import storefront, storefronts
from markethall.trade.shipping.actions import Price
from markethall.trade.shipping.models import MethodKind, ShippingMethod
from markethall.trade.taxes.models import TaxRate
from markethall.trade.vouchers.models import Voucher, VoucherKind

_CLASSES = {forms.Select: "select", forms.CheckboxInput: "", forms.Textarea: "textarea"}
_KINDS = {
    VoucherKind.PERCENTAGE: "A percentage of the goods",
    VoucherKind.AMOUNT: "An amount off the goods",
    VoucherKind.FREE_SHIPPING: "Free shipping",
}
_MOST = Decimal(10**9)


class TermsForm(forms.Form):
    """A form whose faults may come from the rules, by field."""

    use_required_attribute = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            name = next(
                (_CLASSES[kind] for kind in _CLASSES if isinstance(field.widget, kind)), "input"
            )
            if name:
                field.widget.attrs.setdefault("class", name)

    def refuse(self, problem: Problem) -> None:
        """Show what was said against a value at its field, or above all of them."""
        for error in problem.errors:
            name = re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", error.path)
            field = _FIELDS.get(name, name)
            self.add_error(field if field in self.fields else None, error.message)
        if not problem.errors:
            self.add_error(None, problem.detail)

    def minor(self, name: str, currency: str) -> int | None:
        """A typed amount in minor units; None where nothing was typed."""
        value = self.cleaned_data.get(name)
        if value is None:
            return None
        try:
            return of_decimal(value, currency).amount
        except ValueError as error:
            self.add_error(name, str(error))
            return None


# What the rules call otherwise than the forms.
_FIELDS = {"basis_points": "percent"}


def _shops() -> list[tuple[str, str]]:
    """Storefronts, those first that send goods."""
    sending = set(ShippingMethod.objects.values_list("storefront", flat=True).distinct())
    ordered = sorted(storefronts(), key=lambda slug: slug not in sending)
    return [(slug, storefront(slug).name) for slug in ordered]


def _currencies() -> list[tuple[str, str]]:
    known = dict.fromkeys(code for slug in storefronts() for code in storefront(slug).currencies)
    return [("", "Any"), *((code, code) for code in known)]


def _amount(label: str, hint: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=hint, required=False, min_value=Decimal(0), max_value=_MOST
    )


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(label=label, required=False, widget=widget)


class WorthForm(TermsForm):
    """What a code takes off, and when."""

    storefront = forms.ChoiceField(choices=_shops)
    kind = forms.ChoiceField(label="Takes off", choices=list(_KINDS.items()))
    percent = forms.DecimalField(
        label="Per cent", required=False, min_value=Decimal(0), max_value=100, decimal_places=2
    )
    amount = _amount("Amount")
    currency = forms.ChoiceField(
        choices=_currencies, required=False, help_text="Needed for an amount and for a minimum."
    )
    minimum = _amount("Goods for at least")
    starts_at = _moment("From (UTC)")
    ends_at = _moment("Until (UTC)")
    max_uses = forms.IntegerField(label="Uses in all", required=False, min_value=1, max_value=10**6)
    max_uses_each = forms.IntegerField(
        label="Uses by one person", required=False, min_value=1, max_value=10**6
    )
    note = forms.CharField(max_length=200, required=False, help_text="Customers do not see it.")

    def worth(self) -> dict[str, Any]:
        """The model's fields. Adds an error for an amount that its currency cannot have."""
        given = self.cleaned_data
        currency, percent = given["currency"], given["percent"]
        is_percentage = given["kind"] == VoucherKind.PERCENTAGE
        is_amount = given["kind"] == VoucherKind.AMOUNT
        names = ("storefront", "kind", "starts_at", "ends_at", "max_uses", "max_uses_each", "note")
        return {
            **{name: given[name] for name in names},
            "currency": currency,
            "basis_points": int(percent * 100) if is_percentage and percent else None,
            "amount": self.minor("amount", currency or "USD") if is_amount else None,
            "minimum": self.minor("minimum", currency or "USD") or 0,
        }


class VoucherForm(WorthForm):
    code = forms.CharField(max_length=40, help_text="Letters, digits, hyphens.")
    is_active = forms.BooleanField(label="Can be used", required=False, initial=True)
    field_order = ("code", "storefront", "kind")

    @staticmethod
    def of(voucher: Voucher) -> dict[str, Any]:
        """What the form shows of a voucher."""
        digits = minor_digits(voucher.currency) if voucher.currency else 2
        shown = {
            name: getattr(voucher, name) for name in VoucherForm.base_fields if name != "percent"
        }
        shown["percent"] = _percent(voucher.basis_points)
        shown["amount"] = _major(voucher.amount, digits)
        shown["minimum"] = _major(voucher.minimum or None, digits)
        return shown


class CodesForm(WorthForm):
    count = forms.IntegerField(label="How many", min_value=1, max_value=1000, initial=50)
    prefix = forms.CharField(max_length=20, required=False, help_text="GIFT makes GIFT-7K3Q-92XD.")
    field_order = ("count", "prefix", "storefront", "kind")


class MethodForm(TermsForm):
    storefront = forms.ChoiceField(choices=_shops)
    code = forms.SlugField(max_length=40)
    name = forms.CharField(max_length=80)
    description = forms.CharField(max_length=200, required=False)
    kind = forms.ChoiceField(
        label="Priced", choices=[(MethodKind.FLAT, "Flat"), (MethodKind.WEIGHT, "By weight")]
    )
    countries = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Two-letter codes with spaces between; none for everywhere.",
    )
    days_min = forms.IntegerField(label="Days, at least", min_value=0, max_value=365, initial=1)
    days_max = forms.IntegerField(label="Days, at most", min_value=0, max_value=365, initial=5)
    tax_category = forms.ChoiceField(label="Taxed as", choices=TaxCategory.choices)
    position = forms.IntegerField(label="Place in the list", min_value=0, max_value=1000, initial=0)
    is_active = forms.BooleanField(label="Is offered", required=False, initial=True)

    def method(self) -> dict[str, Any]:
        """The model's fields."""
        listed = re.split(r"[\s,;]+", self.cleaned_data["countries"].upper().strip())
        return {**self.cleaned_data, "countries": [code for code in listed if code]}

    @staticmethod
    def of(method: ShippingMethod) -> dict[str, Any]:
        """What the form shows of a method."""
        shown = {name: getattr(method, name) for name in MethodForm.base_fields}
        return {**shown, "countries": " ".join(method.countries)}


class PriceForm(TermsForm):
    currency = forms.ChoiceField(choices=_currencies, required=False)
    amount = _amount("Price")
    up_to_grams = forms.IntegerField(
        label="Up to (g)", required=False, min_value=1, max_value=10**8
    )
    free_from = _amount("Free from")

    def price(self) -> Price | None:
        """The price, or None for a row that was left empty."""
        currency, amount = self.cleaned_data.get("currency"), self.cleaned_data.get("amount")
        if not currency and amount is None:
            return None
        if not currency or amount is None:
            self.add_error(None, "A price has a currency and an amount.")
            return None
        return Price(
            currency,
            self.minor("amount", currency) or 0,
            self.cleaned_data["up_to_grams"],
            self.minor("free_from", currency),
        )

    @staticmethod
    def of(price: Any) -> dict[str, Any]:
        digits = minor_digits(price.currency)
        return {
            "currency": price.currency,
            "amount": _major(price.amount, digits),
            "up_to_grams": price.up_to_grams,
            "free_from": _major(price.free_from, digits),
        }


PriceForms = forms.formset_factory(PriceForm, extra=3, max_num=60, absolute_max=60)


class RateForm(TermsForm):
    country = forms.ChoiceField(
        required=False, choices=lambda: [("", "All others"), *countries().items()]
    )
    category = forms.ChoiceField(choices=TaxCategory.choices)
    name = forms.CharField(max_length=40, initial="VAT")
    percent = forms.DecimalField(
        label="Per cent", min_value=Decimal(0), max_value=100, decimal_places=2
    )
    is_inclusive = forms.BooleanField(
        label="Prices contain it", required=False, initial=True, help_text="Else it comes on top."
    )

    def rate(self) -> dict[str, Any]:
        """What is stated."""
        given = dict(self.cleaned_data)
        given["basis_points"] = int(given.pop("percent") * 100)
        return given

    @staticmethod
    def of(rate: TaxRate) -> dict[str, Any]:
        names = ("country", "category", "name", "is_inclusive")
        return {
            **{name: getattr(rate, name) for name in names},
            "percent": _percent(rate.basis_points),
        }


def _percent(basis_points: int | None) -> Decimal | None:
    return None if basis_points is None else Decimal(basis_points) / 100


def _major(amount: int | None, digits: int) -> Decimal | None:
    return None if amount is None else Decimal(amount).scaleb(-digits)
