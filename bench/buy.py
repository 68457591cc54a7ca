"""P2: from an empty cart to an order that is paid, its pieces sold and its money booked."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from bench import against, pgbench
from bench.figures import Figure
from bench.hall import Hall
from bench.people import open_hall

_BUYERS = 16
_SECONDS = 6.0
_TURNS = 2
_SCRIPTS = 8
_PIECES = 900_000
_PRODUCT = "bench-ring"
_HOME = {
    "name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postalCode": "10117",
    "country": "DE",
}
_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
# Sends a request: method, path, document, headers → status, headers, answer.
Send = Callable[[str, Any, dict[str, str]], tuple[int, Any, Any]]


def run() -> Iterator[Figure]:
    with open_hall(AUTH_LIMIT_FACTOR="1000") as hall:
        _on_shelf()
        with hall.workers_paused():
            scripts = [_script() for _ in range(_SCRIPTS)]
            rates = [_replayed(scripts)]
        orders: list[float] = []
        for _ in range(_TURNS):
            orders.append(_load(hall))
            with hall.workers_paused():
                rates.append(_replayed(scripts))
        with hall.workers_paused():
            tpc_b = pgbench.tpc_b(connections=against.CONNECTIONS, seconds=_SECONDS)
        ratios = [
            rate / ((a.tps + b.tps) / 2)
            for rate, a, b in zip(orders, rates, rates[1:], strict=False)
        ]
        texts = scripts[0].splitlines()
        control = sum(line.startswith(_CONTROL) for line in texts)
        note = ", ".join(f"{rate:,.0f}" for rate in orders)
        told = ", ".join(f"{rate.tps:,.0f}" for rate in rates)
        yield Figure(
            "P2", "buy: cart → checkout → webhook → settled ÷ pgbench of its SQL",
            sum(ratios) / len(ratios), "", target=0.35,
            note=f"{note} orders/s between pgbench runs of {told} tps; {_BUYERS} buyers at once",
        )  # fmt: skip
        yield Figure(
            "P2", "orders/s for each 1,000 tps of TPC-B",
            sum(orders) / len(orders) / tpc_b * 1000, "", target=35,
            note=f"TPC-B {tpc_b:,.0f} tps; invoices and mails are made meanwhile",
        )  # fmt: skip
        yield Figure(
            "P2", "SQL statements of one order", rates[0].statements - control, "",
            target=30, at_most=True, note=f"and {control} that begin and end transactions",
        )  # fmt: skip


def _on_shelf() -> None:
    from markethall.kernel import clock
    from markethall.trade.catalog.models import Product, ProductPrice, Variant
    from markethall.trade.inventory.models import StockItem

    now = clock.now()
    product = Product.objects.create(
        storefront="elysium", slug=_PRODUCT, name="Ring", status="active", weight_grams=20
    )
    ProductPrice.objects.create(product=product, currency="USD", amount=60_000)
    variant = Variant.objects.create(product=product, sku="BENCH-RING")
    StockItem.objects.create(variant=variant, on_hand=_PIECES, updated_at=now)


def _buy(send: Send, paid: Callable[[str], None]) -> None:
    """One guest's order, up to the webhook of its payment."""
    status, headers, _ = send("/api/cart", {"product": _PRODUCT, "configuration": {}}, {})
    _must(status, 201)
    status, _, order = send(
        "/api/checkout",
        {
            "email": f"{uuid.uuid4().hex}@example.com",
            "shippingAddress": _HOME,
            "shippingMethod": "insured",
        },
        {"X-Visitor": headers["X-Visitor"], "X-Storefront": "elysium"},
    )
    _must(status, 201)
    ref = order["checkoutUrl"].rsplit("/", 1)[-1]
    paid(ref)
    event_id = uuid.uuid4().hex
    event = {
        "id": event_id,
        "type": "payment.succeeded",
        "createdAt": "",
        "data": {"id": ref, **order["total"]},
    }
    status, _, _ = send("/api/webhooks/sandbox", event, {"signed": event_id})
    _must(status, 200)


