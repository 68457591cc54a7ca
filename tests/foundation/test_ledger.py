from __future__ import annotations

import uuid

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from house.parallel import together
from markethall.foundation.ledger import accounts
from markethall.foundation.ledger.actions import (
    capture_hold,
    grant_credits,
    open_hold,
    post,
    release_hold,
    take_back_credits,
)
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.errors import HoldSettled, InsufficientFunds, Unbalanced
from markethall.foundation.ledger.models import Account, Entry, Transaction
from markethall.foundation.ledger.queries import Balance, balance_of, entry_status, history_of
from markethall.foundation.ledger.rules import Posting, transfer


def give(user_id: uuid.UUID, amount: int) -> None:
    grant_credits(user_id=user_id, amount=amount, kind="bonus", key=f"test:{uuid.uuid4()}")


def hold(user_id: uuid.UUID, amount: int = 1) -> uuid.UUID:
    return open_hold(user_id=user_id, amount=amount, key=f"test:{uuid.uuid4()}")


def faults() -> list[str]:
    return [fault for result in check_ledger() for fault in result.faults]


@pytest.fixture
def user_id() -> uuid.UUID:
    return uuid.uuid4()


@pytest.mark.django_db
class TestCredits:
    def test_granting_raises_the_balance_once_per_key(self, user_id: uuid.UUID) -> None:
        for _ in range(2):
            grant_credits(user_id=user_id, amount=50, kind="purchase", key="order:1")
        assert balance_of(user_id) == Balance(50, 0)

    def test_a_hold_sets_aside_and_capture_spends(self, user_id: uuid.UUID) -> None:
        give(user_id, 10)
        held = hold(user_id)
        assert balance_of(user_id) == Balance(9, 1)
        capture_hold(held)
        capture_hold(held)
        assert balance_of(user_id) == Balance(9, 0)
        with pytest.raises(HoldSettled), transaction.atomic():
            release_hold(held)
        assert faults() == []

    def test_release_gives_back_as_refund(self, user_id: uuid.UUID) -> None:
        give(user_id, 10)
        release_hold(hold(user_id))
        history = history_of(user_id).order_by("-id")
        rows = [(e.transaction.kind, entry_status(e), e.amount, e.balance_after) for e in history]
        assert rows == [
            ("refund", "completed", 1, 10),
            ("deduction", "failed", -1, 9),
            ("bonus", "completed", 10, 10),
        ]

    def test_spending_never_goes_below_zero(self, user_id: uuid.UUID) -> None:
        give(user_id, 1)
        hold(user_id)
        with pytest.raises(InsufficientFunds), transaction.atomic():
            hold(user_id)
        assert balance_of(user_id) == Balance(0, 1)

    def test_one_without_a_wallet_cannot_spend(self, user_id: uuid.UUID) -> None:
        with pytest.raises(InsufficientFunds), transaction.atomic():
            hold(user_id)

    def test_staff_may_remove_below_zero_and_the_floor_rises_again(
        self, user_id: uuid.UUID
    ) -> None:
        give(user_id, 2)
        take_back_credits(
            user_id=user_id, amount=5, kind="admin", key="fix:1", allow_below_zero=True
        )
        assert balance_of(user_id).balance == -3
        with pytest.raises(InsufficientFunds), transaction.atomic():
            hold(user_id)
        give(user_id, 10)
        hold(user_id, 7)
        with pytest.raises(InsufficientFunds), transaction.atomic():
            hold(user_id)


