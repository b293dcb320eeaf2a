"""What comes in: each frame goes to its link, to a lane, or to the dead letters. Nothing that comes raises."""

from collections.abc import Callable
from typing import Final

import msgspec

from libra_ray.bus.wire.bundles import frames_in
from libra_ray.bus.wire.frames import Frame, FrameError, FrameFault, Kind, Part, Parts, unpack
from libra_ray.bus.wire.lanes import LetterLanes
from libra_ray.bus.wire.ledger import Ledger
from libra_ray.bus.wire.letter import RELIABLE_KINDS, RELIABLE_LANES, STALE_EPOCH, WRONG_SOURCE, Letter, OnDead
from libra_ray.bus.wire.links import Arrival, Greeting
from libra_ray.bus.wire.peers import Peers

__all__ = ["Intake"]

GREETINGS: Final = frozenset({Kind.HELLO, Kind.WELCOME})

_decode_greeting = msgspec.msgpack.Decoder(Greeting).decode


class Intake:
    """Sorts frames.

    Attributes:
        on_dead: told of each frame that was refused.
    """

    def __init__(self, ledger: Ledger, peers: Peers, lanes: LetterLanes, tick: Callable[[], None]) -> None:
        """`tick` has the peers looked after soon."""
        self.on_dead: OnDead | None = None
        self._ledger, self._peers, self._lanes, self._tick = ledger, peers, lanes, tick

    def arrived(self, message: Part, sender: str) -> None:
        """One message, when all turns that are done are written. `sender` is who its key says, empty without keys."""
        try:
            for parts in frames_in(message):
                self._sort(parts, sender)
        except FrameError as error:
            self.dead(error.reason, None, None, sender)

    def _sort(self, parts: Parts, sender: str) -> None:
        try:
            frame, body = unpack(parts)
        except FrameError as error:
            self.dead(error.reason, None, None, sender)
            return
        letter = Letter(frame, body, frame.source, parts[0])
        if sender and frame.source != sender:
            self.dead(WRONG_SOURCE, frame, body, sender)
        elif frame.kind in RELIABLE_KINDS:
            self._reliable(letter)
        elif frame.kind == Kind.ACK:
            self._acknowledged(frame)
        elif frame.epoch < self._peers.epoch_of(frame.source):
            self.dead(STALE_EPOCH, frame, body, frame.source)
        elif frame.kind in GREETINGS:
            self._greeted(letter)
        else:
            self._unreliable(letter)

    def _reliable(self, letter: Letter) -> None:
        frame = letter.frame
        count = self._peers.count(frame.source, frame.lane)
        peer = self._peers.get(frame.source)
        if peer is None or frame.lane not in RELIABLE_LANES:
            count.gaps += 1
            return
        arrival = peer.links.arrive(frame.epoch, frame.lane, frame.seq)
        if arrival is Arrival.TAKEN:
            count.received += 1
            self._lanes.put_reliable(letter)
        elif arrival is Arrival.STALE:
            self.dead(STALE_EPOCH, frame, letter.body, frame.source)
        elif arrival is Arrival.DUPLICATE:
            count.duplicates += 1
        else:
            count.gaps += 1
            if arrival is Arrival.ASK:
                peer.greet(Kind.WELCOME)

    def _acknowledged(self, frame: Frame) -> None:
        peer = self._peers.get(frame.source)
        if peer is None or frame.lane not in RELIABLE_LANES or frame.epoch != peer.links.greeted:
            self._peers.count(frame.source, frame.lane).stale += 1
        elif self._ledger.confirmed(frame.source, frame.seq, frame.lane, frame.extra):
            peer.transmit()

    def _greeted(self, letter: Letter) -> None:
        try:
            greeting = _decode_greeting(letter.body)
        except msgspec.MsgspecError:
            self.dead(FrameFault.BAD_FRAME, letter.frame, letter.body, letter.peer)
            return
        peer = self._peers.of(letter.peer)
        self._ledger.greeted(letter.peer, letter.frame.epoch, greeting)
        if letter.frame.kind == Kind.HELLO:
            peer.greet(Kind.WELCOME)
        peer.transmit()
        self._tick()

    def _unreliable(self, letter: Letter) -> None:
        count = self._peers.count(letter.peer, letter.frame.lane)
        if self._lanes.put_unreliable(letter):
            count.received += 1
        else:
            count.dropped += 1

    def dead(self, reason: str, frame: Frame | None, body: Part | None, peer_id: str) -> None:
        """Count a frame that is refused, and tell of it."""
        count = self._peers.count(peer_id, 0 if frame is None else frame.lane)
        count.dead += 1
        count.stale += reason == STALE_EPOCH
        if self.on_dead is not None:
            self.on_dead(reason, frame, body, peer_id)
