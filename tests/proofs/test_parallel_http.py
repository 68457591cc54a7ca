"""R1 and R2 over HTTP, on a hall that runs as ``make run`` runs it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from house.parallel import together
from house.visitors import Visitor
from proofs.conftest import ADMIN, ProofHall

pytestmark = pytest.mark.slow

_WAITING_JOBS = """
SELECT count(*) FROM procrastinate_jobs
 WHERE status IN ('todo', 'doing')
   AND task_name IN ('send_sandbox_webhooks', 'settle_inbox', 'issue_receipt', 'deliver_mail')"""


def test_a_payment_told_a_hundred_times_at_once_counts_once(
    hall: ProofHall, until: Callable[..., None]
) -> None:
    buyer = Visitor(hall.url).sign_up()
    told = {"deliveries": 100, "shuffle": True}
    order_id = buyer.buy(**told)
    page = hall.one("SELECT checkout_url FROM payments_payment WHERE reference = %s", order_id)
    # The customer presses the button again, and the browser comes back again and again.
    together(
        [
            *[lambda: buyer.ask("GET", f"/orders/{order_id}/return") for _ in range(10)],
            *[lambda: buyer.ask("POST", f"{page}/pay", json={"outcome": "paid", **told})] * 2,
        ]
    )
    until(lambda: buyer.get(f"/api/orders/{order_id}")["status"], "FULFILLED")
    until(lambda: hall.one(_WAITING_JOBS), 0)

    assert buyer.balance() == 60
    assert Counter(row["type"] for row in buyer.history()) == {"bonus": 1, "purchase": 1}
    order = buyer.get(f"/api/orders/{order_id}")
    assert [payment["status"] for payment in order["payments"]] == ["succeeded"]
    assert order["refunded"]["amount"] == 0
    reference = f"order:{order_id}"
    kinds = hall.rows("SELECT kind FROM ledger_transaction WHERE reference = %s", reference)
    assert sorted(kind for (kind,) in kinds) == ["payment", "purchase"]
    deliveries = hall.rows("SELECT sum(deliveries), count(*) FROM payments_inboxevent")
    assert deliveries == [(600, 2)]
    receipts = (
        "SELECT count(*) FROM messaging_mail WHERE template = 'order_receipt' AND \"to\" = %s"
    )
    assert hall.one(receipts, buyer.email) == 1
    hall.check_ledger()


def test_one_credit_and_fifty_wishes_at_once_make_one_picture(
    hall: ProofHall, until: Callable[..., None]
) -> None:
    admin, buyer = Visitor(hall.url, ADMIN).sign_up(), Visitor(hall.url).sign_up()
    upload = buyer.upload()
    taken = admin.post(f"/api/users/{buyer.user_id}/credits", {"amount": -9, "reason": "A proof"})
    assert taken.json()["balance"] == 1

    seen: list[int] = []
    over = threading.Event()

    def watch() -> int:
        while not over.is_set():
            seen.append(buyer.balance())
        return 0

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = together([lambda: buyer.generate(upload).status_code] * 50)
    over.set()
    watcher.join(30)

    assert Counter(answers) == {202: 1, 402: 49}
    assert set(seen) <= {0, 1}
    (picture,) = buyer.get("/api/images")["items"]
    until(lambda: buyer.get(f"/api/images/{picture['id']}")["status"], "completed", seconds=120)
    assert buyer.get("/api/credits/balance") == {"balance": 0, "held": 0}
    assert min(row["balance"] for row in buyer.history()) == 0
    assert Counter(row["type"] for row in buyer.history())["deduction"] == 1
    hall.check_ledger()
