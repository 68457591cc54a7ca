"""Writes to shipping methods and their prices, by staff. Orders keep what they were placed at."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from markethall.foundation.audit.actions import record
from markethall.kernel.countries import is_country
from markethall.kernel.errors import FieldError, Invalid
from markethall.kernel.locking import lock_one
from markethall.kernel.money import minor_digits
from markethall.trade.shipping.errors import ShippingMethodMissing, ShippingMethodTaken
from markethall.trade.shipping.models import MethodKind, ShippingMethod, ShippingPrice


@dataclass(frozen=True, slots=True)
class Price:
    """One price of a method, in minor units of ``currency``; see ``ShippingPrice``."""

    currency: str
    amount: int
    up_to_grams: int | None = None
    free_from: int | None = None


def keep_method(
    *,
    actor_id: uuid.UUID,
    prices: Sequence[Price],
    method_id: uuid.UUID | None = None,
    **fields: Any,
) -> ShippingMethod:
    """Make a method, or change ``method_id``; ``fields`` are the model's, ``prices`` all it has.

    Raises Invalid, ShippingMethodMissing, ShippingMethodTaken.
    """
    try:
        with transaction.atomic():
            method = (
                lock_one(ShippingMethod.objects.filter(pk=method_id), missing=ShippingMethodMissing)
                if method_id
                else ShippingMethod()
            )
            for name, value in fields.items():
                setattr(method, name, value)
            method.countries = sorted(set(method.countries))
            _check(method, prices)
            method.save()
            method.prices.all().delete()
            ShippingPrice.objects.bulk_create(
                ShippingPrice(
                    method=method,
                    currency=price.currency,
                    amount=price.amount,
                    up_to_grams=price.up_to_grams,
                    free_from=price.free_from,
                )
                for price in prices
            )
            _record("change" if method_id else "make", method, actor_id)
    except IntegrityError as error:
        raise ShippingMethodTaken from error
    return method


def remove_method(*, method_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """Send nothing this way any more. Raises ShippingMethodMissing."""
    with transaction.atomic():
        method = lock_one(
            ShippingMethod.objects.filter(pk=method_id), missing=ShippingMethodMissing
        )
        _record("remove", method, actor_id)
        method.delete()


def _check(method: ShippingMethod, prices: Sequence[Price]) -> None:
    faults = [
        FieldError("countries", f"There is no country {code[:10]!r}.")
        for code in method.countries
        if not is_country(code)
    ]
    if method.days_max < method.days_min:
        faults.append(FieldError("daysMax", "The longest time is not shorter than the shortest."))
    seen: set[tuple[str, int | None]] = set()
    for index, price in enumerate(prices):
        faults += [
            FieldError(f"prices.{index}.{name}", told) for name, told in _price_faults(price)
        ]
        if method.kind == MethodKind.FLAT and price.up_to_grams is not None:
            faults.append(FieldError(f"prices.{index}.upToGrams", "A flat price has no weight."))
        if (price.currency, price.up_to_grams) in seen:
            faults.append(FieldError(f"prices.{index}", "There are two prices for the same."))
        seen.add((price.currency, price.up_to_grams))
    if faults:
        raise Invalid(errors=faults)


def _price_faults(price: Price) -> list[tuple[str, str]]:
    faults = []
    try:
        minor_digits(price.currency)
    except ValueError:
        faults.append(("currency", "There is no such currency."))
    if price.amount < 0:
        faults.append(("amount", "A price is not negative."))
    if price.free_from is not None and price.free_from < 0:
        faults.append(("freeFrom", "An amount is not negative."))
    if price.up_to_grams is not None and price.up_to_grams < 1:
        faults.append(("upToGrams", "One gram at least, or leave it open."))
    return faults


def _record(verb: str, method: ShippingMethod, actor_id: uuid.UUID) -> None:
    record(
        f"shipping_method.{verb}",
        actor_id=actor_id,
        subject_type="shipping_method",
        subject_id=method.pk,
        code=method.code,
        storefront=method.storefront,
    )
