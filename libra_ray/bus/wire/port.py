"""A host's port: one socket for all that comes in, one per peer for what goes out. It belongs to one thread.

A turn is `take`, the handler, `done`. What the handler posts is staged, and with the letter it answers it becomes one
record of the journal before anything leaves. So a kill at any moment neither loses nor doubles a reliable message.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from libra_ray.bus.wire.frames import VERSION, Frame, Kind, Part, pack, unpack
from libra_ray.bus.wire.intake import Intake
from libra_ray.bus.wire.keys import Keys
from libra_ray.bus.wire.lanes import LetterLanes
from libra_ray.bus.wire.ledger import Ledger
from libra_ray.bus.wire.letter import (
    NO_RECEIVER,
    RELIABLE_KINDS,
    RELIABLE_LANES,
    Faults,
    Letter,
    LinkCount,
    OnDead,
    Resumed,
)
from libra_ray.bus.wire.peers import ACK_EVERY, Peers
from libra_ray.bus.wire.sockets import FaultySender, Sockets
from libra_ray.clock import Clock
from libra_ray.runtime.inbox import Lane

__all__ = ["Faults", "Letter", "LinkCount", "Port", "Resumed"]

WINDOW: Final = 65_536
"""Messages per link that may be under way: the capacity of a lane (spec/bus.md)."""
TURNS_MAX: Final = 32
"""Turns that are written together at most."""
TURNS_AGE_NS: Final = 100_000
"""How long a turn that is done may wait for others before the next one begins."""
TAKEN_IN_MAX: Final = 4_096
"""Messages read from the socket in one go: others wait there while these are handled."""
TICK_NS: Final = 5_000_000
"""While anything is unconfirmed, the port looks after it so often."""
HURRIED_TICK_NS: Final = 1_000_000
"""While a socket is full or a test delays frames."""


class Port:
    """The messages of one host.

    Attributes:
        host_id, epoch: who this is, and in which life.
        address: where it is bound, the port of a tcp address filled in.
        resumed: what the journal of the life before held; None without one.
    """

    def __init__(
        self,
        host_id: str,
        epoch: int,
        address: str,
        clock: Clock,
        *,
        journal: Path | None = None,
        keys: Keys | None = None,
        faults: Faults | None = None,
        window: int = WINDOW,
    ) -> None:
        """Bind. Raises `ConfigError` CONF010 when that fails, `JournalError` when the journal is in use or damaged."""
        self.host_id, self.epoch = host_id, epoch
        self._now_ns, self._clock, self._faults = clock.now_ns, clock, faults
        self._ledger = Ledger(host_id, epoch, window, journal)
        self.resumed: Resumed | None = self._ledger.resumed
        try:
            self._sockets = Sockets(address, keys)
        except BaseException:
            self._ledger.close()
            raise
        self._receiver = self._sockets.receiver
        self.address = self._receiver.address
        self._lanes = LetterLanes()
        self._peers = Peers(host_id, epoch, self._ledger, clock.now_ns)
        self._called: dict[str, None] = {}  # peers that are sent more than publications
        self._is_turn = False
        self._took_none = False
        self._in_hand: Letter | None = None
        self._done_at_ns = 0
        self._done_lane: int = Lane.CONTROL
        self._tick_at_ns = 0
        self._intake = Intake(self._ledger, self._peers, self._lanes, self._tick_soon)

    @property
    def on_dead(self) -> OnDead | None:
        """Told of each frame that was refused, from within `poll`."""
        return self._intake.on_dead

    @on_dead.setter
    def on_dead(self, on_dead: OnDead | None) -> None:
        self._intake.on_dead = on_dead

    # Peers

    def connect(self, peer_id: str, address: str, epoch: int, server_key: bytes | None = None) -> None:
        """Know a new or moved peer: what it has not confirmed is sent there.

        The same once more does nothing, nor does the address of a life before the one that is known.
        """
        peer = self._peers.of(peer_id)
        if (peer.address, peer.epoch) == (address, epoch) or epoch < peer.links.epoch:
            return
        if server_key is not None:
            self._receiver.allow(peer_id, server_key)
        sender = self._sockets.sender(address, server_key)
        way = sender if self._faults is None else FaultySender(sender, peer_id, self._faults, self._clock)
        peer.connect(way, address, epoch)
        self._tick_soon()

    def disconnect(self, peer_id: str) -> None:
        """Close the way to a peer; what is meant for it is kept until it is connected again."""
        self._peers.of(peer_id).disconnect()

    def forget(self, peer_id: str) -> None:
        """A peer is gone for good: each frame it has not consumed is a dead letter NO_RECEIVER."""
        self.flush()
        self.disconnect(peer_id)
        for header, body in self._ledger.drop(peer_id):
            frame, _ = unpack((header, body))
            self._intake.dead(NO_RECEIVER, frame, body, peer_id)

    # What goes out

    def post(
        self,
        peer_id: str,
        kind: Kind,
        lane: Lane,
        destination: str,
        message_type: str,
        body: Part,
        *,
        origin: str = "",
        ts_ns: int = 0,
        extra: int = 0,
    ) -> bool:
        """Send reliably: when the turn is done, or at once outside of a turn. The peer need not be connected yet.

        False means that the link is full: the frame is kept and leaves when the peer has consumed others.
        Raises `ValueError` for a kind or lane that is not reliable, `FrameError` for a body that is too long.
        """
        if kind not in RELIABLE_KINDS or lane not in RELIABLE_LANES:
            raise ValueError(f"{kind!r} in {lane!r} is not sent by a reliable link")
        peer = self._peers.of(peer_id)
        link = peer.links.outbound[lane]
        frame = Frame(
            VERSION,
            kind,
            self.host_id,
            self.epoch,
            lane,
            destination,
            link.last + 1,
            ts_ns,
            message_type,
            origin,
            extra,
        )
        header, body = pack(frame, bytes(body) if isinstance(body, bytearray) else body)
        self._ledger.stage(peer_id, lane, link.number(), header, body)
        if kind != Kind.PUBLISH:
            self._called[peer_id] = None
        if not self._is_turn:
            self._ledger.end_turn(None, is_kept=False)
            self.flush()
        if link.is_full:
            peer.counts[lane].held += 1
            return False
        return True

    def post_unreliable(
        self,
        peer_id: str,
        kind: Kind,
        destination: str,
        message_type: str,
        body: Part,
        *,
        lane: Lane = Lane.CONTROL,
        seq: int = 0,
        origin: str = "",
        ts_ns: int = 0,
        extra: int = 0,
    ) -> bool:
        """Send at once, also inside a turn, outside of the journal. False means that it did not leave (counted)."""
        if kind in RELIABLE_KINDS:
            raise ValueError(f"{kind!r} is sent by a reliable link only")
        peer = self._peers.of(peer_id)
        frame = Frame(
            VERSION, kind, self.host_id, self.epoch, lane, destination, seq, ts_ns, message_type, origin, extra
        )
        is_sent = peer.send(*pack(frame, body))
        if is_sent:
            peer.counts[lane].sent += 1
        else:
            peer.counts[lane].dropped += 1
        return is_sent

    def flush(self) -> None:
        """Write the turns that are done, and send: first to those that are called, then to those that only listen."""
        if not self._ledger.turns:
            return
        self._done_at_ns = 0
        receivers, senders = self._ledger.write()
        for peer_id in {**self._called, **receivers}:
            self._peers.of(peer_id).transmit()
        self._called.clear()
        for peer_id in senders:
            self._peers.of(peer_id).acknowledge(ACK_EVERY)
        if not self._tick_at_ns:
            self._tick_soon()

    # Turns

    def take(self, *, unreliable_only: bool = False, lowest: Lane = Lane.MARKET_DATA) -> Letter | None:
        """The oldest letter of the highest lane, None when there is none. It begins a turn.

        Inside a turn only `unreliable_only` is allowed: unreliable letters of lane CONTROL; they belong to that turn.
        `lowest` CONTROL leaves the letters of all other lanes where they are.
        """
        if unreliable_only and self._is_turn:
            notice = self._lanes.notice()
            self._took_none = notice is None
            return notice
        self._begin()
        letter = self._lanes.notice() if unreliable_only else self._lanes.next(lowest)
        self._took_none = letter is None
        if letter is None:
            self._is_turn = False
            self.flush()
        elif self._ledger.turns:
            self._flush_in_time(letter)
        self._in_hand = letter
        return letter

    def _flush_in_time(self, next_letter: Letter) -> None:
        """Turns that are done wait for others of their lane, but not for long: a handler may take its time."""
        now_ns = self._now_ns()
        if next_letter.frame.lane > self._done_lane:
            self.flush()
        elif not self._done_at_ns:
            self._done_at_ns = now_ns
        elif now_ns - self._done_at_ns > TURNS_AGE_NS:
            self.flush()

    def done(self, letter: Letter, *, keep: bool = True) -> None:
        """End the letter's turn. It counts as consumed and what was posted leaves, both or none.

        That happens with other turns' at the latest when no letter waits. `keep`: a reliable letter is replayed after
        a crash (`Resumed.letters`). A letter that was taken inside another's turn has ended with it: nothing is done.
        """
        if letter is self._in_hand:
            self._end(letter, is_kept=keep)

    def begin(self) -> None:
        """Begin a turn without a letter: of a timer, a command."""
        self._begin()

    def commit(self) -> None:
        """End such a turn: what was posted becomes one record and leaves."""
        if self._in_hand is not None:
            raise ValueError("a letter's turn ends with done")
        self._end(None, is_kept=False)
        self.flush()

    def _begin(self) -> None:
        if self._is_turn:
            raise ValueError("a turn is not done yet")
        self._is_turn = True

    def _end(self, letter: Letter | None, *, is_kept: bool) -> None:
        if not self._is_turn:
            raise ValueError("no turn has begun")
        self._is_turn, self._in_hand = False, None
        self._done_lane = Lane.CONTROL if letter is None else letter.frame.lane
        self._ledger.end_turn(letter, is_kept=is_kept)
        if self._ledger.turns >= TURNS_MAX:
            self.flush()

    def snapshot(self, state: bytes) -> None:
        """Write the state as of the turns that are done; letters before it are not replayed. Not inside a turn."""
        if self._is_turn:
            raise ValueError("a turn is not done yet")
        self.flush()
        self._ledger.snapshot(state)

    # What comes in

    def poll(self, timeout_ns: int) -> None:
        """Write and send what is due, take in all that came, and wait for it at most so long.

        It does not wait while a letter is here that the last `take` may not have seen.
        """
        self.flush()
        if self._tick_at_ns:
            now_ns = self._now_ns()
            if now_ns >= self._tick_at_ns:
                self._tick(now_ns)
            timeout_ns = min(timeout_ns, self._tick_at_ns - now_ns) if self._tick_at_ns else timeout_ns
        waiting = self._lanes.waiting
        self._receiver.wait(0 if waiting and not self._took_none else max(timeout_ns, 0))
        for _ in range(TAKEN_IN_MAX):
            message = self._receiver.receive()
            if message is None:
                break
            self._intake.arrived(message, self._receiver.sender)
        if self._lanes.waiting > waiting:
            self._took_none = False

    def _tick_soon(self) -> None:
        self._tick_at_ns = self._tick_at_ns or self._now_ns() + TICK_NS

    def _tick(self, now_ns: int) -> None:
        tended = [peer.tend(now_ns) for peer in self._peers]
        is_hurried = self._faults is not None or any(peer.is_full for peer in self._peers)
        step_ns = HURRIED_TICK_NS if is_hurried else TICK_NS
        self._tick_at_ns = now_ns + step_ns if any(tended) else 0

    # What there is

    @property
    def counts(self) -> Mapping[tuple[str, Lane], LinkCount]:
        """Counters by (peer, lane). Under the empty name: of all who are not known."""
        return self._peers.counts

    @property
    def waiting(self) -> int:
        """Letters that came and were not taken."""
        return self._lanes.waiting

    @property
    def lanes(self) -> LetterLanes:
        """What waits, lane by lane: to be looked at, not taken from."""
        return self._lanes

    @property
    def replay_bytes(self) -> int:
        """Bytes of letters kept since the last snapshot: a snapshot makes it 0 and lets the journal shrink."""
        return self._ledger.replay_bytes

    def unconfirmed(self, peer_id: str | None = None) -> int:
        """Frames posted that the peer (None: any) has not consumed."""
        peers = self._peers if peer_id is None else (self._peers.of(peer_id),)
        return sum(peer.unconfirmed for peer in peers)

    def held(self, peer_id: str) -> int:
        """Frames for the peer that have not left yet: not connected, no credit, or its socket is full."""
        return self._peers.of(peer_id).held

    def held_since_ns(self, peer_id: str) -> int | None:
        """Since when frames wait for a connected peer that is out of credit, or whose socket is full; None: none do."""
        return self._peers.of(peer_id).held_since_ns(RELIABLE_LANES)

    def slow_peers(self, over_ns: int = 1_000_000_000) -> Sequence[str]:
        """Peers for which frames of an order lane (RISK, ORDERS) have been held for longer than that."""
        return self._peers.slow(over_ns)

    def close(self, linger_ns: int) -> None:
        """Write and send what is due, give the sockets so long to pass it on, and close all."""
        self.flush()
        for peer in self._peers:
            peer.acknowledge()
            peer.disconnect(linger_ns)
        self._sockets.close()
        self._ledger.close()
