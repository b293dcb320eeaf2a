"""Two recordings side by side: what counts, and how the first difference is shown."""

import pytest

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.runtime import Lane, Signal
from libra_ray.testing import Crossing, assert_same_traffic
from libra_ray.testing.traffic_taps import BusTap


def signals(*values: object, source: str = "A", ts_ns: int = 0) -> list[Crossing]:
    found: list[Crossing] = []
    bus = Bus(VirtualClock(ts_ns))
    tap = BusTap(bus, found.append)
    for value in values:
        bus.publish("signals.x", Signal("x", value, ts_ns, source))  # type: ignore[arg-type]
    tap.remove()
    return found


def test_the_same_at_another_hour_is_the_same() -> None:
    assert_same_traffic(signals(1, 2.0, "a"), signals(1, 2.0, "a", ts_ns=99))
    with pytest.raises(AssertionError):
        assert_same_traffic(signals(1), signals(1, ts_ns=99), ignoring=())


def test_the_first_difference_is_shown_with_what_was_the_same_before_it() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_same_traffic(signals(1, 2, 3), signals(1, 2, 4, 5))
    assert str(caught.value).splitlines() == [
        "traffic differs at record 3, Signal.value: 3 is not 4",
        "  one:   A SIGNALS PUBLISH signals.x Signal(name='x', value=3, ts_ns=0, source='A')",
        "  other: A SIGNALS PUBLISH signals.x Signal(name='x', value=4, ts_ns=0, source='A')",
        "  before it, in both:",
        "    1: A SIGNALS PUBLISH signals.x Signal(name='x', value=1, ts_ns=0, source='A')",
        "    2: A SIGNALS PUBLISH signals.x Signal(name='x', value=2, ts_ns=0, source='A')",
    ]
    with pytest.raises(AssertionError, match=r"(?s)at record 2\n.*other: \(nothing more\)"):
        assert_same_traffic(signals(1, 2), signals(1))


def test_between_sources_order_may_differ_when_it_is_asked_by_source() -> None:
    one, other = [*signals(1), *signals(2, source="B")], [*signals(2, source="B"), *signals(1)]
    with pytest.raises(AssertionError, match="source: 'A' is not 'B'"):
        assert_same_traffic(one, other)
    assert_same_traffic(one, other, by_source=True)
    with pytest.raises(AssertionError, match=r"at record 1 of B in lane SIGNALS, Signal.value: 2 is not 3"):
        assert_same_traffic(one, [*signals(1), *signals(3, source="B")], by_source=True)


def test_correlations_count_by_order_only() -> None:
    def dialogue(*numbers: int) -> list[Crossing]:
        asks = [Crossing(0, Lane.SIGNALS, "A", n, "REQUEST", "B.x", extra=n) for n in numbers]
        ends = [Crossing(0, Lane.SIGNALS, "B", n, "REPLY", f"reply:{n}", extra=n) for n in reversed(numbers)]
        return [*asks, *ends]

    assert_same_traffic(dialogue(1, 2), dialogue(2**40, 5))
    with pytest.raises(AssertionError, match="destination: 'reply:2' is not 'reply:7'"):
        assert_same_traffic(dialogue(1, 2), [*dialogue(7, 8)[:2], *reversed(dialogue(7, 8)[2:])])


def test_frames_that_keep_links_alive_do_not_count() -> None:
    beat = Crossing(0, Lane.CONTROL, "", 0, "HEARTBEAT", "", host="a", epoch=1, peer="b")
    assert_same_traffic([beat, *signals(1), beat], signals(1))
