"""Ports over real sockets: turns and lanes."""

from pathlib import Path

import pytest

from libra_ray.bus.wire.frames import BODY_BYTES_MAX, Frame, FrameError, Kind
from libra_ray.bus.wire.journal import Checkpoint, Journal
from libra_ray.clock import LiveClock, VirtualClock
from libra_ray.runtime.inbox import Lane
from tests.bus.wire.ports import MS, SECOND, Net, Wire, echo, post, texts


def test_a_letter_arrives_as_it_was_posted(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()

    a.post("b", Kind.REQUEST, Lane.RISK, "Risk.execute", "Ask", b"body", origin="S-1", ts_ns=7, extra=9)
    net.until(lambda: bool(net.got["b"]))

    (letter,) = net.got["b"]
    got = letter.frame
    assert (got.kind, got.source, got.epoch, got.lane, got.seq) == (Kind.REQUEST, "a", 1, Lane.RISK, 1)
    assert (got.destination, got.type, got.origin, got.ts_ns, got.extra) == ("Risk.execute", "Ask", "S-1", 7, 9)
    assert (bytes(letter.body), letter.peer, letter.is_reliable) == (b"body", "a", True)
    assert (a.counts["b", Lane.RISK].sent, b.counts["a", Lane.RISK].received) == (1, 1)


def test_what_a_handler_posts_leaves_when_its_turn_is_done(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "ask")
    letter = net.letter("b")

    post(b, "a", "answer")
    for _ in range(3):
        b.poll(MS)
        a.poll(MS)
    assert a.take() is None
    assert a.unconfirmed() == 1, "nor is the letter confirmed"
    b.done(letter)
    net.settle()

    assert texts(net.got["a"]) == ["answer"]


def test_a_turn_without_a_letter_leaves_as_a_whole(net: Net) -> None:
    a, _ = net.start("a"), net.start("b")
    net.meet()

    a.begin()
    post(a, "b", "1")
    post(a, "b", "2")
    assert a.held("b") == 2
    a.commit()
    net.settle()

    assert texts(net.got["b"]) == ["1", "2"]


def test_who_is_called_is_served_before_who_only_listens(net: Net) -> None:
    wire = Wire()
    a, _, _ = net.start("a", faults=wire), net.start("books"), net.start("venue")
    net.meet()

    a.begin()
    post(a, "books", "event", kind=Kind.PUBLISH)
    post(a, "venue", "order")
    a.commit()
    net.settle()

    assert [frame.kind for frame in wire.seen if frame.kind in (Kind.SEND, Kind.PUBLISH)] == [Kind.SEND, Kind.PUBLISH]
    assert (texts(net.got["books"]), texts(net.got["venue"])) == (["event"], ["order"])


def test_everything_that_leaves_is_in_the_journal(net: Net, tmp_path: Path) -> None:
    """`b` answers each letter by one frame, so a letter and its answer have the same number."""

    def is_written(number: int) -> bool:
        copy = tmp_path / "copy"
        copy.write_bytes(net.journal("b").read_bytes())
        journal = Journal(copy, Checkpoint("b", 1))
        journal.close()
        assert journal.state is not None
        key = ("a", Lane.ORDERS)
        return min(journal.state.last.get(key, 0), journal.state.consumed.get(key, 0)) >= number

    def look(frame: Frame) -> tuple[int, ...]:
        if frame.kind == Kind.REPLY:
            written.append(is_written(frame.seq))
        return (0,)

    written: list[bool] = []
    a = net.start("a")
    net.start("b", faults=Wire(look))
    net.meet()

    for number in range(40):
        post(a, "b", str(number), kind=Kind.REQUEST)
    net.until(lambda: len(net.got["a"]) == 40, handle=echo)

    assert written == [True] * 40


def test_what_a_turn_posted_leaves_before_a_letter_of_a_lower_lane_is_handled(
    timeless: tuple[Net, VirtualClock],
) -> None:
    net, _ = timeless
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "order")
    a.post_unreliable("b", Kind.BATCH, "data.x", "text", b"row", lane=Lane.MARKET_DATA)
    net.come("b", 2)

    letter = b.take()
    assert letter is not None
    post(b, "a", "answer")
    b.done(letter)
    assert b.held("a") == 1
    assert [each.frame.lane for each in (letter, b.take()) if each] == [Lane.ORDERS, Lane.MARKET_DATA]
    assert b.held("a") == 0


def test_turns_are_written_together_and_never_late(timeless: tuple[Net, VirtualClock]) -> None:
    net, clock = timeless
    a, b = net.start("a"), net.start("b")
    net.meet()
    for number in range(40):
        post(a, "b", str(number))
    net.come("b", 40)

    size = net.journal("b").stat().st_size
    for number in range(3):
        letter = b.take()
        assert letter is not None
        b.done(letter)
        assert net.journal("b").stat().st_size == size, number
    clock.advance_to(clock.now_ns() + 200_000)
    b.take()
    assert net.journal("b").stat().st_size > size


def test_many_turns_are_not_kept_waiting(timeless: tuple[Net, VirtualClock]) -> None:
    net, _ = timeless
    a, b = net.start("a"), net.start("b")
    net.meet()
    for number in range(40):
        post(a, "b", str(number))
    net.come("b", 40)
    size = net.journal("b").stat().st_size

    for _ in range(33):
        b.done(net.letter("b"))

    assert net.journal("b").stat().st_size > size


