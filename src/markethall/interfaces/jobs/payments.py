"""Payments: the inbox, refunds, reconciliation, and the sandbox gateway's webhooks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from markethall.flows import (
    comparison,
    customers,
    goods_news,
    order_lapse,
    receipts,
    reconciliation,
    refunds,
    settlement_batch,
)
from markethall.foundation.messaging.actions import QUEUE
from markethall.foundation.payments import inbox
from markethall.foundation.payments.gateways.sandbox import delivery

_GATEWAY_RETRIES = RetryStrategy(max_attempts=10, exponential_wait=3)


@app.task(name="settle_inbox", queue="default")
def settle_inbox() -> None:
    settlement_batch.settle_inbox()


@app.periodic(cron="* * * * *")
@app.task(name="sweep_inbox", queue="default")
def sweep_inbox(timestamp: int) -> None:
    inbox.wake_if_due()


@app.task(name="send_refund", queue="default", retry=_GATEWAY_RETRIES)
def send_refund(refund_id: str) -> None:
    refunds.send(UUID(refund_id))


@app.periodic(cron="*/5 * * * *")
@app.task(name="send_forgotten_refunds", queue="default")
def send_forgotten_refunds(timestamp: int) -> None:
    refunds.send_forgotten()


@app.task(name="close_payment", queue="default", retry=_GATEWAY_RETRIES)
def close_payment(payment_id: str) -> None:
    reconciliation.look(UUID(payment_id), close=True)


@app.task(name="forget_customer", queue="default", retry=_GATEWAY_RETRIES)
def forget_customer(user_id: str) -> None:
    customers.forget(UUID(user_id))


@app.periodic(cron="*/10 * * * *")
@app.task(name="reconcile_payments", queue="default")
def reconcile_payments(timestamp: int) -> None:
    comparison.sweep()


@app.periodic(cron="*/10 * * * *")
@app.task(name="lapse_orders", queue="default", queueing_lock="lapse_orders")
def lapse_orders(timestamp: int) -> None:
    """Orders that nobody pays keep no voucher and no pieces from others."""
    order_lapse.lapse()


@app.task(name="compare_money", queue="default")
def compare_money(comparison_id: str) -> None:
    comparison.run(UUID(comparison_id))


@app.periodic(cron="40 3 * * *")
@app.task(name="compare_money_nightly", queue="default")
def compare_money_nightly(timestamp: int) -> None:
    comparison.request(actor_id=None)


@app.task(name="send_sandbox_webhooks", queue="default", retry=_GATEWAY_RETRIES)
def send_sandbox_webhooks(events: list[dict[str, Any]], attempt: int = 1) -> None:
    delivery.send(events, attempt=attempt)


@app.task(name="issue_receipt", queue=QUEUE, retry=_GATEWAY_RETRIES)
def issue_receipt(order_id: str) -> None:
    receipts.issue_receipt(UUID(order_id))


@app.periodic(cron="* * * * *")
@app.task(name="confirm_orders", queue=QUEUE, queueing_lock="confirm_orders")
def confirm_orders(timestamp: int) -> None:
    """Who has not paid soon is told where to."""
    goods_news.confirm_waiting()


@app.task(name="confirm_order", queue=QUEUE)
def confirm_order(order_id: str) -> None:
    goods_news.confirm_order(UUID(order_id))
