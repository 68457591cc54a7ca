"""Whatever Stripe can send is either read, or acknowledged and left alone."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from stripe.params import WebhookEndpointCreateParams
from typing_extensions import get_type_hints

from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.payments.gateways.base import NoticeKind
from markethall.foundation.payments.gateways.registry import named
from markethall.foundation.payments.gateways.stripe import notices
from markethall.foundation.payments.models import InboxEvent

pytestmark = pytest.mark.django_db
# News that comes by another name too; read all the same from an endpoint that was made by hand.
OLD_NAMES = ["charge.failed", "charge.pending", "charge.refund.updated", "charge.succeeded"]


def every_type() -> list[str]:
    """The event types of Stripe's published API description."""
    hints = get_type_hints(
        WebhookEndpointCreateParams, localns={"StripeContext": str, "Mapping": dict}
    )
    (literal,) = typing.get_args(hints["enabled_events"])
    return sorted(set(typing.get_args(literal)) - {"*"})


def test_stripe_knows_every_type_that_is_asked_for() -> None:
    assert set(notices.READ) < set(every_type())


@pytest.mark.parametrize("type", [*notices.READ, *OLD_NAMES])
def test_each_type_that_is_asked_for_is_read(peer: Any, type: str) -> None:
    thing = {"id": "x_1", "object": "x", "payment_intent": "pi_1"}
    notice = named("stripe").read_notice(type, {"data": {"object": thing}})
    assert notice.kind != NoticeKind.OTHER


def test_all_others_are_acknowledged_and_ask_nobody(peer: Any, sender: Any) -> None:
    others = [one for one in every_type() if one not in {*notices.READ, *OLD_NAMES}]
    told = {"id": "evt", "object": "thing", "metadata": {}, "amount": 5, "currency": "usd"}
    assert len(others) > 200
    for type in others:
        assert sender.post(sender.event(type, told)).status_code == 200
    settle_inbox()
    assert set(InboxEvent.objects.values_list("status", flat=True)) == {"ignored"}
    assert InboxEvent.objects.count() == len(others)
    assert peer.calls == []
