"""Credit for market data: windows, conflation, losses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.hosts.market_flow import InboundFlow, OutboundFlow
from libra_ray.runtime import FullPolicy

CONFLATE, BLOCK = FullPolicy.CONFLATE, FullPolicy.BLOCK


def left(flow: OutboundFlow[int]) -> list[int]:
    """All that may leave now."""
    items = []
    while (item := flow.next()) is not None:
        items.append(item[1])
    return items


def test_nothing_conflates_while_the_window_has_room() -> None:
    flow: OutboundFlow[int] = OutboundFlow(window=3)
    assert [flow.offer("x", number, CONFLATE) for number in range(3)] == [None] * 3
    assert left(flow) == [0, 1, 2]
    assert (flow.position, flow.is_full, flow.dropped) == (3, True, 0)


def test_beyond_the_window_the_newest_of_each_topic_waits_in_the_place_of_the_first() -> None:
    flow: OutboundFlow[int] = OutboundFlow(window=1)
    flow.offer("x", 0, CONFLATE)
    assert [flow.offer(topic, number, CONFLATE) for topic, number in (("x", 1), ("y", 2), ("x", 3))] == [None, None, 1]
    assert (left(flow), flow.dropped, flow.waits) == ([0], 1, 2)
    assert flow.credit(1)
    assert left(flow) == [3]
    assert flow.credit(2)
    assert left(flow) == [2]


def test_a_topic_that_blocks_keeps_all_in_order() -> None:
    flow: OutboundFlow[int] = OutboundFlow(window=2)
    for number in range(5):
        flow.offer("x", number, BLOCK)
    assert left(flow) == [0, 1]
    flow.credit(2)
    assert left(flow) == [2, 3]
    assert (flow.dropped, flow.waits) == (0, 1)


def test_too_many_that_block_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libra_ray.hosts.market_flow.BLOCKED_MAX", 2)
    flow: OutboundFlow[int] = OutboundFlow(window=1)
    flow.offer("x", 0, BLOCK)
    flow.offer("x", 1, BLOCK)
    with pytest.raises(OverflowError):
        flow.offer("x", 2, BLOCK)


def test_what_could_not_leave_is_next_again() -> None:
    flow: OutboundFlow[int] = OutboundFlow(window=2)
    flow.offer("x", 0, CONFLATE)
    flow.offer("x", 1, CONFLATE)
    taken = flow.next()
    assert taken is not None
    flow.put_back(*taken)
    assert flow.position == 0
    assert left(flow) == [0, 1]


def test_credit_never_goes_back_or_beyond_what_was_sent() -> None:
    flow: OutboundFlow[int] = OutboundFlow(window=2)
    flow.offer("x", 0, CONFLATE)
    left(flow)
    assert [flow.credit(position) for position in (2, 1, 1, 0)] == [False, True, False, False]


@given(st.lists(st.one_of(st.sampled_from("xyz"), st.integers(0, 4)), max_size=60), st.integers(1, 4))
def test_the_newest_of_each_topic_always_arrives_and_order_within_a_topic_holds(
    steps: list[str | int], window: int
) -> None:
    """Texts publish on a topic, numbers consume so many."""
    flow: OutboundFlow[int] = OutboundFlow(window)
    arrived: list[tuple[str, int]] = []
    published: dict[str, list[int]] = {}

    def pump(count: int) -> None:
        for _ in range(count):
            item = flow.next()
            if item is None:
                return
            arrived.append(item)
            flow.credit(flow.position)

    for number, step in enumerate(steps):
        if isinstance(step, str):
            published.setdefault(step, []).append(number)
            flow.offer(step, number, CONFLATE)
        else:
            pump(step)
    pump(1_000)
    for topic, numbers in published.items():
        got = [number for each, number in arrived if each == topic]
        assert got == sorted(got)
        assert got[-1] == numbers[-1]
    assert len(arrived) + flow.dropped == sum(map(len, published.values()))


def test_what_is_missing_is_counted_and_what_came_before_is_refused() -> None:
    flow = InboundFlow(epoch=1, window=8)
    assert [flow.arrived(1, 1), flow.arrived(4, 6), flow.arrived(5, 5), flow.arrived(7, 7)] == [0, 2, -1, 0]
    assert (flow.lost, flow.consumed) == (2, 7)


def test_credit_is_told_each_eighth_of_the_window() -> None:
    flow = InboundFlow(epoch=1, window=16)
    flow.arrived(1, 1)
    assert flow.due() is None
    assert flow.due(everything=True) == 1
    flow.arrived(2, 3)
    assert flow.due() == 3
    assert flow.due(everything=True) is None