@pytest.mark.django_db
class TestGuards:
    def test_unbalanced_postings_are_refused_before_the_database(self) -> None:
        issued, spent = accounts.issued_credits(), accounts.spent_credits()
        with pytest.raises(Unbalanced):
            post(key="x", kind="x", postings=[Posting(issued, -1), Posting(spent, 2)])
        with pytest.raises(Unbalanced):
            post(key="x", kind="x", postings=[])

    def test_the_database_refuses_a_sum_that_is_not_zero(self, user_id: uuid.UUID) -> None:
        give(user_id, 5)
        entry = Entry.objects.filter(amount=5).get()
        with pytest.raises(IntegrityError, match="is off by 1"), transaction.atomic():
            Entry.objects.create(transaction=entry.transaction, account=entry.account, amount=1)
            connection.check_constraints()

    def test_the_database_refuses_a_transaction_without_entries(self, user_id: uuid.UUID) -> None:
        give(user_id, 5)
        some = Transaction.objects.get()
        some.pk, some.key = uuid.uuid4(), "empty"
        with pytest.raises(IntegrityError, match="0 entries"), transaction.atomic():
            some.save(force_insert=True)
            connection.check_constraints()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE ledger_entry SET amount = 6",
            "DELETE FROM ledger_entry",
            "UPDATE ledger_transaction SET kind = 'bonus'",
            "DELETE FROM ledger_transaction",
            "TRUNCATE ledger_entry CASCADE",
            "UPDATE ledger_account SET balance = 100 WHERE balance IS NOT NULL",
            "UPDATE ledger_account SET balance = -1, floor = -1 WHERE balance IS NOT NULL",
            "INSERT INTO ledger_account (id, code, unit, balance, floor, created_at)"
            " VALUES (gen_random_uuid(), 'forged', 'CREDIT', 7, 0, now())",
        ],
    )
    def test_the_database_refuses_to_change_the_past(
        self, user_id: uuid.UUID, statement: str
    ) -> None:
        give(user_id, 5)
        connection.check_constraints()
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert balance_of(user_id).balance == 5

    def test_check_ledger_finds_a_forged_balance(self, user_id: uuid.UUID) -> None:
        give(user_id, 5)
        connection.check_constraints()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("UPDATE ledger_account SET balance = 6 WHERE balance = 5")
        assert any("shows 6" in fault for fault in faults())


@pytest.mark.django_db(transaction=True)
class TestConcurrency:
    def test_of_fifty_parallel_holds_on_one_credit_one_wins(self, user_id: uuid.UUID) -> None:
        give(user_id, 1)
        results = together([lambda: hold(user_id)] * 50)
        won = [result for result in results if isinstance(result, uuid.UUID)]
        lost = [result for result in results if isinstance(result, InsufficientFunds)]
        assert (len(won), len(lost)) == (1, 49)
        assert balance_of(user_id) == Balance(0, 1)
        assert faults() == []

    def test_parallel_grants_with_one_key_grant_once(self, user_id: uuid.UUID) -> None:
        give(user_id, 1)

        def grant() -> uuid.UUID | None:
            return grant_credits(user_id=user_id, amount=50, kind="purchase", key="order:7")

        results = together([grant] * 20)
        assert sum(result is not None for result in results) == 1
        assert balance_of(user_id).balance == 51

    def test_transfers_in_both_directions_do_not_deadlock(self) -> None:
        one, two = uuid.uuid4(), uuid.uuid4()
        give(one, 100)
        give(two, 100)

        def move(source: uuid.UUID, target: uuid.UUID) -> uuid.UUID | None:
            return post(
                key=f"test:{uuid.uuid4()}",
                kind="test",
                postings=transfer(accounts.wallet(source), accounts.wallet(target), 1),
            )

        acts = [lambda: move(one, two), lambda: move(two, one)] * 15
        assert not [result for result in together(acts) if isinstance(result, Exception)]
        assert balance_of(one).balance + balance_of(two).balance == 200
        assert faults() == []

    def test_capture_and_release_at_once_settle_once(self, user_id: uuid.UUID) -> None:
        give(user_id, 1)
        held = hold(user_id)
        together([lambda: capture_hold(held), lambda: release_hold(held)] * 5)
        assert balance_of(user_id) in (Balance(0, 0), Balance(1, 0))
        assert Account.objects.filter(code__startswith="held:").get().balance == 0
        assert faults() == []
