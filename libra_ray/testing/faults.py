"""A plan of what goes wrong between hosts: declared, seeded, and the same in every run for the same frames."""

from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Final

from libra_ray.bus.patterns import matcher
from libra_ray.bus.wire.frames import Frame, Kind
from libra_ray.bus.wire.letter import RELIABLE_KINDS
from libra_ray.clock import Clock, LiveClock
from libra_ray.runtime.inbox import Lane
from libra_ray.simulation.chance import Chance
from libra_ray.testing.fault_rules import Kill, Luck, Rule

__all__ = ["FaultPlan"]

RESENT_MAX: Final = 65_536
"""Frames of one link whose attempts are remembered: as many as may be under way."""
_NUMBERED_KINDS: Final = RELIABLE_KINDS | {Kind.BATCH, Kind.SNAPSHOT}
_DRAWS_PER_ATTEMPT: Final = 64
_ATTEMPTS_PER_SEQ: Final = 1_024


class FaultPlan:
    """Hand it to a `Port` as `faults`; rules act one after the other on the copies that those before have left.

        plan = FaultPlan(7, Drop(0.05), Duplicate(0.05), Delay(0.1), Kill(1_000, source="strategies"))

    What happens to a frame is a function of (seed, rule, link, lane, epoch, sequence, attempt) and nothing else; an
    attempt is how often this life of the host has sent it. The plan travels to other processes by pickle, as it was
    declared: each counts anew.

    Attributes:
        seed, rules: as given.
        start_ns: what `ns` of rules is counted from; as given, or when this process first asked.
        counts: by the name of the rule's class, how many frames it has lost, doubled or delayed here.
    """

    def __init__(self, seed: int, *rules: Rule, start_ns: int | None = None, clock: Clock | None = None) -> None:
        """`clock` is needed for rules with `ns` only: by default the wall clock."""
        self.seed, self.rules, self.start_ns = seed, rules, start_ns
        self.counts: Counter[str] = Counter()
        self._clock: Clock = LiveClock() if clock is None else clock
        self._needs_time = any(rule.ns is not None for rule in rules)
        self._declared = (seed, rules, start_ns, clock)
        self._links: dict[tuple[str, str, str], _Link] = {}
        self._rules = [_Concern(rule) for rule in rules]
        self._chances: dict[tuple[int, str, str, str, int], Chance] = {}

    def outgoing(self, frame: Frame, peer_id: str) -> Sequence[int]:
        """Delays in ns of the copies to send. It may end the process."""
        stream = _stream(frame)
        link = self._links.setdefault((frame.source, peer_id, stream), _Link())
        seq, attempt = link.place(frame.epoch, frame.seq if frame.kind in _NUMBERED_KINDS else 0)
        elapsed_ns = self._elapsed_ns() if self._needs_time else 0
        copies: tuple[int, ...] = (0,)
        for number, concern in enumerate(self._rules):
            rule = concern.rule
            if (copies or isinstance(rule, Kill)) and concern.is_met(frame, peer_id, seq, attempt, elapsed_ns):
                delays = rule.delays(copies, self._luck(number, stream, frame, peer_id, seq, attempt))
                if delays is not copies:
                    self.counts[type(rule).__name__] += 1
                copies = tuple(delays)
        return copies

    def _elapsed_ns(self) -> int:
        now_ns = self._clock.now_ns()
        if self.start_ns is None:
            self.start_ns = now_ns
        return now_ns - self.start_ns

    def _luck(self, number: int, stream: str, frame: Frame, peer_id: str, seq: int, attempt: int) -> Luck:
        key = (number, stream, frame.source, peer_id, frame.epoch)
        chance = self._chances.get(key)
        if chance is None:
            link = f"{frame.source}\0{peer_id}\0{stream}\0{frame.epoch}"
            chance = self._chances[key] = Chance(self.seed, link, f"rule {number}")
        draws = iter(range((seq * _ATTEMPTS_PER_SEQ + attempt) * _DRAWS_PER_ATTEMPT, 1 << 128))
        return lambda: chance.draw(next(draws))

    def __reduce__(self) -> tuple[object, ...]:
        seed, rules, start_ns, clock = self._declared
        return (_declared, (seed, rules, start_ns, clock))

    def __repr__(self) -> str:
        return f"FaultPlan({', '.join(map(repr, (self.seed, *self.rules)))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FaultPlan) and self._declared[:3] == other._declared[:3]

    def __hash__(self) -> int:
        return hash(self._declared[:3])


def _declared(seed: int, rules: Sequence[Rule], start_ns: int | None, clock: Clock | None) -> FaultPlan:
    return FaultPlan(seed, *rules, start_ns=start_ns, clock=clock)


def _stream(frame: Frame) -> str:
    """What numbers run through: the lane of a reliable link, else the kind, and for batches the topic."""
    if frame.kind in RELIABLE_KINDS:
        return Lane(frame.lane).name
    return f"{Kind(frame.kind).name} {frame.destination}"


class _Link:
    """How often which frame of one link has been sent by this life of the host."""

    __slots__ = ("again", "epoch", "highest")

    def __init__(self) -> None:
        self.highest = self.epoch = 0
        self.again: OrderedDict[int, int] = OrderedDict()

    def place(self, epoch: int, seq: int) -> tuple[int, int]:
        """(number, attempt) of a frame that is about to be sent, both from 1. `seq` 0 stands for the next number."""
        if epoch != self.epoch:
            self.epoch, self.highest = epoch, 0
            self.again.clear()
        seq = seq or self.highest + 1
        if seq > self.highest:
            self.highest = seq
            return seq, 1
        attempt = self.again[seq] = self.again.get(seq, 1) + 1
        if len(self.again) > RESENT_MAX:
            self.again.popitem(last=False)
        return seq, attempt


class _Concern:
    """A rule with its patterns compiled."""

    __slots__ = ("_pairs", "rule")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._pairs = [(matcher(source), matcher(peer)) for source, peer in rule.pairs]

    def is_met(self, frame: Frame, peer_id: str, seq: int, attempt: int, elapsed_ns: int) -> bool:
        """Whether the rule is about this frame, now."""
        rule = self.rule
        if isinstance(rule, Kill) and (seq < rule.at or frame.epoch != rule.epoch):
            return False
        if rule.seqs is not None and not rule.seqs[0] <= seq <= rule.seqs[1]:
            return False
        if rule.attempts is not None and attempt > rule.attempts:
            return False
        if rule.ns is not None and not rule.ns[0] <= elapsed_ns < rule.ns[1]:
            return False
        if (rule.lanes and frame.lane not in rule.lanes) or (rule.kinds and frame.kind not in rule.kinds):
            return False
        return any(source(frame.source) and peer(peer_id) for source, peer in self._pairs)
