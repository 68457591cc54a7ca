"""Whatever happens to a wallet in whatever order, the books agree with a plain model of it."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection, transaction
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

from markethall.foundation.ledger.actions import (
    capture_hold,
    grant_credits,
    open_hold,
    release_hold,
    take_back_credits,
)
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.errors import HoldSettled, InsufficientFunds
from markethall.foundation.ledger.queries import Balance, balance_of, history_of

amounts = st.integers(1, 20)


class Books(RuleBasedStateMachine):
    """Two people's wallets, and the keys and holds that came about."""

    holds = Bundle("holds")
    keys = Bundle("keys")

    @initialize()
    def open_the_books(self) -> None:
        self.people = [uuid.uuid4(), uuid.uuid4()]
        self.balance = dict.fromkeys(self.people, 0)
        self.held = dict.fromkeys(self.people, 0)
        self.state: dict[uuid.UUID, tuple[int, int, str]] = {}
        self.used: set[str] = set()

    @rule(target=keys)
    def new_key(self) -> str:
        return str(uuid.uuid4())

    @rule(who=st.integers(0, 1), amount=amounts, key=keys)
    def grant(self, who: int, amount: int, key: str) -> None:
        posted = grant_credits(
            user_id=self.people[who], amount=amount, kind="purchase", key=f"grant:{key}"
        )
        assert (posted is None) == (key in self.used)
        if posted:
            self.used.add(key)
            self.balance[self.people[who]] += amount

    @rule(target=holds, who=st.integers(0, 1), amount=amounts)
    def hold(self, who: int, amount: int) -> uuid.UUID:
        person = self.people[who]
        try:
            with transaction.atomic():
                hold_id = open_hold(user_id=person, amount=amount, key=f"hold:{uuid.uuid4()}")
        except InsufficientFunds:
            assert self.balance[person] < amount
            return uuid.UUID(int=0)
        assert self.balance[person] >= amount
        self.balance[person] -= amount
        self.held[person] += amount
        self.state[hold_id] = (who, amount, "held")
        return hold_id

    @rule(hold_id=holds, captured=st.booleans())
    def settle(self, hold_id: uuid.UUID, captured: bool) -> None:
        if hold_id not in self.state:
            return
        who, amount, state = self.state[hold_id]
        person, wanted = self.people[who], "captured" if captured else "released"
        try:
            with transaction.atomic():
                (capture_hold if captured else release_hold)(hold_id)
        except HoldSettled:
            assert state not in ("held", wanted)
            return
        assert state in ("held", wanted)
        if state == "held":
            self.held[person] -= amount
            self.balance[person] += 0 if captured else amount
            self.state[hold_id] = (who, amount, wanted)

    @rule(who=st.integers(0, 1), amount=amounts, by_staff=st.booleans())
    def remove(self, who: int, amount: int, by_staff: bool) -> None:
        person = self.people[who]
        try:
            with transaction.atomic():
                take_back_credits(
                    user_id=person,
                    amount=amount,
                    kind="admin",
                    key=f"remove:{uuid.uuid4()}",
                    allow_below_zero=by_staff,
                )
        except InsufficientFunds:
            assert not by_staff
            assert self.balance[person] < amount
            return
        assert by_staff or self.balance[person] >= amount
        self.balance[person] -= amount

    @invariant()
    def balances_are_the_models(self) -> None:
        for person in getattr(self, "people", ()):
            assert balance_of(person) == Balance(self.balance[person], self.held[person])
            last = history_of(person).order_by("-id").first()
            assert last is None or last.balance_after == self.balance[person]

    def teardown(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        assert [fault for result in check_ledger() for fault in result.faults] == []


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_the_books_follow_the_model() -> None:
    _run(examples=12, steps=30)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_books_follow_the_model_over_a_thousand_steps() -> None:
    _run(examples=5, steps=1200)
