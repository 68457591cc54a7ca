from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from house.parallel import together
from markethall.kernel.errors import TooManyRequests
from markethall.kernel.models import Tries
from markethall.kernel.throttle import Limit, count_both, count_try, forget, forget_lapsed

THREE = Limit(3, timedelta(minutes=5))


@pytest.mark.django_db
class TestLimit:
    def test_the_try_beyond_the_limit_is_told_when_to_come_back(self) -> None:
        for _ in range(3):
            count_try("login:a", THREE)
        with pytest.raises(TooManyRequests) as refusal:
            count_try("login:a", THREE)
        assert 290 <= int(refusal.value.headers["Retry-After"]) <= 300

    def test_buckets_are_apart(self) -> None:
        for bucket in ("a", "b"):
            for _ in range(3):
                count_try(bucket, THREE)

    def test_two_are_counted_at_once_the_second_while_the_first_has_room(self) -> None:
        wide, narrow = Limit(5, timedelta(minutes=1)), Limit(3, timedelta(minutes=5))
        for _ in range(3):
            count_both(("from:a", wide), ("on:b", narrow))
        with pytest.raises(TooManyRequests) as refusal:
            count_both(("from:a", wide), ("on:b", narrow))
        assert 290 <= int(refusal.value.headers["Retry-After"]) <= 300
        count_both(("from:a", wide), ("on:c", narrow))
        with pytest.raises(TooManyRequests) as refusal:
            count_both(("from:a", wide), ("on:c", narrow))
        assert int(refusal.value.headers["Retry-After"]) <= 60
        counts = dict(Tries.objects.values_list("bucket", "count"))
        assert counts == {"from:a": 6, "on:b": 4, "on:c": 1}

    def test_the_window_ends(self) -> None:
        for _ in range(3):
            count_try("a", THREE)
        with time_machine.travel(timezone.now() + timedelta(minutes=6)):
            count_try("a", THREE)
            assert Tries.objects.get().count == 1

    def test_a_success_can_forget(self) -> None:
        for _ in range(3):
            count_try("a", THREE)
        forget("a")
        count_try("a", THREE)

    def test_lapsed_counters_are_removed(self) -> None:
        count_try("a", THREE)
        assert forget_lapsed() == 0
        with time_machine.travel(timezone.now() + timedelta(minutes=6)):
            assert forget_lapsed() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_tries_are_all_counted() -> None:
    results = together([lambda: count_try("a", Limit(10, timedelta(minutes=5)))] * 25)
    assert sum(isinstance(result, TooManyRequests) for result in results) == 15
