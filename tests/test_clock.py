"""Clocks stand still or go forward."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.clock import Clock, LiveClock, VirtualClock


def test_virtual_time_is_what_was_assigned_last() -> None:
    clock = VirtualClock(5)
    assert clock.now_ns() == 5
    clock.ts_ns = 9
    assert clock.now_ns() == 9


def test_virtual_time_may_stay_but_not_go_back() -> None:
    clock = VirtualClock(10)
    clock.advance_to(10)
    with pytest.raises(ValueError, match="cannot go back from 10 to 9"):
        clock.advance_to(9)
    assert clock.now_ns() == 10


@given(st.lists(st.integers(0, 2**62), min_size=1))
def test_a_wall_clock_that_jumps_never_takes_the_live_clock_back(walls: list[int]) -> None:
    source = iter(walls)
    clock: Clock = LiveClock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: next(source))
        read = [clock.now_ns() for _ in walls]
    assert read == [max(walls[: index + 1]) for index in range(len(walls))]