@pytest.mark.parametrize("wrong", ["take", "begin", "commit", "snapshot"])
def test_a_turn_must_be_done_before_the_next(net: Net, wrong: str) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "text")
    letter = net.letter("b")

    with pytest.raises(ValueError, match="turn"):
        getattr(b, wrong)(*([b"state"] if wrong == "snapshot" else []))
    b.done(letter)
    b.done(letter)
    with pytest.raises(ValueError, match="no turn"):
        b.commit()


def test_the_highest_lane_is_taken_first_and_each_in_its_order(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    for number in range(3):
        for lane in (Lane.SIGNALS, Lane.ORDERS, Lane.RISK, Lane.CONTROL):
            post(a, "b", f"{lane.name}{number}", lane)
        a.post_unreliable("b", Kind.BATCH, "topic", "text", b"DATA%d" % number, lane=Lane.MARKET_DATA)
        a.post_unreliable("b", Kind.HEARTBEAT, "", "text", b"BEAT%d" % number)
    net.come("b", 18)
    while (letter := b.take()) is not None:
        net.got["b"].append(letter)
        b.done(letter)

    names = ("BEAT", "CONTROL", "RISK", "ORDERS", "SIGNALS", "DATA")
    assert texts(net.got["b"]) == [f"{name}{number}" for name in names for number in range(3)]


def test_inside_a_turn_only_notices_are_taken(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "order")
    letter = net.letter("b")
    a.post_unreliable("b", Kind.TABLE, "", "text", b"table")
    post(a, "b", "command", Lane.CONTROL)
    net.come("b", 2)

    notice = b.take(unreliable_only=True)
    assert notice is not None
    assert texts([notice]) == ["table"]
    assert b.take(unreliable_only=True) is None
    post(b, "a", "of the outer turn")
    b.done(notice)
    assert b.held("a") == 1
    b.done(letter)
    b.flush()
    assert b.held("a") == 0
    command = b.take(lowest=Lane.CONTROL)
    assert command is not None
    assert texts([command]) == ["command"]


def test_only_letters_of_high_lanes_are_taken_when_that_is_asked_for(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "order")
    post(a, "b", "command", Lane.CONTROL)
    net.come("b", 2)

    taken = b.take(lowest=Lane.CONTROL)
    assert taken is not None
    b.done(taken)
    assert b.take(lowest=Lane.CONTROL) is None
    assert texts([taken]) == ["command"]
    assert b.waiting == 1


def test_poll_waits_only_when_the_last_take_gave_nothing(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    net.settle()
    clock = LiveClock()
    post(a, "b", "order")
    net.come("b", 1)

    def seconds_of_poll() -> float:
        started_ns = clock.now_ns()
        b.poll(SECOND // 5)
        return (clock.now_ns() - started_ns) / SECOND

    assert seconds_of_poll() < 0.1, "a letter is here"
    assert b.take(lowest=Lane.CONTROL) is None
    b.poll(20 * MS)
    b.poll(20 * MS)
    assert seconds_of_poll() >= 0.19, "it has been seen, and is not wanted now"
    post(a, "b", "command", Lane.CONTROL)
    net.come("b", 2)
    assert seconds_of_poll() < 0.1, "another one came"


def test_market_data_is_dropped_and_counted_when_nobody_takes_it(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    sent = 0
    while sent < 1_100:
        sent += a.post_unreliable("b", Kind.BATCH, "topic", "text", b"", lane=Lane.MARKET_DATA)
        b.poll(0)
    while b.counts["a", Lane.MARKET_DATA].received + b.counts["a", Lane.MARKET_DATA].dropped < sent:
        b.poll(MS)

    assert b.counts["a", Lane.MARKET_DATA].dropped == 1_100 - 1_024
    assert b.lanes.count(Lane.MARKET_DATA).depth == 1_024


def test_kinds_have_their_way_to_travel(net: Net) -> None:
    a = net.start("a")

    with pytest.raises(ValueError, match="reliable"):
        a.post("b", Kind.HEARTBEAT, Lane.CONTROL, "", "", b"")
    with pytest.raises(ValueError, match="reliable"):
        a.post("b", Kind.SEND, Lane.MARKET_DATA, "", "", b"")
    with pytest.raises(ValueError, match="reliable"):
        a.post_unreliable("b", Kind.SEND, "", "", b"")
    with pytest.raises(FrameError, match="TOO_LONG"):
        a.post("b", Kind.SEND, Lane.ORDERS, "", "", bytes(BODY_BYTES_MAX + 1))
    assert a.unconfirmed() == 0, "what cannot be sent has no number"
    assert not a.post_unreliable("b", Kind.HEARTBEAT, "", "", b""), "nobody is there"
    assert a.counts["b", Lane.CONTROL].dropped == 1


def test_a_body_may_be_used_again_once_it_is_posted(net: Net) -> None:
    a, _ = net.start("a"), net.start("b")
    body = bytearray(b"one")
    a.post("b", Kind.SEND, Lane.ORDERS, "", "", body)
    body[:] = b"two"
    net.meet()
    net.settle()

    assert texts(net.got["b"]) == ["one"]
