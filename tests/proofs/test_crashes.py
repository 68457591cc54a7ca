"""R4: the hall's processes are killed at random during 1,000 operations; then nothing is missing,
doubled or half done. ``SEED=7 make prove`` repeats the kills of a run."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil
import pytest

from house.visitors import NoAnswer, Visitor
from proofs.conftest import ADMIN, ProofHall

pytestmark = pytest.mark.slow

_OPERATIONS = 1_000
_VISITORS = 24
_PICTURES = 0.05  # of the operations: a picture takes a second of a core
_SIGN_UPS = 0.05  # of them: as much
_BETWEEN = (15, 45)  # operations from one kill to the next
_VICTIMS = ["web 1", "web 2", "worker", "mail", "studio", "database"]
_PATIENCE = 120.0  # seconds that somebody tries again for
_AT_MOST = 1_800.0  # seconds: a hall that serves nobody any more ends the test
_HEALED_WITHIN = 420.0  # seconds: a picture without a job is looked for after five minutes

_UNFINISHED = {
    "events in the inbox": "SELECT count(*) FROM payments_inboxevent WHERE status = 'received'",
    "paid payments of open orders": """
        SELECT count(*) FROM sandbox_paid s JOIN orders_order o ON o.id = s.reference
         WHERE o.status NOT IN ('FULFILLED', 'REFUNDED')""",
    "open pictures": """
        SELECT count(*) FROM imaging_generation WHERE status IN ('pending', 'processing')""",
    "open holds": "SELECT count(*) FROM ledger_hold WHERE state = 'held'",
    "refunds under way": "SELECT count(*) FROM payments_refund WHERE status = 'requested'",
    "receipts to be issued": """
        SELECT count(*) FROM procrastinate_jobs
         WHERE task_name = 'issue_receipt' AND status IN ('todo', 'doing')""",
    "mails to be sent": """
        SELECT count(*) FROM messaging_mail WHERE status IN ('queued', 'sending')""",
}
# What the gateway was paid, whatever we made of it.
_PAID_VIEW = """
CREATE OR REPLACE VIEW sandbox_paid AS
SELECT c.id, c.amount, p.id AS payment_id, p.reference
  FROM payments_sandboxcheckout c JOIN payments_payment p ON p.id::text = c.idempotency_key
 WHERE c.status = 'paid'"""
# Each of these must find nothing.
_WRONG = {
    "a paid payment that is not on record": """
        SELECT s.id FROM sandbox_paid s JOIN payments_payment p ON p.id = s.payment_id
         WHERE p.status <> 'succeeded'""",
    "a payment that is not in the books exactly once": """
        SELECT s.id FROM sandbox_paid s LEFT JOIN ledger_transaction t
            ON t.key = 'payment:' || s.payment_id GROUP BY s.id HAVING count(t.id) <> 1""",
    "a paid order that was not granted exactly once": """
        SELECT s.reference FROM sandbox_paid s LEFT JOIN ledger_transaction t
            ON t.reference = 'order:' || s.reference AND t.kind = 'purchase'
         GROUP BY s.reference HAVING count(t.id) <> 1""",
    "a grant that nobody paid": """
        SELECT t.id FROM ledger_transaction t WHERE t.kind = 'purchase'
           AND NOT EXISTS (SELECT 1 FROM sandbox_paid s
                            WHERE t.reference = 'order:' || s.reference)""",
    "a picture whose hold does not fit its end": """
        SELECT g.id FROM imaging_generation g JOIN ledger_hold h ON h.id = g.hold_id
         WHERE (g.status = 'completed') <> (h.state = 'captured')
            OR (g.status = 'failed') <> (h.state = 'released')""",
    "a hold without a picture": """
        SELECT h.id FROM ledger_hold h
         WHERE NOT EXISTS (SELECT 1 FROM imaging_generation g WHERE g.hold_id = h.id)""",
    "a refund that the gateway and we see differently": """
        SELECT p.id FROM payments_payment p JOIN payments_sandboxcheckout c
            ON c.idempotency_key = p.id::text WHERE p.refunded <> c.refunded""",
    "a paid order without exactly one receipt": """
        SELECT o.number FROM sandbox_paid s JOIN orders_order o ON o.id = s.reference
          LEFT JOIN messaging_mail m
            ON m.template = 'order_receipt' AND m.text LIKE '%%' || o.number || '%%'
         GROUP BY o.number HAVING count(m.id) <> 1""",
    "a mail that was not sent": "SELECT id FROM messaging_mail WHERE status <> 'sent'",
    "a newcomer without exactly one bonus": """
        SELECT u.id FROM accounts_user u LEFT JOIN ledger_transaction t
            ON t.kind = 'bonus' AND t.key LIKE '%%' || u.id || '%%'
         GROUP BY u.id HAVING count(t.id) <> 1""",
}


class Crowd:
    """People who do what people do, until so many operations are done."""

    def __init__(self, url: str, seed: int) -> None:
        self.url, self.seed = url, seed
        self.done: Counter[str] = Counter()
        self.unanswered: list[str] = []
        self.wrong: list[str] = []
        self.bought: list[str] = []
        self._lock = threading.Lock()
        self._began = time.monotonic()

    @property
    def total(self) -> int:
        return sum(self.done.values()) + len(self.unanswered)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def over(self) -> bool:
        return self.total >= _OPERATIONS or self.seconds > _AT_MOST

    def visit(self, number: int, admin: Visitor) -> None:
        chance = random.Random(self.seed * 100 + number)
        visitor, upload = self._newcomer()
        while not self.over():
            if visitor is None or chance.random() < _SIGN_UPS:
                visitor, upload = self._newcomer()
            else:
                self._act(chance, visitor, upload, admin)

    def _act(self, chance: random.Random, visitor: Visitor, upload: str, admin: Visitor) -> None:
        act = chance.random()
        if act < _PICTURES:
            self._do("generate", lambda: visitor.generate(upload).status_code)
        elif act < 0.2 and self.bought:
            order = chance.choice(self.bought)
            self._do("refund", lambda: self._refund(admin, order))
        elif act < 0.6:
            self._do("buy", lambda: self._buy(visitor))
        elif act < 0.8:
            self._do("mail", lambda: self._forget_password(visitor))
        else:
            self._do("look", lambda: len(visitor.history()))

    def _newcomer(self) -> tuple[Visitor | None, str]:
        visitor = Visitor(self.url, patience=_PATIENCE)
        found = self._do("sign up", lambda: visitor.sign_up().upload())
        return (visitor, str(found)) if found else (None, "")

    def _buy(self, visitor: Visitor) -> str:
        order = visitor.buy()
        self.bought.append(order)
        return order

    def _refund(self, admin: Visitor, order: str) -> int:
        wanted = {"orderId": order, "amount": 100, "reason": "A proof"}
        status = admin.post("/api/payments/refund", wanted).status_code
        # 409 and 422: not paid yet, or given back already.
        assert status in {200, 201, 202, 409, 422}, status
        return status

    def _forget_password(self, visitor: Visitor) -> int:
        wanted = {"email": visitor.email}
        return visitor.ask("POST", "/api/auth/forgot-password", json=wanted).status_code

    def _do(self, name: str, act: Callable[[], object]) -> object:
        try:
            found = act()
        except NoAnswer as fault:
            with self._lock:
                self.unanswered.append(str(fault))
            return None
        except Exception as fault:
            with self._lock:
                self.wrong.append(f"{name}: {type(fault).__name__} {fault}")
            return None
        with self._lock:
            self.done[name] += 1
        return found


def _kill_now_and_then(hall: ProofHall, chance: random.Random, crowd: Crowd) -> list[str]:
    """Kill now one, now another, each as often; returns the names."""
    killed: list[str] = []
    wanted: list[str] = []
    while not crowd.over():
        # Killed again while it still recovers, one time in four; else once people are served.
        if chance.random() < 0.75:
            _await(crowd, crowd.total + chance.randint(*_BETWEEN))
        time.sleep(chance.uniform(0.1, 2.0))
        wanted = wanted or chance.sample(_VICTIMS, len(_VICTIMS))
        victim = _process(hall, wanted[-1])
        if victim is None:
            continue
        try:
            victim.kill()
            killed.append(wanted.pop())
        except psutil.NoSuchProcess:
            continue
    return killed


def _await(crowd: Crowd, total: int) -> None:
    while not crowd.over() and crowd.total < total:
        time.sleep(0.05)


def _process(hall: ProofHall, name: str) -> psutil.Process | None:
    if name == "database":
        return _postmaster(hall)
    victims: dict[str, psutil.Process] = {each.name(): each for each in hall.processes()}
    return victims.get(name)


def _postmaster(hall: ProofHall) -> psutil.Process | None:
    try:
        return hall.database()[0]
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None


def _unfinished(hall: ProofHall) -> dict[str, int]:
    counts = {name: hall.one(query) for name, query in _UNFINISHED.items()}
    return {name: count for name, count in counts.items() if count}


def test_nothing_is_lost_or_doubled_however_the_hall_is_killed(
    hall: ProofHall, until: Callable[..., None]
) -> None:
    seed = int(os.environ.get("SEED", "20261121"))
    hall.run(_PAID_VIEW)
    admin = Visitor(hall.url, ADMIN, patience=_PATIENCE).sign_up()
    crowd = Crowd(hall.url, seed)
    people = [
        threading.Thread(target=crowd.visit, args=(number, admin)) for number in range(_VISITORS)
    ]
    for person in people:
        person.start()
    killed = _kill_now_and_then(hall, random.Random(seed), crowd)
    for person in people:
        person.join(3 * _PATIENCE)
    print(
        f"\nseed {seed}: {dict(crowd.done)} in {crowd.seconds:.0f} s,"
        f" {len(crowd.unanswered)} unanswered, killed {dict(Counter(killed))}"
    )

    assert crowd.wrong == []
    assert crowd.total >= _OPERATIONS
    assert len(crowd.unanswered) < _OPERATIONS // 20
    assert min(Counter(killed)[victim] for victim in _VICTIMS) >= 2
    assert set(crowd.done) >= {"sign up", "buy", "generate", "refund", "mail", "look"}
    began = time.monotonic()
    until(lambda: _unfinished(hall), {}, seconds=_HEALED_WITHIN)
    print(f"healed {time.monotonic() - began:.0f} s after the last kill")
    found = {name: hall.rows(query) for name, query in _WRONG.items()}
    assert {name: rows for name, rows in found.items() if rows} == {}
    hall.check_ledger()
