"""The ledger: turns that are done, written together; and what of them a next life knows."""

from pathlib import Path

import pytest

from libra_ray.bus.wire.frames import VERSION, Frame, Kind, pack
from libra_ray.bus.wire.ledger import Ledger
from libra_ray.bus.wire.letter import Letter
from libra_ray.bus.wire.links import PeerLinks
from libra_ray.runtime.inbox import Lane

WINDOW = 9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def send(ledger: Ledger, text: bytes, peer: str = "b") -> None:
    """A turn that sends this."""
    seq = ledger.of(peer).outbound[Lane.ORDERS].number()
    header, body = pack(Frame(VERSION, Kind.SEND, "a", 1, Lane.ORDERS, "", seq, 0, ""), text)
    ledger.stage(peer, Lane.ORDERS, seq, header, body)
    ledger.end_turn(None, is_kept=False)


def letter(seq: int, kind: Kind = Kind.SEND) -> Letter:
    frame = Frame(VERSION, kind, "b", 1, Lane.ORDERS, "", seq, 0, "")
    header, body = pack(frame, b"text")
    return Letter(frame, body, "b", header)


def leave(ledger: Ledger) -> None:
    """All that may leave has left."""
    for link in ledger.of("b").outbound:
        while link.next_parts() is not None:
            link.left()


def test_nothing_may_leave_before_it_is_written(path: Path) -> None:
    ledger = Ledger("a", 1, WINDOW, path)
    send(ledger, b"1")
    send(ledger, b"2", "c")
    ledger.of("b").birth = 1
    ledger.end_turn(letter(1), is_kept=True)

    link = ledger.of("b").outbound[Lane.ORDERS]
    assert (link.last, link.ready, link.next_parts(), ledger.turns) == (1, 0, None, 3)
    receivers, senders = ledger.write()
    assert (list(receivers), list(senders), ledger.turns) == (["b", "c"], ["b"], 0)
    assert link.ready == 1
    assert ledger.of("b").inbound[Lane.ORDERS].consumed == 1
    ledger.close()


def test_what_a_greeting_confirms_is_written_with_the_next_turn(path: Path) -> None:
    ledger = Ledger("a", 1, WINDOW, path)
    send(ledger, b"1")
    ledger.write()
    leave(ledger)
    peer = PeerLinks(1, WINDOW)
    peer.birth = 1
    peer.inbound[Lane.ORDERS].begin(1)
    ledger.greeted("b", 1, peer.greeting())
    send(ledger, b"2")
    ledger.write()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    ledger.close()

    again = Ledger("a", 2, WINDOW, copy)
    again.close()

    assert again.resumed is not None
    assert again.resumed.unconfirmed == 1
    assert again.of("b").outbound[Lane.ORDERS].confirmed == 1


def test_the_next_life_knows_its_peers_and_its_own_numbers(path: Path) -> None:
    ledger = Ledger("a", 3, WINDOW, path)
    send(ledger, b"1")
    peer = PeerLinks(4, WINDOW)
    ledger.write()
    ledger.greeted("b", 5, peer.greeting())
    ledger.end_turn(letter(1), is_kept=False)
    ledger.write()
    ledger.close()

    again = Ledger("a", 6, WINDOW, path)
    again.close()

    links = again.of("b")
    assert (again.birth, links.own_birth, links.birth, links.epoch, links.greeted) == (3, 3, 4, 5, 0)
    assert links.outbound[Lane.ORDERS].number() == 2


def test_an_unreliable_letter_is_not_in_the_journal(path: Path) -> None:
    ledger = Ledger("a", 1, WINDOW, path)
    size = path.stat().st_size

    ledger.end_turn(letter(1, Kind.BATCH), is_kept=True)
    ledger.write()

    assert (path.stat().st_size, ledger.replay_bytes) == (size, 0)
    ledger.close()


def test_without_a_journal_a_turn_is_a_turn_all_the_same() -> None:
    ledger = Ledger("a", 1, WINDOW, None)
    send(ledger, b"1")
    ledger.write()
    ledger.snapshot(b"state")
    ledger.close()

    assert ledger.of("b").outbound[Lane.ORDERS].ready == 1
    assert ledger.replay_bytes == 0
