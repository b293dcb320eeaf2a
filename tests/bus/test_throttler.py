"""Throttlers: never more than the limit in any window, nothing overtakes, nothing is lost unsaid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus import Admission, ThrottledSender, Throttler
from libra_ray.runtime import Actor, LocalHost

SECOND = 1_000_000_000


@given(st.integers(1, 4), st.integers(1, 10), st.lists(st.integers(0, 6), max_size=40))
def test_no_window_holds_more_than_the_limit_and_nobody_is_denied_without_need(
    limit: int, interval_ns: int, gaps_ns: list[int]
) -> None:
    throttler: Throttler[int] = Throttler(limit, interval_ns)
    passed: list[int] = []
    ts_ns = 0
    for gap_ns in gaps_ns:
        ts_ns += gap_ns
        in_window = sum(ts_ns - interval_ns < stamp <= ts_ns for stamp in passed)
        assert throttler.used(ts_ns) == in_window / limit
        assert throttler.allows(ts_ns) == (in_window < limit)
        if in_window < limit:
            passed.append(ts_ns)
    assert (throttler.passed, throttler.denied) == (len(passed), len(gaps_ns) - len(passed))


@given(st.integers(1, 4), st.integers(1, 10), st.lists(st.integers(0, 6), max_size=40))
def test_what_waits_passes_in_order_as_soon_as_the_window_allows(
    limit: int, interval_ns: int, gaps_ns: list[int]
) -> None:
    throttler: Throttler[int] = Throttler(limit, interval_ns, "queue")
    sent: list[tuple[int, int]] = []
    ts_ns = 0
    for number, gap_ns in enumerate(gaps_ns):
        for now_ns in range(ts_ns + 1, ts_ns + gap_ns + 1):
            if throttler.next_release_ns == now_ns:
                sent += [(waiting, now_ns) for waiting in throttler.release(now_ns)]
        ts_ns += gap_ns
        if throttler.offer(ts_ns, number) is Admission.PASSED:
            sent.append((number, ts_ns))
    while (release_ns := throttler.next_release_ns) is not None:
        sent += [(waiting, release_ns) for waiting in throttler.release(release_ns)]
    assert [number for number, _ in sent] == list(range(len(gaps_ns)))
    stamps = [stamp for _, stamp in sent]
    arrivals = [sum(gaps_ns[: index + 1]) for index in range(len(gaps_ns))]
    for index, (arrival, stamp) in enumerate(zip(arrivals, stamps, strict=True)):
        free_ns = stamps[index - limit] + interval_ns if index >= limit else 0
        assert stamp == max(arrival, free_ns)


def test_five_in_a_second_pass_the_sixth_waits_for_the_first_to_leave_the_window(host: LocalHost) -> None:
    sent: list[tuple[int, int]] = []

    class Sender(Actor):
        def on_start(self) -> None:
            throttler: Throttler[int] = Throttler(5, SECOND, "queue")
            out = ThrottledSender(throttler, self.clock, "out", lambda n: sent.append((n, self.clock.now_ns())))
            assert [out(number) for number in range(7)] == [Admission.PASSED] * 5 + [Admission.QUEUED] * 2
            assert (throttler.waiting, throttler.used()) == (2, 1.0)

    host.start(host.add(Sender()))
    host.run_until_idle()
    assert sent == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, SECOND), (6, SECOND)]


def test_the_share_in_use_falls_as_the_window_slides() -> None:
    throttler: Throttler[int] = Throttler(4, SECOND)
    for ts_ns in (0, SECOND // 2):
        throttler.allows(ts_ns)
    assert throttler.used() == 0.5
    assert throttler.used(SECOND) == 0.25
    assert throttler.used(2 * SECOND) == 0.0


@pytest.mark.parametrize(("limit", "interval_ns", "on_excess"), [(0, 1, "deny"), (1, 0, "deny"), (1, 1, "drop")])
def test_a_throttler_without_sense_is_refused(limit: int, interval_ns: int, on_excess: str) -> None:
    with pytest.raises(ValueError, match="no throttler"):
        Throttler(limit, interval_ns, on_excess)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_queue_that_is_full_refuses_and_counts() -> None:
    throttler: Throttler[int] = Throttler(1, SECOND, "queue")
    answers = [throttler.offer(0, number) for number in range(65_538)]
    assert answers[0] is Admission.PASSED
    assert answers[1:-1] == [Admission.QUEUED] * 65_536
    assert answers[-1] is Admission.DENIED
    assert throttler.denied == 1


def test_what_comes_later_does_not_overtake_what_waits_although_the_window_is_free() -> None:
    throttler: Throttler[str] = Throttler(1, 10, "queue")
    assert [throttler.offer(0, "a"), throttler.offer(1, "b"), throttler.offer(30, "c")] == [
        "PASSED",
        "QUEUED",
        "QUEUED",
    ]
    assert throttler.release(30) == ["b"]
    assert throttler.next_release_ns == 40


@pytest.mark.parametrize(("limit", "interval_ns"), [(1.5, 10), ("1", 10), (1, 1e9), (1, "10")])
def test_limit_and_interval_are_whole_numbers(limit: Any, interval_ns: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError):
        Throttler(limit, interval_ns)
