"""Heartbeats: silence is noticed in time, and only the silence of others counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.runtime.supervision import DEAD_NS, HEARTBEAT_NS, SUSPECT_NS, Health, HealthChange, HeartbeatMonitor

MS, SECOND = 1_000_000, 1_000_000_000
START_NS_MAX = 30 * SECOND


def watching(*host_ids: str) -> HeartbeatMonitor:
    monitor = HeartbeatMonitor()
    for host_id in host_ids:
        monitor.watch(host_id, 1, 0, start_ns_max=START_NS_MAX)
        monitor.beat(host_id, 1, 0)
    return monitor


def run(monitor: HeartbeatMonitor, until_ns: int, from_ns: int = 0) -> list[tuple[int, HealthChange]]:
    """Check whenever something is due."""
    seen, now_ns = [], from_ns
    while (due_ns := monitor.next_due_ns()) is not None and (now_ns := max(now_ns, due_ns)) <= until_ns:
        seen += [(now_ns, change) for change in monitor.check(now_ns)]
    return seen


def test_a_host_that_falls_silent_is_suspect_after_a_second_and_dead_within_three() -> None:
    assert run(watching("a"), 10 * SECOND) == [
        (SUSPECT_NS, HealthChange("a", 1, Health.SUSPECT)),
        (DEAD_NS, HealthChange("a", 1, Health.DEAD)),
    ]
    assert DEAD_NS < 3 * SECOND


def test_a_suspect_that_speaks_is_fine_again_and_a_dead_one_stays_dead() -> None:
    monitor = watching("a")
    run(monitor, SUSPECT_NS)

    assert monitor.beat("a", 1, SUSPECT_NS + 1) == HealthChange("a", 1, Health.FINE)
    assert monitor.health("a") is Health.FINE
    run(monitor, 10 * SECOND, SUSPECT_NS)
    assert monitor.health("a") is Health.DEAD
    assert monitor.beat("a", 1, 10 * SECOND) is None
    assert monitor.health("a") is Health.DEAD
    assert monitor.next_due_ns() is None


def test_a_host_has_longer_for_its_first_heartbeat() -> None:
    monitor = HeartbeatMonitor()
    monitor.watch("a", 1, 0, start_ns_max=START_NS_MAX)

    assert monitor.silence_ns("a", SECOND) == 0
    assert run(monitor, 60 * SECOND) == [(START_NS_MAX, HealthChange("a", 1, Health.DEAD))]


def test_a_heartbeat_of_another_epoch_or_of_a_stranger_counts_for_nothing() -> None:
    monitor = watching("a")

    assert monitor.beat("a", 2, SECOND // 2) is None
    assert monitor.beat("b", 1, SECOND // 2) is None
    assert monitor.silence_ns("a", SECOND // 2) == SECOND // 2
    assert monitor.health("b") is None


def test_a_host_that_is_forgotten_is_not_missed() -> None:
    monitor = watching("a", "b")
    monitor.forget("a")
    monitor.forget("a")

    assert {change.host_id for _, change in run(monitor, 10 * SECOND)} == {"b"}


def test_time_in_which_the_monitor_itself_stood_still_is_nobodys_silence() -> None:
    monitor = watching("a", "b")
    monitor.check(0)

    assert [change.health for change in monitor.check(60 * SECOND)] == [Health.SUSPECT, Health.SUSPECT]
    monitor.beat("a", 1, 60 * SECOND + 1)
    changes = run(monitor, 70 * SECOND, 60 * SECOND)
    assert (changes[-2][0] - 60 * SECOND < 2 * SECOND, changes[-2][1]) == (True, HealthChange("b", 1, Health.DEAD))


def test_times_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="suspect after 3 ns and dead after 2 ns"):
        HeartbeatMonitor(suspect_ns=3, dead_ns=2)


@pytest.mark.slow
@given(
    gaps_ms=st.lists(st.integers(1, 2_000), min_size=1, max_size=40),
    stops_at=st.integers(0, 39),
    check_every_ms=st.integers(1, 400),
)
def test_who_speaks_is_never_dead_and_who_stops_is_dead_within_three_seconds(
    gaps_ms: list[int], stops_at: int, check_every_ms: int
) -> None:
    monitor = watching("a")
    now_ns = 0
    for gap_ms in gaps_ms[: stops_at + 1]:
        next_ns = now_ns + gap_ms * MS
        for at_ns in range(now_ns, next_ns, check_every_ms * MS):
            assert all(change.health is not Health.DEAD for change in monitor.check(at_ns))
        now_ns = next_ns
        monitor.beat("a", 1, now_ns)
    found_ns = next(
        at_ns
        for at_ns in range(now_ns, now_ns + 10 * SECOND, check_every_ms * MS)
        if any(change.health is Health.DEAD for change in monitor.check(at_ns))
    )
    assert DEAD_NS <= found_ns - now_ns < DEAD_NS + check_every_ms * MS
    assert HEARTBEAT_NS * 4 == SUSPECT_NS
