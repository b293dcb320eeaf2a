"""Ports over real sockets: hosts that are killed, come back, begin anew or are gone."""

import gc
import warnings

import pytest

from libra_ray.bus.wire import journal as journal_module
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Port
from libra_ray.errors import JournalError
from libra_ray.runtime.inbox import Lane
from tests.bus.wire.ports import SECOND, Net, post, texts


def test_a_new_life_goes_on_where_the_last_was_killed(net: Net) -> None:
    a, _ = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    net.settle()
    net.kill("b")
    post(a, "b", "2")
    post(a, "b", "3", Lane.RISK)

    b = net.start("b", 2)
    assert b.resumed is not None
    assert texts(b.resumed.letters) == ["1"]
    assert b.resumed.letters[0].peer == "a"
    assert b.resumed.consumed["a", Lane.ORDERS] == 1
    net.meet()
    net.settle()

    assert texts(net.got["b"]) == ["1", "3", "2"]


def test_a_killed_sender_sends_again_what_is_not_confirmed(net: Net) -> None:
    a = net.start("a")
    post(a, "b", "1")
    post(a, "b", "2")
    net.kill("a")

    b, a = net.start("b"), net.start("a", 2)
    assert a.resumed is not None
    assert (a.resumed.unconfirmed, a.resumed.sent) == (2, {("b", Lane.ORDERS): 2})
    net.meet()
    post(a, "b", "3")
    net.settle()

    assert texts(net.got["b"]) == ["1", "2", "3"]
    assert {letter.frame.epoch for letter in net.got["b"]} == {2}, "it is this life that sends"
    assert b.counts["a", Lane.ORDERS].duplicates == 0


