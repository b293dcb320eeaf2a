"""Ports over real sockets: credit, full sockets, and a wire that fails."""

import pytest

from libra_ray.bus.wire.frames import Frame, Kind
from libra_ray.clock import VirtualClock
from libra_ray.runtime.inbox import Lane
from tests.bus.wire.ports import MS, SECOND, Net, Wire, advance, post, texts


def test_nothing_beyond_the_window_leaves(timeless: tuple[Net, VirtualClock]) -> None:
    net, clock = timeless
    a, b = net.start("a", window=3), net.start("b", window=3)
    net.meet()

    assert [post(a, "b", str(number)) for number in range(5)] == [True, True, True, False, False]
    for _ in range(5):
        b.poll(MS)
        a.poll(MS)
    assert (a.held("b"), a.unconfirmed("b"), b.waiting) == (2, 5, 3)
    assert a.counts["b", Lane.ORDERS].held == 2
    assert a.held_since_ns("b") == clock.now_ns()
    clock.advance_to(clock.now_ns() + SECOND)
    assert a.slow_peers() == ()
    clock.advance_to(clock.now_ns() + 1)
    assert a.slow_peers() == ("b",)
    assert a.slow_peers(2 * SECOND) == ()

    advance(net, clock, lambda: a.unconfirmed() == 0)
    assert texts(net.got["b"]) == ["0", "1", "2", "3", "4"]
    assert a.held_since_ns("b") is None


def test_what_is_consumed_is_confirmed_within_a_tick_also_after_an_idle_time(
    timeless: tuple[Net, VirtualClock],
) -> None:
    net, clock = timeless
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    advance(net, clock, lambda: not a.unconfirmed())
    for _ in range(20):
        clock.advance_to(clock.now_ns() + 10 * MS)
        net.turn()

    post(a, "b", "2")
    b.done(net.letter("b"))
    b.flush()
    clock.advance_to(clock.now_ns() + 6 * MS)
    net.until(lambda: not a.unconfirmed())


def test_the_receiver_grants_the_window(net: Net) -> None:
    a, _ = net.start("a"), net.start("b", window=2)
    net.meet()
    post(a, "b", "first")
    net.settle()

    assert [post(a, "b", str(number)) for number in range(3)] == [True, True, False]
    net.come("b", 2)


def test_a_slow_signal_lane_is_no_slow_peer(timeless: tuple[Net, VirtualClock]) -> None:
    net, clock = timeless
    a, _ = net.start("a", window=1), net.start("b", window=1)
    net.meet()
    post(a, "b", "1", Lane.SIGNALS)
    post(a, "b", "2", Lane.SIGNALS)
    clock.advance_to(clock.now_ns() + 3 * SECOND)

    assert a.slow_peers() == ()
    assert post(a, "b", "order"), "another lane has credit of its own"


def test_a_full_socket_holds_and_goes_on_later(net: Net) -> None:
    a = net.start("a")
    a.connect("b", f"ipc://{net.folder}/b-1", 1)
    for number in range(3_000):
        post(a, "b", str(number))
    assert a.held("b") > 0
    assert a.held_since_ns("b") is not None

    net.start("b")
    net.meet()
    net.settle()
    assert texts(net.got["b"]) == [str(number) for number in range(3_000)]


def test_what_is_lost_is_asked_for(timeless: tuple[Net, VirtualClock]) -> None:
    net, _ = timeless
    wire = Wire()
    a, _ = net.start("a", faults=wire), net.start("b")
    net.meet()
    lost = [2]
    wire.act = lambda frame: () if frame.seq in lost and lost.pop() else (0,)
    for number in range(1, 5):
        post(a, "b", str(number))
    net.until(lambda: len(net.got["b"]) == 4)

    assert texts(net.got["b"]) == ["1", "2", "3", "4"]
    assert wire.numbers() == [1, 2, 3, 4, 2, 3, 4]
    assert a.counts["b", Lane.ORDERS].resent == 3


@pytest.mark.parametrize("kind", [Kind.SEND, Kind.HELLO, Kind.ACK, Kind.WELCOME])
def test_after_a_silence_it_is_asked_what_arrived(timeless: tuple[Net, VirtualClock], kind: Kind) -> None:
    """The last frame, the greeting, the confirmation or the answer is lost: nobody would notice."""
    net, clock = timeless
    to_lose = [kind]

    def lose_first(frame: Frame) -> tuple[int, ...]:
        return () if frame.kind in to_lose and to_lose.pop() else (0,)

    a, _ = net.start("a", faults=Wire(lose_first)), net.start("b", faults=Wire(lose_first))
    net.meet()
    post(a, "b", "1")
    advance(net, clock, lambda: not a.unconfirmed())

    assert texts(net.got["b"]) == ["1"]
    assert to_lose == []


def test_what_comes_twice_or_late_counts_once(timeless: tuple[Net, VirtualClock]) -> None:
    net, clock = timeless
    delays = {1: (0, 0), 2: (3 * MS,), 3: (0, 5 * MS)}
    a = net.start("a", faults=Wire(lambda frame: delays.get(frame.seq, (0,)) if frame.kind == Kind.SEND else (0,)))
    b = net.start("b")
    net.meet()
    for number in range(1, 5):
        post(a, "b", str(number))
    advance(net, clock, lambda: not a.unconfirmed())
    for _ in range(10):
        advance(net, clock, lambda: True)
        net.turn()

    assert texts(net.got["b"]) == ["1", "2", "3", "4"]
    assert b.counts["a", Lane.ORDERS].duplicates >= 2
