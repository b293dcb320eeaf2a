"""What a host has consumed and sent, by turns: a turn's letter and what it posted count together or not at all.

A turn that is done waits here until `write`, with others or alone. Before that nothing it posted is in a link, and its
letter is not confirmed; afterwards the journal has both.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from libra_ray.bus.wire.frames import Part, pack, unpack
from libra_ray.bus.wire.journal import Checkpoint, Entry, Journal, Mark, PeerLife, Saved, State
from libra_ray.bus.wire.letter import Letter, Resumed
from libra_ray.bus.wire.links import Greeting, PeerLinks
from libra_ray.runtime.inbox import Lane

__all__ = ["Ledger"]

Row: TypeAlias = tuple[str, int, int, Part, Part]
"""(peer, lane, seq, header, body)."""

_NONE: Final = b""


class Ledger:
    """Links with all peers, and the journal that makes them outlive this life.

    Attributes:
        birth: the epoch in which this host's numbers began.
        links: by peer.
        resumed: what the journal held, None without one and in a first life.
        turns: how many are done and not written.
        replay_bytes: size of the letters that would be replayed.
    """

    def __init__(self, host_id: str, epoch: int, window: int, path: Path | None, *, is_synced: bool = False) -> None:
        """Open the journal. Raises `JournalError` when it is in use or damaged."""
        self._host_id, self._epoch, self._window = host_id, epoch, window
        self.birth = epoch
        self.links: dict[str, PeerLinks] = {}
        self.resumed: Resumed | None = None
        self.turns = self.replay_bytes = 0
        self._snapshot: bytes | None = None
        self._staged: list[Row] = []
        self._outputs: list[Row] = []
        self._consumed: list[Row] = []
        self._confirmed: dict[tuple[str, int], int] = {}
        self._journal = None if path is None else Journal(path, Checkpoint(host_id, epoch), is_synced=is_synced)
        if self._journal is not None and self._journal.state is not None:
            self._restore(self._journal.state, self._journal.cut_bytes)
            self._journal.state = None

    def of(self, peer: str) -> PeerLinks:
        """The links with that peer, new ones where there are none."""
        links = self.links.get(peer)
        if links is None:
            links = self.links[peer] = PeerLinks(self.birth, self._window)
        return links

    def stage(self, peer: str, lane: int, seq: int, header: Part, body: Part) -> None:
        """The turn at hand sends this."""
        self._staged.append((peer, lane, seq, header, body))

    def end_turn(self, letter: Letter | None, *, is_kept: bool) -> None:
        """What is staged belongs to a turn that is done now, and so does its letter."""
        self._outputs += self._staged
        self._staged.clear()
        self.turns += 1
        if letter is None or not letter.is_reliable:
            return
        frame = letter.frame
        # A letter from before its peer began anew has no place in the numbers of today.
        seq = frame.seq if frame.epoch >= self.links[letter.peer].birth else 0
        header, body = (letter.header, letter.body) if is_kept and self._journal is not None else (_NONE, _NONE)
        self.replay_bytes += len(header) + len(body)
        self._consumed.append((letter.peer, frame.lane, seq, header, body))

    def write(self) -> tuple[dict[str, None], dict[str, None]]:
        """Write the turns that are done: what they sent may leave. Returns who is to get it, and whose was consumed."""
        if self._journal is not None and (self._outputs or self._consumed):
            self._journal.commit(self._consumed, self._outputs, self._confirmed_rows())
        receivers, senders = dict[str, None](), dict[str, None]()
        for peer, lane, seq, header, body in self._outputs:
            self.links[peer].outbound[lane].put(seq, (header, body))
            receivers[peer] = None
        for peer, lane, seq, _, _ in self._consumed:
            if seq:
                self.links[peer].consume(lane, seq)
                senders[peer] = None
        self._outputs.clear()
        self._consumed.clear()
        self.turns = 0
        if self._journal is not None and self._journal.is_grown and not self.replay_bytes:
            self._journal.rewrite(self._checkpoint())
        return receivers, senders

    def greeted(self, peer: str, epoch: int, greeting: Greeting) -> None:
        """A peer says where its numbers stand. To be called when all turns are written."""
        links = self.of(peer)
        if links.greeted_by(epoch, greeting) and self._journal is not None:
            self._journal.write(_life_of(peer, links))
        self._note(peer, links)

    def confirmed(self, peer: str, birth: int, lane: int, consumed: int) -> bool:
        """A peer has consumed all up to that number; whether that is news."""
        links = self.links[peer]
        is_news = links.confirm(birth, lane, consumed)
        if is_news and self._journal is not None:
            self._confirmed[peer, lane] = consumed
        return is_news

    def drop(self, peer: str) -> Iterator[tuple[Part, Part]]:
        """A peer is gone for good: give back all that it has not confirmed. To be called when all turns are written."""
        links = self.of(peer)
        for link in links.outbound:
            frames = list(link.frames.values())
            link.confirm(link.ready)
            yield from frames
        self._note(peer, links)

    def snapshot(self, state: bytes) -> None:
        """The state after all turns that are written."""
        self._snapshot = state
        self.replay_bytes = 0
        if self._journal is None:
            return
        if self._journal.is_grown:
            self._journal.rewrite(self._checkpoint())
        else:
            self._journal.write(Saved(state))

    def close(self) -> None:
        """Write which frames are confirmed, and let the journal go. May be called twice."""
        if self._journal is not None:
            if self._confirmed:
                self._journal.commit((), (), self._confirmed_rows())
            self._journal.close()

    def _confirmed_rows(self) -> list[tuple[str, int, int]]:
        """What is to be written of confirmations; each is written once."""
        rows = [(*key, seq) for key, seq in self._confirmed.items()]
        self._confirmed.clear()
        return rows

    def _note(self, peer: str, links: PeerLinks) -> None:
        """Write with the next turns what a peer has confirmed."""
        if self._journal is not None:
            marks = {(peer, lane): link.confirmed for lane, link in enumerate(links.outbound) if link.confirmed}
            self._confirmed.update(marks)

    def _checkpoint(self) -> Checkpoint:
        confirmed, unconfirmed = [], []
        for peer, links in self.links.items():
            for lane, link in enumerate(links.outbound):
                if link.last:
                    confirmed.append(Mark(peer, lane, link.confirmed))
                unconfirmed += [Entry(peer, lane, seq, bytes(h), bytes(b)) for seq, (h, b) in link.frames.items()]
        peers = [_life_of(peer, links) for peer, links in self.links.items() if links.birth]
        return Checkpoint(self._host_id, self.birth, peers, confirmed, unconfirmed, self._snapshot)

    def _restore(self, state: State, cut_bytes: int) -> None:
        self.birth, self._snapshot = state.birth, state.snapshot
        for peer, life in state.lives.items():
            links = self.of(peer)
            links.birth, links.epoch = life.birth, life.epoch
            for lane, link in enumerate(links.inbound):
                link.begin(state.consumed.get((peer, lane), 0))
        for (peer, lane), last in state.last.items():
            outbound = self.of(peer).outbound[lane]
            outbound.restore(state.confirmed.get((peer, lane), 0), last)
            for seq, entry in state.unconfirmed.get((peer, lane), {}).items():
                outbound.frames[seq] = self._of_this_life(entry)
        letters = tuple(_letter_of(entry) for entry in state.letters)
        self.replay_bytes = sum(len(entry.header) + len(entry.body) for entry in state.letters)
        consumed = {(peer, Lane(lane)): seq for (peer, lane), seq in state.consumed.items()}
        sent = {(peer, Lane(lane)): seq for (peer, lane), seq in state.last.items()}
        unconfirmed = sum(len(frames) for frames in state.unconfirmed.values())
        self.resumed = Resumed(state.snapshot, letters, consumed, sent, unconfirmed, cut_bytes)

    def _of_this_life(self, entry: Entry) -> tuple[Part, Part]:
        frame, body = unpack((entry.header, entry.body))
        header, _ = pack(msgspec.structs.replace(frame, epoch=self._epoch), body)
        return header, entry.body


def _life_of(peer: str, links: PeerLinks) -> PeerLife:
    return PeerLife(peer, links.epoch, links.birth, tuple(link.consumed for link in links.inbound))


def _letter_of(entry: Entry) -> Letter:
    frame, body = unpack((entry.header, entry.body))
    return Letter(frame, body, entry.peer, entry.header)
