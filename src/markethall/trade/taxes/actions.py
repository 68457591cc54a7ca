"""Writes to tax rates, by staff. Orders that were placed keep the rate they had."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from markethall.foundation.audit.actions import record
from markethall.kernel.countries import is_country
from markethall.kernel.errors import Invalid
from markethall.kernel.locking import lock_one
from markethall.trade.taxes.errors import TaxRateMissing, TaxRateTaken
from markethall.trade.taxes.models import TaxRate


def state_rate(
    *,
    country: str,
    category: str,
    name: str,
    basis_points: int,
    is_inclusive: bool,
    actor_id: uuid.UUID,
    rate_id: uuid.UUID | None = None,
) -> TaxRate:
    """State a rate: a new one, or ``rate_id`` anew. ``country`` is empty for all others.

    Raises Invalid, TaxRateMissing, and TaxRateTaken where a country has one for the category.
    """
    if country and not is_country(country):
        raise Invalid.field("country", "There is no country of this code.")
    if not 0 <= basis_points <= 10_000:
        raise Invalid.field("basisPoints", "A rate is 0 to 100 per cent.")
    try:
        with transaction.atomic():
            rate = (
                lock_one(TaxRate.objects.filter(pk=rate_id), missing=TaxRateMissing)
                if rate_id
                else TaxRate()
            )
            rate.country, rate.category, rate.name = country, category, name
            rate.basis_points, rate.is_inclusive = basis_points, is_inclusive
            rate.save()
            _record("set", rate, actor_id)
    except IntegrityError as error:
        raise TaxRateTaken from error
    return rate


def remove_rate(*, rate_id: uuid.UUID, actor_id: uuid.UUID) -> None:
    """State this rate no longer. Raises TaxRateMissing."""
    with transaction.atomic():
        rate = lock_one(TaxRate.objects.filter(pk=rate_id), missing=TaxRateMissing)
        _record("remove", rate, actor_id)
        rate.delete()


def _record(verb: str, rate: TaxRate, actor_id: uuid.UUID) -> None:
    record(
        f"tax_rate.{verb}",
        actor_id=actor_id,
        subject_type="tax_rate",
        subject_id=rate.pk,
        country=rate.country,
        category=rate.category,
        basisPoints=rate.basis_points,
        isInclusive=rate.is_inclusive,
    )
