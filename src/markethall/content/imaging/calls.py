"""Calls to providers: one row a try, begun before the provider is asked and ended after.

A row whose outcome is ``working`` is taken up by every later run of the job, so that work which
a provider has begun is never ordered twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db.models import F, Min, Q

from markethall.content.imaging.models import CallOutcome, Generation, ProviderCall
from markethall.content.imaging.prices import cost_of
from markethall.content.imaging.providers.base import Usage
from markethall.content.imaging.rules import OUTAGES_IN_A_ROW, is_out
from markethall.kernel import clock

_UNENDED = (CallOutcome.STARTED, CallOutcome.WORKING)
CALLBACK = "/api/webhooks/replicate"
_LATELY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class History:
    """The calls of a generation so far, the oldest first."""

    calls: list[ProviderCall]

    def tried(self) -> list[tuple[str, str]]:
        return [(call.provider, call.outcome) for call in self.calls]

    def working(self) -> ProviderCall | None:
        """The work that goes on, if any."""
        going = [c for c in self.calls if c.outcome in _UNENDED and c.reference]
        return going[-1] if going else None


def history_of(generation: Generation) -> History:
    """The calls of a generation."""
    return History(list(ProviderCall.objects.filter(generation=generation).order_by("pk")))


def lost_since(generation: Generation, call: ProviderCall) -> datetime | None:
    """Since when an earlier call of the same provider may have begun work that nobody wrote
    down; None when none can have."""
    earlier = ProviderCall.objects.filter(
        generation=generation,
        provider=call.provider,
        reference="",
        outcome__in=(CallOutcome.STARTED, CallOutcome.UNAVAILABLE),
    )
    return earlier.exclude(pk=call.pk).aggregate(first=Min("started_at"))["first"]


def begin_call(generation: Generation, provider: str) -> ProviderCall:
    """Write down that a provider is about to be asked."""
    return ProviderCall.objects.create(
        generation=generation, provider=provider, started_at=clock.now()
    )


def look_again(call: ProviderCall) -> None:
    """Count one more look at work that goes on."""
    ProviderCall.objects.filter(pk=call.pk).update(looks=F("looks") + 1)


def forget_call(call: ProviderCall) -> bool:
    """The provider was not asked after all; False for work that it has begun, which goes on."""
    unasked = ProviderCall.objects.filter(pk=call.pk, reference="", outcome=CallOutcome.STARTED)
    return unasked.delete()[0] > 0


def keep_reference(call: ProviderCall, *, model: str, reference: str) -> None:
    """The provider has begun, and goes on under ``reference``."""
    ProviderCall.objects.filter(pk=call.pk, outcome__in=_UNENDED).update(
        outcome=CallOutcome.WORKING, model=model[:100], reference=reference[:64]
    )


def end_call(
    call: ProviderCall,
    outcome: str,
    *,
    model: str = "",
    usage: Usage | None = None,
    error: str = "",
) -> None:
    """Write down how a call ended, how long it took, and what it cost. The first end counts,
    and one that is known counts more than that nobody was heard of."""
    now = clock.now()
    cost = cost_of(model, usage or Usage(), settings.ENVIRONMENT.image_prices)
    open_or_lost = Q(ended_at=None) | Q(outcome=CallOutcome.LOST)
    ProviderCall.objects.filter(open_or_lost, pk=call.pk).update(
        outcome=outcome,
        error=error[:255],
        ended_at=now,
        ms=max(0, round((now - call.started_at).total_seconds() * 1000)),
        cost_micros=cost,
        **({"model": model[:100]} if model else {}),
    )


def end_lost_calls(generation: Generation) -> None:
    """The generation has ended: calls that nobody ended died with their worker."""
    unended = ProviderCall.objects.filter(generation=generation, ended_at=None)
    unended.update(outcome=CallOutcome.LOST, ended_at=clock.now())


def heard_of(*, reference: str, call_id: uuid.UUID | None) -> ProviderCall | None:
    """The call that a webhook is about, the first time that one tells of its end; else None.

    ``call_id`` is what our own address in the webhook says: it finds a call whose worker died
    before it wrote down the reference.
    """
    about = Q(reference=reference)
    if call_id:
        about |= Q(pk=call_id, reference="")
    found = ProviderCall.objects.filter(about, webhook_at=None, ended_at=None)
    call = found.exclude(generation=None).first()
    if call is None:
        return None
    told = found.filter(pk=call.pk).update(
        webhook_at=clock.now(), reference=reference[:64], outcome=CallOutcome.WORKING
    )
    return call if told else None


def callback_of(call: ProviderCall) -> str:
    """The address that is told when work has ended; empty when no webhook can reach us: they
    come over https, and are signed."""
    if not settings.ENVIRONMENT.replicate_webhook_secret:
        return ""
    if not settings.SITE_URL.startswith("https://"):
        return ""
    return f"{settings.SITE_URL}{CALLBACK}?call={_signer().sign(call.pk.hex)}"


def call_of(token: str) -> uuid.UUID | None:
    """The call that our own address names, None when it is not one that we gave out."""
    try:
        return uuid.UUID(_signer().unsign(token))
    except (signing.BadSignature, ValueError):
        return None


def _signer() -> signing.Signer:
    return signing.Signer(salt="markethall.imaging.calls")


def providers_out(names: Iterable[str]) -> set[str]:
    """Those providers that have failed everybody lately."""
    now = clock.now()
    return {name for name in names if is_out(_latest(name, now), now)}


def _latest(provider: str, now: datetime) -> list[tuple[Any, Any]]:
    ended = ProviderCall.objects.filter(
        provider=provider, started_at__gt=now - _LATELY, ended_at__isnull=False
    ).exclude(outcome=CallOutcome.LOST)
    newest = ended.order_by("-started_at")[:OUTAGES_IN_A_ROW]
    return list(newest.values_list("outcome", "ended_at"))
