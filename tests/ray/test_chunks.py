"""Handing out work: everything once, long enough chunks, and nobody charged for another's death."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.runtime.ray.chunks import CALL_NS, CHUNK_ITEMS_MAX, WorkQueue


@given(
    count=st.integers(0, 300),
    item_ns=st.integers(0, 10**9),
    deadly=st.sets(st.integers(0, 299), max_size=4),
    data=st.data(),
)
def test_each_item_is_done_once_or_given_up_after_three_deaths(
    count: int, item_ns: int, deadly: set[int], data: st.DataObject
) -> None:
    queue = WorkQueue(count, calls_at_once=4)
    done: list[int] = []
    given_up: list[int] = []
    while not queue.is_finished:
        chunk = queue.take()
        if not chunk.is_suspect and data.draw(st.integers(0, 9)) == 0:
            queue.put_back(chunk)
        elif deadly & set(chunk.positions):
            given_up += queue.died(chunk)
        else:
            done += chunk.positions
            queue.done(chunk, worked_ns=item_ns * len(chunk.positions))

    expected = deadly & set(range(count))
    assert sorted(done) == sorted(set(range(count)) - expected)
    assert sorted(given_up) == sorted(expected)
    assert {queue.deaths(position) for position in given_up} <= {3}


def test_the_first_chunk_is_one_item_and_later_ones_last_fifty_milliseconds() -> None:
    queue = WorkQueue(10_000, calls_at_once=4)
    first = queue.take()
    queue.done(first, worked_ns=CALL_NS // 10)

    assert first.positions == (0,)
    assert queue.take().positions == tuple(range(1, 12))


def test_a_chunk_has_at_most_a_thousand_items() -> None:
    queue = WorkQueue(10**6, calls_at_once=4)
    queue.done(queue.take(), worked_ns=0)

    assert len(queue.take().positions) == CHUNK_ITEMS_MAX


def test_towards_the_end_chunks_shrink_so_that_no_worker_waits() -> None:
    queue = WorkQueue(101, calls_at_once=4)
    queue.done(queue.take(), worked_ns=0)
    sizes = []
    while queue.has_waiting:
        sizes.append(len(queue.take().positions))

    assert sizes[:3] == [25, 18, 14]
    assert sizes[-1] == 1
    assert sum(sizes) == 100


def test_what_a_worker_died_on_comes_again_item_by_item_and_alone() -> None:
    queue = WorkQueue(9, calls_at_once=1)
    queue.done(queue.take(), worked_ns=0)
    chunk = queue.take()

    assert chunk.positions == tuple(range(1, 9))
    assert queue.died(chunk) == []
    assert [(queue.take().positions, queue.has_suspect) for _ in range(8)][-1] == ((8,), False)


def test_what_its_worker_never_began_is_not_charged() -> None:
    queue = WorkQueue(1, calls_at_once=1)
    for _ in range(5):
        queue.put_back(queue.take())

    assert queue.take().is_suspect
    assert queue.deaths(0) == 0


def test_nothing_can_be_taken_when_nothing_waits() -> None:
    queue = WorkQueue(1, calls_at_once=1)
    queue.take()

    assert not queue.has_waiting
    with pytest.raises(IndexError):
        queue.take()
