"""Whatever happens to orders of goods, in whatever order: stock, money and timelines agree."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from house.people import make_user
from house.shelf import figures, line_of, on_shelf, order_of, pay_for, stock_is_right
from house.till import books_are_right, deliver_and_settle, post_event, told
from markethall.flows.checkout import cancel_order
from markethall.flows.order_cancel import call_off
from markethall.flows.order_parcels import deliver_order, pack, ship_order
from markethall.flows.refund_lines import RefundedLine
from markethall.flows.refunds import refund_order, send_forgotten
from markethall.flows.settlement_batch import settle_inbox
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.queries import system_balance
from markethall.foundation.payments.models import Payment, PaymentStatus, Refund, RefundStatus
from markethall.kernel import clock
from markethall.kernel.errors import Problem
from markethall.trade.inventory.actions import lapse
from markethall.trade.inventory.errors import OutOfStock
from markethall.trade.inventory.models import Reservation
from markethall.trade.orders.models import Order, OrderMove, OrderStatus, RefundLine
from markethall.trade.orders.rules import MOVES

PIECES = (3, 6)
LAPSE = timedelta(minutes=31)


class Shop(RuleBasedStateMachine):
    """Two variants, few of each, and everything that can be done to orders of them."""

    orders = Bundle("orders")

    @initialize()
    def open_the_shop(self) -> None:
        self.variants = [on_shelf(pieces) for pieces in PIECES]
        self.buyer, self.staff = make_user(), uuid.uuid4()
        self.pages: dict[uuid.UUID, str] = {}
        self.heard: list[dict[str, Any]] = []

    @rule(target=orders, which=st.integers(0, 1), pieces=st.integers(1, 3))
    def place(self, which: int, pieces: int) -> Any:
        variant = self.variants[which]
        held = Reservation.objects.filter(
            item_id=variant.pk, state="held", expires_at__gt=clock.now()
        ).aggregate(sum=Sum("quantity"))["sum"]
        free = figures(variant)[0] - (held or 0)
        try:
            order = order_of(self.buyer, line_of(variant, pieces))
        except OutOfStock:
            assert free < pieces
            # Some can be placed all the same, by whoever pays late.
            return order_of(self.buyer, line_of(variant, pieces), reserved=False).pk
        assert free >= pieces
        return order.pk

    @rule(order_id=orders, outcome=st.sampled_from(["paid", "paid", "declined", "abandoned"]))
    def press(self, order_id: uuid.UUID, outcome: str) -> None:
        with suppress(Problem):
            started = pay_for(Order.objects.get(pk=order_id))
            self.pages[order_id] = started["checkoutUrl"].removeprefix("http://testserver")
        if page := self.pages.get(order_id):
            Client().post(f"{page}/pay", {"outcome": outcome}, content_type="application/json")

    @rule()
    def hear(self) -> None:
        events = told()
        self.heard += events
        for event in reversed(events):
            assert post_event(event).status_code == 200
        settle_inbox()

    @rule()
    def hear_again(self) -> None:
        for event in self.heard[-3:]:
            assert post_event(event).status_code == 200
        settle_inbox()

    @rule(sweeps=st.booleans())
    def time_passes(self, sweeps: bool) -> None:
        clock.turn(LAPSE)
        if sweeps:
            lapse()

    @rule(order_id=orders, paid_too=st.booleans())
    def cancel(self, order_id: uuid.UUID, paid_too: bool) -> None:
        with suppress(Problem):
            (call_off if paid_too else cancel_order)(order_id=order_id, actor_id=self.staff)

    @rule(order_id=orders, how_far=st.integers(1, 3))
    def send(self, order_id: uuid.UUID, how_far: int) -> None:
        for act in (pack, ship_order, deliver_order)[:how_far]:
            with suppress(Problem):
                act(order_id=order_id, actor_id=self.staff)  # type: ignore[operator]

    @rule(order_id=orders, pieces=st.integers(1, 3), restock=st.booleans())
    def give_back(self, order_id: uuid.UUID, pieces: int, restock: bool) -> None:
        line = Order.objects.get(pk=order_id).lines.get()
        self._refund(order_id, lines=[RefundedLine(line.pk, pieces, restock)])

    @rule(order_id=orders, amount=st.none() | st.integers(1, 20_000))
    def give_money_back(self, order_id: uuid.UUID, amount: int | None) -> None:
        self._refund(order_id, amount=amount)

    def _refund(self, order_id: uuid.UUID, **what: Any) -> None:
        what = {"amount": None, **what}
        with suppress(Problem):
            refund_order(order_id=order_id, reason="Asked for", actor_id=self.staff, **what)

    @invariant()
    def every_piece_is_somewhere(self) -> None:
        for variant, pieces in zip(getattr(self, "variants", ()), PIECES, strict=False):
            sold = _pieces_of(Order.objects.exclude(paid_at=None), variant.sku)
            back = RefundLine.objects.filter(
                line__item=variant.sku, refund__status=RefundStatus.SUCCEEDED
            ).aggregate(sum=Sum("restock"))["sum"]
            assert figures(variant)[0] == pieces - sold + (back or 0)
            assert stock_is_right(variant)

    @invariant()
    def the_money_is_what_was_paid(self) -> None:
        if not hasattr(self, "variants"):
            return
        paid = Payment.objects.filter(status=PaymentStatus.SUCCEEDED)
        gone = Refund.objects.filter(status=RefundStatus.SUCCEEDED)
        at_gateway = _sum(paid) - _sum(gone)
        assert system_balance(accounts.gateway("sandbox", "USD")) == at_gateway
        orders = Order.objects.exclude(paid_at=None)
        kept = sum(order.total - order.refunded for order in orders)
        assert system_balance(accounts.sales("elysium", "USD")) == -kept
        assert all(0 <= order.refunded <= order.total for order in orders)

    @invariant()
    def timelines_are_allowed(self) -> None:
        at: dict[uuid.UUID, str] = {}
        for move in OrderMove.objects.order_by("pk"):
            if move.from_status and move.from_status != move.to_status:
                assert at[move.order_id] == move.from_status
                assert OrderStatus(move.to_status) in MOVES[OrderStatus(move.from_status)]
            at[move.order_id] = move.to_status
        assert at == dict(Order.objects.values_list("pk", "status"))

    def teardown(self) -> None:
        if hasattr(self, "variants"):
            self.hear()
            send_forgotten()
            deliver_and_settle()
        assert books_are_right()


def _pieces_of(orders: Any, sku: str) -> int:
    return orders.filter(lines__item=sku).aggregate(sum=Sum("lines__quantity"))["sum"] or 0


def _sum(rows: Any) -> int:
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_stock_and_money_follow_the_orders(till: None) -> None:
    _run(examples=6, steps=20)


@pytest.mark.slow
@pytest.mark.django_db
def test_stock_and_money_follow_the_orders_over_a_thousand_steps(till: None) -> None:
    _run(examples=5, steps=1000)