def test_a_turn_that_was_not_done_has_not_been(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    net.letter("b")
    post(b, "a", "never")
    net.kill("b")

    net.start("b", 2)
    net.meet()
    net.settle()

    assert texts(net.got["b"]) == ["1"]
    assert net.got["a"] == []


def test_a_snapshot_replaces_the_letters_before_it(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    net.settle()
    assert b.replay_bytes > 0
    b.snapshot(b"one")
    assert b.replay_bytes == 0
    post(a, "b", "2")
    net.settle()
    net.kill("b")

    b = net.start("b", 2)

    assert b.resumed is not None
    assert b.resumed.snapshot == b"one"
    assert texts(b.resumed.letters) == ["2"]
    assert b.replay_bytes > 0


def test_a_letter_that_is_not_kept_is_not_replayed(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "command", Lane.CONTROL)
    letter = net.letter("b")
    b.done(letter, keep=False)
    b.flush()
    net.kill("b")

    b = net.start("b", 2)

    assert b.resumed is not None
    assert b.resumed.letters == ()
    assert b.resumed.consumed["a", Lane.CONTROL] == 1
    net.meet()
    net.settle()
    assert net.got["b"] == []


def test_a_former_life_is_not_heard_any_more(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "in time")
    net.settle()
    b.connect("a", f"ipc://{net.folder}/a-2", 2)

    post(a, "b", "of a zombie")
    a.post_unreliable("b", Kind.HEARTBEAT, "", "", b"")
    net.until(lambda: b.counts["a", Lane.CONTROL].stale > 0)

    assert set(net.dead) == {("STALE_EPOCH", "a")}
    assert texts(net.got["b"]) == ["in time"]
    assert b.counts["a", Lane.ORDERS].stale == 1


def test_a_former_life_is_not_heard_by_a_new_one_either(net: Net) -> None:
    net.start("a")
    net.start("b")
    net.meet()
    post(net.ports["a"], "b", "1")
    net.settle()
    zombie = net.ports.pop("a")
    a = net.start("a", 2, is_journaled=False)
    net.meet()
    post(a, "b", "2")
    net.settle()
    net.kill("b")

    b = net.start("b", 2)
    zombie.connect("b", b.address, 2)
    post(zombie, "b", "of a zombie")
    net.ports["zombie"] = zombie
    net.got["zombie"] = []
    net.until(lambda: b.counts["a", Lane.ORDERS].stale > 0)

    assert texts(net.got["b"]) == ["1", "2"]


def test_letters_of_a_life_without_a_journal_do_not_count_in_the_next(net: Net) -> None:
    a, b = net.start("a", is_journaled=False), net.start("b")
    net.meet()
    for number in range(3):
        post(a, "b", str(number))
    net.come("b", 3)
    net.kill("a")
    a = net.start("a", 2, is_journaled=False)
    net.meet()
    net.until(lambda: b._peers.of("a").links.birth == 2, take=False)  # noqa: SLF001 - it has greeted

    old = net.letter("b")
    b.done(old)
    b.flush()
    assert texts([old]) == ["0"]
    assert b._peers.of("a").links.inbound[Lane.ORDERS].consumed == 0  # noqa: SLF001
    post(a, "b", "new")
    net.settle()
    assert texts(net.got["b"]) == ["1", "2", "new"]


@pytest.mark.parametrize("is_closed", [True, False])
def test_what_is_confirmed_is_not_sent_by_the_next_life(net: Net, is_closed: bool) -> None:  # noqa: FBT001
    a, _ = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    net.settle()
    if is_closed:
        net.ports.pop("a").close(0)
    else:
        post(a, "c", "so that it is written")
        net.kill("a")

    a = net.start("a", 2)

    assert a.unconfirmed("b") == 0


def test_a_snapshot_is_of_all_turns_that_are_done(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    post(a, "b", "1")
    b.done(net.letter("b"))
    b.snapshot(b"one")
    net.kill("b")

    b = net.start("b", 2)

    assert b.resumed is not None
    assert (b.resumed.snapshot, b.resumed.letters) == (b"one", ())
    assert b.resumed.consumed["a", Lane.ORDERS] == 1


def test_a_life_without_a_journal_begins_anew(net: Net) -> None:
    a, _ = net.start("a", is_journaled=False), net.start("b", is_journaled=False)
    net.meet()
    for number in range(3):
        post(a, "b", str(number))
    net.settle()
    net.kill("a")

    a = net.start("a", 2, is_journaled=False)
    assert a.resumed is None
    net.meet()
    post(a, "b", "new")
    net.settle()
    assert texts(net.got["b"]) == ["0", "1", "2", "new"]

    net.kill("b")
    post(a, "b", "while it was away")
    net.start("b", 2, is_journaled=False)
    net.meet()
    net.settle()
    assert texts(net.got["b"]) == ["0", "1", "2", "new", "while it was away"]


def test_what_is_meant_for_a_peer_waits_until_it_is_there(net: Net) -> None:
    a = net.start("a")
    post(a, "b", "early")
    assert (a.held("b"), a.held_since_ns("b")) == (1, None), "that is no slow peer"

    net.start("b")
    net.meet()
    net.settle()
    assert texts(net.got["b"]) == ["early"]
    a.disconnect("b")
    post(a, "b", "later")
    assert a.held("b") == 1
    net.meet()
    net.settle()
    assert texts(net.got["b"]) == ["early", "later"]


def test_what_is_meant_for_a_peer_that_is_gone_is_dead(net: Net) -> None:
    a = net.start("a")
    post(a, "b", "1")
    post(a, "b", "2", Lane.RISK)
    a.forget("b")

    assert net.dead == [("NO_RECEIVER", "b")] * 2
    assert a.unconfirmed() == 0
    a.flush()
    post(a, "c", "so that it is written")
    net.kill("a")
    a = net.start("a", 2)
    assert a.unconfirmed("b") == 0


def test_connecting_again_does_nothing(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    net.settle()
    way = a._peers.of("b")._way  # noqa: SLF001 - the socket must be the same

    a.connect("b", b.address, 1)

    assert a._peers.of("b")._way is way  # noqa: SLF001
    a.connect("b", f"ipc://{net.folder}/b-2", 2)
    moved = a._peers.of("b")._way  # noqa: SLF001
    assert moved is not way
    a.connect("b", b.address, 1)
    assert a._peers.of("b")._way is moved, "nobody goes back to a former life"  # noqa: SLF001


@pytest.mark.slow
def test_the_journal_stays_small(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "REWRITE_BYTES_MIN", 20_000)
    a, b = net.start("a"), net.start("b")
    net.meet()
    for number in range(2_000):
        post(a, "b", f"{number:05}")
        if number % 100 == 0:
            net.settle()
            b.snapshot(b"state")
    net.settle()
    post(a, "b", "last")

    assert net.journal("a").stat().st_size < 40_000
    assert net.journal("b").stat().st_size < 40_000
    net.kill("a")
    net.kill("b")
    a, b = net.start("a", 2), net.start("b", 2)
    net.meet()
    net.settle()
    assert texts(net.got["b"]) == [*(f"{number:05}" for number in range(2_000)), "last"]


def test_a_journal_has_one_port(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "LOCK_TRIES", 1)
    net.start("a")

    with pytest.raises(JournalError, match="JRN002"):
        Port("a", 2, f"ipc://{net.folder}/a-2", net.clock, journal=net.journal("a"))


def test_closing_sends_what_is_due(net: Net) -> None:
    a, b = net.start("a"), net.start("b")
    net.meet()
    net.settle()
    a.begin()
    post(a, "b", "last words")
    a.commit()
    a.close(SECOND)
    a.close(0)
    del net.ports["a"]

    net.until(lambda: bool(net.got["b"]))
    assert texts(net.got["b"]) == ["last words"]
    b.flush()


def test_a_port_that_is_dropped_hangs_nobody(net: Net) -> None:
    port = Port("a", 1, f"ipc://{net.folder}/dropped", net.clock)
    port.connect("b", f"ipc://{net.folder}/nobody", 1)
    post(port, "b", "text")
    del port

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gc.collect()
    assert {type(each.message) for each in caught} == {ResourceWarning}
