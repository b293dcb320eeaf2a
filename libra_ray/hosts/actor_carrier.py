"""What a host of actors does with its letters, commands and timers. One turn at a time: a letter, its effects, done."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec

from libra_ray.bus import DeadReason
from libra_ray.bus.wire.frames import Frame, Kind, Part
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock
from libra_ray.hosts.actor_host import ActorHost, LinkHeld, Saved
from libra_ray.hosts.command_runner import CommandRunner, Steps
from libra_ray.hosts.commands import Answer, ForgetPeer, MovePeer, StartActors, StopHost, command_in, post_answer
from libra_ray.hosts.context import BUS, HostProgram, PeerAddress
from libra_ray.hosts.market_links import MARKET_KINDS, MARKET_NOTICES, MarketDataDropped, MarketLinks
from libra_ray.hosts.meter import Meter, actor_statuses
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.hosts.status import HostStatus
from libra_ray.hosts.table_sync import TableSync
from libra_ray.messages.codec import DecodeError
from libra_ray.runtime.inbox import Lane
from libra_ray.runtime.topics import state_topic

__all__ = ["ActorCarrier"]

SECOND_NS: Final = 1_000_000_000
REPLAY_BYTES_MAX: Final = 4 << 20
TIMERS_A_PASS: Final = 64


class ActorCarrier:
    """Carries the residents of a program.

    Attributes:
        host: the actors. bus: their bus.
        is_waiting: a turn is open and waits until all hosts know what was subscribed in it.
        ends_by_ns: when this host must have ended; None while nobody asked it to stop.
    """

    def __init__(self, program: HostProgram, port: Port, clock: Clock, server_key: bytes | None = None) -> None:
        market = MarketLinks(program.host_id, program.epoch, program.node, program.folder, port, clock)
        self.bus = RemoteBus(program.host_id, program.epoch, port, clock, market)
        self.host = ActorHost(program, clock, self.bus)
        self.ends_by_ns: int | None = None
        self._meter = Meter(port, clock)
        self._program, self._port, self._clock, self._market = program, port, clock, market
        self._sync = TableSync(program, port, self.bus, clock, server_key, self.host.endpoint_lost)
        self._runner = CommandRunner(self.host, self._sync, clock, port.resumed, self.status)
        self._in_hand: Letter | None = None
        self._is_open = False
        self._steps: Steps | None = None
        self._dead: deque[tuple[str, Frame | None, str]] = deque()
        self._saved_ns = clock.now_ns()
        self._looked_ns = 0
        self._slow: set[str] = set()
        port.on_dead = self._on_dead
        self._runner.make_residents(program.residents)
        for peer in (program.supervisor, program.bus):
            if peer is not None:
                self._sync.move_peer(peer)
        self._sync.announce()
        if program.starts_itself:
            self._begin(None, self._runner.run(StartActors()))

    @property
    def is_told(self) -> bool:
        """The table of all hosts has all that this one receives."""
        return self._sync.is_told

    @property
    def unsettled(self) -> int:
        """How often this host went on before all others knew what it had subscribed to."""
        return self._sync.unsettled

    @property
    def lowest(self) -> Lane:
        """Nothing but commands until actors were started: before, this life has none of its endpoints."""
        return Lane.MARKET_DATA if self._runner.has_started else Lane.CONTROL

    @property
    def is_waiting(self) -> bool:
        return self._is_open

    # --- turns --------------------------------------------------------------------------------------------------

    def receive(self, letter: Letter) -> None:
        """Take a letter. It is done when this returns, unless `is_waiting`."""
        frame = letter.frame
        kind = frame.kind
        if kind == Kind.TABLE:
            self._on_table(letter)
        elif kind in MARKET_NOTICES:
            self._market.receive(letter, self.bus)
            self._market.outbound.flush()
            self._port.done(letter)
        elif kind == Kind.COMMAND:
            self._begin(letter, self._command(letter))
        elif not self._is_open:
            if kind in MARKET_KINDS:
                self._market.receive(letter, self.bus)
            else:
                self.host.receive(frame, letter.body)
            host, sync = self.host, self._sync
            if host.queue:
                host.settle_some(sync.must_wait)
            if host.queue or sync.must_wait():
                self._in_hand, self._is_open = letter, True
            else:
                sync.announce()
                self._market.outbound.flush()
                self._port.done(letter)

    def resume(self) -> None:
        """Go on with the open turn, if it can."""
        if not self._is_open:
            return
        if self._steps is not None:
            try:
                next(self._steps)
            except StopIteration as end:
                self._steps = None
                if self._in_hand is not None:
                    post_answer(self._port, self._in_hand, end.value, self._clock.now_ns())
            else:
                return
        else:
            self.host.settle_some(self._sync.must_wait)
            if self.host.queue or self._sync.must_wait():
                return
        self._close()

    def _begin(self, letter: Letter | None, steps: Steps) -> None:
        if letter is None:
            self._port.begin()
        self._in_hand, self._is_open, self._steps = letter, True, steps
        self.resume()

    def _close(self) -> None:
        self._sync.announce()
        self._market.outbound.flush()
        letter, self._in_hand, self._is_open = self._in_hand, None, False
        if letter is None:
            self._port.commit()
        else:
            self._port.done(letter, keep=letter.frame.kind != Kind.COMMAND)

    def act(self, call: Callable[[], object]) -> None:
        """Run `call` as a turn of its own: what it sends is one step. Not while `is_waiting`."""
        self._port.begin()
        self._is_open = True
        call()
        self.resume()

    def close(self) -> None:
        """Let shared memory go."""
        self._market.close()

    # --- control ------------------------------------------------------------------------------------------------

    def _on_table(self, letter: Letter) -> None:
        try:
            if letter.peer == BUS:
                self._sync.on_table(letter.frame, letter.body)
            else:
                self.bus.bury(DeadReason.BAD_FRAME, letter.peer, "only the bus host has the table")
        except DecodeError as error:
            self.bus.bury(DeadReason.UNDECODABLE, letter.peer, str(error))
        self._port.done(letter)

    def _command(self, letter: Letter) -> Steps:
        """The steps of a command that came in a frame, as far as it is one for this life."""
        command = command_in(letter, self._program.epoch)
        if isinstance(command, Answer):
            return command
        if isinstance(command, StopHost):
            return (yield from self.stop(command.deadline_ns))
        if isinstance(command, MovePeer):
            self._sync.move_peer(PeerAddress(command.host_id, command.address, command.epoch, command.server_key))
        elif isinstance(command, ForgetPeer):
            self._sync.forget_peer(command.host_id)
        else:
            return (yield from self._runner.run(command))
        return Answer(is_ok=True)

    def stop(self, deadline_ns: int) -> Steps:
        """Stop all actors in reverse order, dispose of the users'; then this host only sends what it has to send.

        Parts of the kernel stay and answer: hosts that stop after this one may still ask.
        """
        yield from ()
        self.ends_by_ns = self._clock.now_ns() + deadline_ns
        host = self.host
        faults = len(host.faults)
        host.stop_all(list(host.actors))
        host.dispose_all([actor_id for actor_id, actor in host.actors.items() if not actor.rank.kind.is_kernel])
        texts = [f"{each.actor_id} {each.hook}: {each.reason}" for each in host.faults[faults:]]
        return Answer(is_ok=not texts, text="; ".join(texts))

    def ask_to_stop(self, deadline_ns: int) -> None:
        """Stop as by command, once no turn is open."""
        if not self._is_open and self.ends_by_ns is None:
            self._begin(None, self.stop(deadline_ns))

    # --- what time brings ---------------------------------------------------------------------------------------

    def on_time(self, now_ns: int) -> int:
        """Fire what is due, say again what was not heard, look after links; returns when to come again."""
        sync_ns = self._sync.on_time(now_ns)
        timers = self.host.timers
        for _ in range(TIMERS_A_PASS):
            if self._is_open or timers.next_ns > now_ns or self.ends_by_ns is not None:
                break
            self.act(self.host.fire_next)
        if self._is_open:
            return sync_ns
        if self._dead:
            self.act(self._bury_refused)
        drops = self._market.on_time(now_ns)
        if drops and not self._is_open:
            self.act(partial(self._publish_drops, drops))
        if not self._is_open:
            self._save_if_due(now_ns)
        if now_ns >= self._looked_ns + SECOND_NS:
            self._looked_ns = now_ns
            self._look_after_links(now_ns)
        return min(sync_ns, timers.next_ns, self._looked_ns + SECOND_NS, self._market.due_ns(now_ns))

    def _save_if_due(self, now_ns: int) -> None:
        waits = now_ns < self._saved_ns + self._program.save_every_ns and not self._runner.wants_save
        size = self._port.replay_bytes
        if self.ends_by_ns is not None or not size or (waits and size < REPLAY_BYTES_MAX):
            return
        if not self._program.is_journaled or not self._runner.has_started or self.host.held_events:
            return  # there is nothing to save to, nobody to ask, or something that nobody would save
        self._saved_ns = now_ns
        self.save()

    def save(self) -> None:
        """Put what `on_save` of all gives into the journal; between turns."""
        runner = self._runner
        saved: list[Saved] = []
        self.act(lambda: saved.append(self.host.save_all(runner.saved)))
        if not self._is_open:
            runner.saved, runner.wants_save = saved[0], False
            self._port.snapshot(msgspec.msgpack.encode(runner.saved))

    def _look_after_links(self, now_ns: int) -> None:
        port = self._port
        slow = set(port.slow_peers())
        for peer_id in sorted(slow - self._slow):
            since_ns = port.held_since_ns(peer_id)
            if not self._is_open:
                self.act(partial(self._tell_held, peer_id, 0 if since_ns is None else now_ns - since_ns))
        self._slow = slow

    def _tell_held(self, peer_id: str, held_ns: int) -> None:
        """A link of the order path has been full for a second: trading must halt, and it must be said who is slow."""
        held = LinkHeld(self._program.host_id, peer_id, held_ns, self._clock.now_ns())
        self.bus.publish(state_topic(self._program.host_id), held)
        if self.host.on_held is not None:
            self.host.on_held(peer_id, held_ns)

    def _publish_drops(self, drops: Sequence[MarketDataDropped]) -> None:
        for dropped in drops:
            self.bus.publish(state_topic(self._program.host_id), dropped)

    # --- what the wire refused ----------------------------------------------------------------------------------

    def _on_dead(self, reason: str, frame: Frame | None, _body: Part | None, peer_id: str) -> None:
        self._dead.append((reason, frame, peer_id))

    def _bury_refused(self) -> None:
        while self._dead:
            reason, frame, peer_id = self._dead.popleft()
            destination = peer_id if frame is None else frame.destination or frame.source
            detail = f"from {peer_id or 'an unknown peer'}" if frame is None else f"{frame.type} from {frame.source}"
            self.bus.bury(DeadReason(reason), destination, detail)

    def status(self) -> HostStatus:
        """What a supervisor is told of this host."""
        return self._meter.status(
            actors=actor_statuses(self.host), drops=self._market.outbound.dropped, dead_letters=self.bus.dead_counts
        )
