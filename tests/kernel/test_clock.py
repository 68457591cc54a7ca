from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from markethall.kernel import clock

MONTH = timedelta(days=31)


def test_the_sandbox_clock_turns_forward_and_back_to_real_time() -> None:
    clock.turn(MONTH)
    clock.turn(MONTH)
    assert clock.now() - timezone.now() > 2 * MONTH - timedelta(seconds=5)
    clock.reset()
    assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)


def test_it_never_turns_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        clock.turn(-MONTH)


def test_production_time_is_real_whatever_the_file_says(settings: Any) -> None:
    clock.turn(MONTH)
    settings.SANDBOX = False
    assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)
    with pytest.raises(clock.ClockIsFixed):
        clock.turn(MONTH)
    with pytest.raises(clock.ClockIsFixed):
        clock.reset()