def _must(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"answered {status} instead of {wanted}")


def _signed(headers: dict[str, str], body: str) -> dict[str, str]:
    """``headers``, with the gateway's signature where an event is named."""
    from markethall.foundation.payments.gateways.sandbox.signing import sign

    event_id = headers.pop("signed", "")
    return {**headers, **sign(event_id, datetime.now(UTC), body)} if event_id else headers


def _paid_at_gateway(ref: str) -> None:
    from markethall.foundation.payments.models import SandboxCheckout

    SandboxCheckout.objects.filter(pk=ref).update(
        status="paid", payment_method="sandbox_card_ok", tries=1
    )


def _script() -> str:
    """The SQL of one order, recorded in this process; what makes the payment paid at the gateway
    is the gateway's."""
    from django.test import Client

    from markethall.flows.settlement_batch import settle_inbox

    def send(path: str, document: Any, headers: dict[str, str]) -> tuple[int, Any, Any]:
        body = json.dumps(document)
        given = _signed(headers, body)
        given.pop("content-type", None)
        answer = Client().post(path, body, content_type="application/json", headers=given)
        return answer.status_code, answer.headers, json.loads(answer.content or "{}")

    def recorded() -> list[str]:
        statements: list[str] = []

        def kept(*sent: Any) -> tuple[int, Any, Any]:
            with pgbench.recording() as part:
                answer = send(*sent)
            statements.extend(part)
            return answer

        _buy(kept, _paid_at_gateway)
        with pgbench.recording() as part:
            settle_inbox()
        return _alike([*statements, *part])

    recorded()
    return pgbench.script(recorded(), recorded()).replace("MH-NUMBER", "MH-:n")


def _alike(statements: list[str]) -> list[str]:
    """Without what tells only recordings apart: savepoints, and numbers and links of orders."""
    names: dict[str, str] = {}
    text = "\0".join(statements)
    text = re.sub(r"s\d+_x\d+", lambda m: names.setdefault(m[0], f"s{len(names)}"), text)
    text = re.sub(r"/track/[\w:.-]+", "/track/LINK", text)
    return re.sub(r"MH-[0-9A-Z]{4}-[0-9A-Z]{4}", "MH-NUMBER", text).split("\0")


def _replayed(scripts: list[str]) -> pgbench.Rate:
    from django.db import connection

    rate = pgbench.run(scripts, connections=against.CONNECTIONS, seconds=_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM payments_inboxevent WHERE status = 'received'")
    return rate


def _load(hall: Hall) -> float:
    """Orders paid and sold a second, from the first request until the last is settled."""
    began = time.monotonic()
    before = _sold()
    faults: list[BaseException] = []
    counts = [0] * _BUYERS

    def buyer(number: int) -> None:
        from django.db import connections

        line = http.client.HTTPConnection("127.0.0.1", hall.port, timeout=60)

        def send(path: str, document: Any, headers: dict[str, str]) -> tuple[int, Any, Any]:
            body = json.dumps(document)
            line.request(
                "POST", path, body, {"Content-Type": "application/json", **_signed(headers, body)}
            )
            answer = line.getresponse()
            return answer.status, answer.headers, json.loads(answer.read() or "{}")

        try:
            while time.monotonic() - began < _SECONDS:
                _buy(send, _paid_at_gateway)
                counts[number] += 1
        except Exception as fault:
            faults.append(fault)
        finally:
            line.close()
            connections.close_all()

    threads = [threading.Thread(target=buyer, args=(number,)) for number in range(_BUYERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    while _sold() - before < sum(counts):
        if time.monotonic() - began > 90:
            raise RuntimeError(f"{_sold() - before} of {sum(counts)} orders were settled")
        time.sleep(0.05)
    return sum(counts) / (time.monotonic() - began)


def _sold() -> int:
    from markethall.trade.inventory.models import StockItem

    return _PIECES - StockItem.objects.get(variant__sku="BENCH-RING").on_hand
