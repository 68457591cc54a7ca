"""P3: webhooks taken in, and payments settled exactly once with everything fulfilled."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench import against, pgbench, rows
from bench.figures import Figure
from bench.hall import Hall
from bench.load import closed_loop, request
from bench.people import Person, make, open_hall

_PEOPLE = 24
_ORDERS = 1500
_SIGNED = 30_000  # more than are asked for
_PACK, _CREDITS = "credits-50", 50
_PATH = "/api/webhooks/sandbox"


def run() -> Iterator[Figure]:
    with open_hall() as hall:
        people = make(_PEOPLE)
        orders = _orders(people, 2 * _PEOPLE)
        with hall.workers_paused():
            scripts = [_insert(first, second) for first, second in zip(orders[::2], orders[1::2],
                                                                      strict=True)]  # fmt: skip
            statements = len(pgbench.record(lambda: _send_here(orders[0])))

            # Signed before: pgbench signs nothing, and shares the processors as the client does.
            signed = [_webhook(orders[n % len(orders)], hall.port) for n in range(_SIGNED)]

            def requests(index: int, number: int) -> bytes:
                return signed.pop() if signed else _webhook(orders[number % len(orders)], hall.port)

            measured = against.measure(hall, requests, scripts)
            rows.drop_waiting_events()
        for load in measured.loads:
            against.must_be(load, 200)
        yield Figure("P3", "webhook intake ÷ pgbench of its insert", measured.ratio, "", target=0.4,
                     note=f"{measured.note}; an intake runs {statements} statements")  # fmt: skip
        yield from _settled(hall, people, measured.tps)


def _settled(hall: Hall, people: list[Person], tps: float) -> Iterator[Figure]:
    """Every order's webhook once, and every tenth twice, while the workers settle."""
    orders = _orders(people, _ORDERS)
    before = _credits(people)
    sent = [*orders, *orders[::10]]
    events = {order.ref: str(uuid.uuid4()) for order in orders}
    waiting = iter(_webhook(order, hall.port, events[order.ref]) for order in sent)
    cpu, began = hall.cpu(), time.monotonic()
    load = closed_loop(hall.port, lambda *_: next(waiting), connections=8, count=len(sent) - 8)
    for left in waiting:
        closed_loop(hall.port, lambda *_, left=left: left, connections=1, count=1)
    taken = time.monotonic() - began
    while _open_orders(orders) and time.monotonic() - began < 60:
        time.sleep(0.1)
    seconds = time.monotonic() - began
    used = hall.cpu().since(cpu)
    against.must_be(load, 200)
    fulfilled = len(orders) - _open_orders(orders)
    granted = (_credits(people) - before) / _CREDITS
    each = (used.hall + used.database) / len(orders) * 1000
    rate = fulfilled / seconds
    yield Figure(
        "P3", "settled and fulfilled, for each 4,000 inserts/s of pgbench", rate * 4000 / tps,
        "events/s", target=300,
        note=f"{rate:.0f} events/s; {fulfilled:,} of {len(orders):,} orders with"
        f" {granted:,.0f} grants; taken in within {taken:.1f} s; CPU {each:.1f} ms each",
    )  # fmt: skip
    yield Figure("P3", "grants for each paid order", granted / max(fulfilled, 1), "",
                 note="every tenth webhook came twice")  # fmt: skip


class _Order:
    """An order that is paid at the gateway, which has told nobody yet."""

    __slots__ = ("amount", "currency", "id", "ref")

    def __init__(self, order_id: uuid.UUID, ref: str, amount: int, currency: str) -> None:
        self.id, self.ref, self.amount, self.currency = order_id, ref, amount, currency


def _orders(people: list[Person], count: int) -> list[_Order]:
    from markethall.flows.checkout import Wanted, start_checkout
    from markethall.foundation.accounts.models import User
    from markethall.foundation.payments.models import SandboxCheckout

    customers = list(User.objects.filter(pk__in=[person.id for person in people]))
    orders = []
    for number in range(count):
        started = start_checkout(
            customer=customers[number % len(customers)], wanted=[Wanted(_PACK)]
        )
        payment = started.payment
        orders.append(
            _Order(started.order.pk, payment.gateway_ref, payment.amount, payment.currency)
        )
    SandboxCheckout.objects.filter(pk__in=[order.ref for order in orders]).update(
        status="paid", payment_method="sandbox_card_ok", tries=1
    )
    return orders


def _webhook(order: _Order, port: int, event_id: str = "") -> bytes:
    headers, body = _signed(order, event_id or str(uuid.uuid4()))
    return request("POST", _PATH, port=port, headers=headers, body=body.encode())


def _signed(order: _Order, event_id: str) -> tuple[dict[str, str], str]:
    from markethall.foundation.payments.gateways.sandbox.signing import sign

    data: dict[str, Any] = {"id": order.ref, "amount": order.amount, "currency": order.currency}
    event = {"id": event_id, "type": "payment.succeeded", "createdAt": "", "data": data}
    body = json.dumps(event)
    return sign(event_id, datetime.now(UTC), body), body


def _send_here(order: _Order) -> None:
    """The webhook through the application in this process."""
    from django.test import Client

    headers, body = _signed(order, str(uuid.uuid4()))
    answer = Client().post(_PATH, body, content_type=headers.pop("content-type"), headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"answered {answer.status_code}: {answer.content[:300]!r}")


def _insert(first: _Order, second: _Order) -> str:
    """The script of one plain insert of a webhook: what no intake can do without."""
    return pgbench.script([_stored(first)], [_stored(second)])


def _stored(order: _Order) -> str:
    from django.db import connection

    from markethall.kernel.ids import new_id

    _, body = _signed(order, str(uuid.uuid4()))
    now = datetime.now(UTC)
    return str(
        connection.ops.compose_sql(
            "INSERT INTO payments_inboxevent (id, provider, event_id, type, payload, status,"
            " attempts, deliveries, outcome, received_at, due_at)"
            " VALUES (%s, 'bench', %s, 'payment.succeeded', %s, 'received', 0, 1, '', %s, %s)"
            " ON CONFLICT (provider, event_id) DO NOTHING",
            [new_id(), str(uuid.uuid4()), body, now, now],
        )
    )


def _open_orders(orders: list[_Order]) -> int:
    from markethall.trade.orders.models import Order

    found = Order.objects.raw(
        "SELECT id FROM orders_order WHERE id = ANY(%s) AND status <> 'FULFILLED'",
        [[order.id for order in orders]],
    )
    return len(list(found))


def _credits(people: list[Person]) -> int:
    from markethall.foundation.ledger.queries import balance_of

    return sum(balance_of(person.id).balance for person in people)
