from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from house.parallel import together
from markethall.foundation.ledger.actions import grant_credits, open_hold
from markethall.foundation.ledger.errors import InsufficientFunds
from markethall.foundation.ledger.models import Transaction
from markethall.kernel import clock
from markethall.kernel.idempotency import (
    KEEP,
    Answer,
    IdempotencyKeyInvalid,
    IdempotencyMismatch,
    forget_old,
    once,
)
from markethall.kernel.models import IdempotentAnswer


def counting() -> tuple[list[int], Callable[[], Answer]]:
    runs: list[int] = []

    def act() -> Answer:
        runs.append(1)
        return Answer(201, {"run": len(runs)})

    return runs, act


@pytest.mark.django_db
class TestOnce:
    def test_the_same_key_and_body_gives_the_first_answer(self) -> None:
        runs, act = counting()
        first = once(scope="s", key="k", request_body=b"{}", act=act)
        second = once(scope="s", key="k", request_body=b"{}", act=act)
        assert (first.body, second.body, second.replayed) == ({"run": 1}, {"run": 1}, True)
        assert len(runs) == 1

    def test_another_body_is_a_mismatch(self) -> None:
        _, act = counting()
        once(scope="s", key="k", request_body=b"{}", act=act)
        with pytest.raises(IdempotencyMismatch):
            once(scope="s", key="k", request_body=b"[]", act=act)

    def test_keys_of_two_callers_do_not_meet(self) -> None:
        runs, act = counting()
        once(scope="one", key="k", request_body=b"{}", act=act)
        once(scope="two", key="k", request_body=b"{}", act=act)
        assert len(runs) == 2

    def test_without_a_key_every_request_counts(self) -> None:
        runs, act = counting()
        for _ in range(2):
            once(scope="s", key=None, request_body=b"{}", act=act)
        assert len(runs) == 2

    def test_a_failure_keeps_nothing(self) -> None:
        def fail() -> Answer:
            raise RuntimeError

        with pytest.raises(RuntimeError):
            once(scope="s", key="k", request_body=b"{}", act=fail)
        _, act = counting()
        assert not once(scope="s", key="k", request_body=b"{}", act=act).replayed

    @pytest.mark.parametrize("key", ["", "x" * 256, "snow☃", "line\nbreak"])
    def test_what_is_no_key_is_refused(self, key: str) -> None:
        with pytest.raises(IdempotencyKeyInvalid):
            once(scope="s", key=key, request_body=b"", act=lambda: Answer(200, {}))

    def test_old_answers_are_forgotten(self) -> None:
        _, act = counting()
        once(scope="s", key="k", request_body=b"{}", act=act)
        clock.turn(KEEP + timedelta(hours=1))
        assert forget_old() == 1
        assert not IdempotentAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_with_one_key_act_once() -> None:
    user_id = uuid.uuid4()

    def act() -> Answer:
        grant_credits(user_id=user_id, amount=1, kind="bonus", key=f"t:{uuid.uuid4()}")
        return Answer(200, {"by": str(uuid.uuid4())})

    results = together([lambda: once(scope="s", key="k", request_body=b"", act=act)] * 20)
    answers = [result for result in results if isinstance(result, Answer)]
    assert len(answers) == 20
    assert len({answer.body["by"] for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert Transaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_twin_that_finds_nothing_left_gives_the_first_answer() -> None:
    user_id = uuid.uuid4()
    grant_credits(user_id=user_id, amount=1, kind="bonus", key="one")

    def act() -> Answer:
        open_hold(user_id=user_id, amount=1, key=f"t:{uuid.uuid4()}")
        return Answer(202, {"by": str(uuid.uuid4())})

    results = together([lambda: once(scope="s", key="k", request_body=b"", act=act)] * 10)
    answers = [result for result in results if isinstance(result, Answer)]
    assert len(answers) == 10, results
    assert len({answer.body["by"] for answer in answers}) == 1
    with pytest.raises(InsufficientFunds):
        once(scope="s", key="another", request_body=b"", act=act)
