"""Inboxes: the highest lane first, first in first out inside a lane, bounded, and every loss counted."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.runtime import FullPolicy, Inbox, Lane, LaneCount

BLOCK, OLDEST, CONFLATE = FullPolicy.BLOCK, FullPolicy.DROP_OLDEST, FullPolicy.CONFLATE


def drain(inbox: Inbox) -> list[object]:
    taken = []
    while (letter := inbox.get()) is not None:
        taken.append(letter[1])
    return taken


@given(
    puts=st.lists(st.one_of(st.sampled_from(Lane), st.none()), max_size=80),
    capacity=st.integers(1, 6),
    policies=st.tuples(st.sampled_from([BLOCK, OLDEST]), st.sampled_from([BLOCK, OLDEST])),
)
def test_an_inbox_hands_out_as_lists_of_lanes_do(
    puts: list[Lane | None], capacity: int, policies: tuple[FullPolicy, FullPolicy]
) -> None:
    """None takes one message out."""
    policy = {Lane.SIGNALS: policies[0], Lane.MARKET_DATA: policies[1]}
    inbox = Inbox(capacity=dict.fromkeys(Lane, capacity), policy=policy)
    model: dict[Lane, deque[int]] = {lane: deque() for lane in Lane}
    for number, lane in enumerate(puts):
        if lane is None:
            first = next((each for each in Lane if model[each]), None)
            assert inbox.get() == (None if first is None else (first, model[first].popleft()))
            continue
        is_full = len(model[lane]) == capacity
        is_taken = not is_full or policy.get(lane) is OLDEST
        assert inbox.put(lane, number) == is_taken
        if is_full and is_taken:
            model[lane].popleft()
        if is_taken:
            model[lane].append(number)
    assert len(inbox) == sum(len(waiting) for waiting in model.values())
    for lane in Lane:
        count = inbox.count(lane)
        assert count.sent == count.received + count.dropped + count.depth
        assert count.depth == len(model[lane]) <= count.high_water <= capacity


def test_control_goes_above_risk_above_orders_above_signals_above_market_data() -> None:
    inbox = Inbox()
    for lane in reversed(Lane):
        inbox.put(lane, lane.name)
    assert drain(inbox) == ["CONTROL", "RISK", "ORDERS", "SIGNALS", "MARKET_DATA"]


def test_a_full_lane_that_blocks_takes_nothing_and_loses_nothing() -> None:
    inbox = Inbox(capacity={Lane.ORDERS: 2})
    assert [inbox.put(Lane.ORDERS, number) for number in range(3)] == [True, True, False]
    assert inbox.count(Lane.ORDERS) == LaneCount(sent=2, received=0, dropped=0, depth=2, high_water=2, refused=1)
    assert drain(inbox) == [0, 1]
    assert inbox.put(Lane.ORDERS, 2)


@pytest.mark.parametrize("lane", [Lane.CONTROL, Lane.RISK, Lane.ORDERS])
@pytest.mark.parametrize("policy", [OLDEST, CONFLATE])
def test_orders_risk_and_control_cannot_be_told_to_drop(lane: Lane, policy: FullPolicy) -> None:
    with pytest.raises(ValueError, match=lane.name):
        Inbox(policy={lane: policy})


def test_conflation_begins_when_the_lane_is_full_and_keeps_the_newest_of_each_key() -> None:
    inbox = Inbox(capacity={Lane.MARKET_DATA: 4}, policy={Lane.MARKET_DATA: CONFLATE})
    for number, key in enumerate("aabbc"):
        assert inbox.put(Lane.MARKET_DATA, f"{key}{number}", key=key)
    assert inbox.put(Lane.MARKET_DATA, "c5", key="c")
    assert inbox.put(Lane.MARKET_DATA, "c6", key="c")
    assert inbox.count(Lane.MARKET_DATA).dropped == 3
    assert drain(inbox) == ["a1", "b3", "c5", "c6"]


def test_when_all_keys_differ_the_sender_is_held() -> None:
    inbox = Inbox(capacity={Lane.MARKET_DATA: 2}, policy={Lane.MARKET_DATA: CONFLATE})
    assert [inbox.put(Lane.MARKET_DATA, key, key=key) for key in "abc"] == [True, True, False]
    assert inbox.put(Lane.MARKET_DATA, "a2", key="a")
    assert drain(inbox) == ["b", "a2"]


@given(st.lists(st.sampled_from("abcd"), max_size=60), st.integers(1, 5))
def test_conflation_never_loses_the_newest_of_a_key_that_was_taken_in(keys: list[str], capacity: int) -> None:
    inbox = Inbox(capacity={Lane.MARKET_DATA: capacity}, policy={Lane.MARKET_DATA: CONFLATE})
    newest = {key: number for number, key in enumerate(keys) if inbox.put(Lane.MARKET_DATA, (key, number), key=key)}
    taken = [pair for pair in drain(inbox) if isinstance(pair, tuple)]
    assert [number for _, number in taken] == sorted(number for _, number in taken)
    assert dict(taken) == newest


def test_the_age_is_that_of_the_oldest_message() -> None:
    inbox = Inbox()
    inbox.put(Lane.SIGNALS, "a", ts_ns=10)
    inbox.put(Lane.SIGNALS, "b", ts_ns=15)
    assert inbox.oldest_age_ns(Lane.SIGNALS, 30) == 20
    inbox.get()
    assert inbox.oldest_age_ns(Lane.SIGNALS, 30) == 15
    assert inbox.oldest_age_ns(Lane.RISK, 30) == 0


def test_taking_an_old_message_leaves_the_newest_of_its_key_known() -> None:
    inbox = Inbox(capacity={Lane.MARKET_DATA: 2}, policy={Lane.MARKET_DATA: CONFLATE})
    for message in ("a0", "a1"):
        inbox.put(Lane.MARKET_DATA, message, key="a")
    assert inbox.get() == (Lane.MARKET_DATA, "a0")
    inbox.put(Lane.MARKET_DATA, "b2", key="b")
    assert inbox.put(Lane.MARKET_DATA, "a3", key="a")
    assert drain(inbox) == ["b2", "a3"]
