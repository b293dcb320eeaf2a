"""What can go wrong on the way between hosts: one rule each, as values. `FaultPlan` carries them out."""

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_ray.bus.wire.frames import Kind
from libra_ray.runtime.inbox import Lane

__all__ = ["Delay", "Drop", "Duplicate", "Kill", "Luck", "Partition", "Reorder", "Rule"]

Luck: TypeAlias = Callable[[], int]
"""The next of the numbers, uniform in [0, 2^64), that are this frame's own."""

_ALL: Final = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """Which frames go wrong; what is left as it is admits all. Raises `ValueError` for what can never be.

    Attributes:
        source, peer: patterns (`*`, `?`) of the host that sends and the one that is sent to.
        lanes, kinds: of the frame.
        seqs: first and last number in its link, both included. Frames without a number (heartbeats, acknowledgements)
            are counted from 1, by peer, kind and destination.
        ns: from when and until when (excluded), counted from the start of the plan.
        attempts: only the first so many times that a frame is sent: what is sent again passes.
    """

    source: str = "*"
    peer: str = "*"
    lanes: tuple[Lane, ...] = ()
    kinds: tuple[Kind, ...] = ()
    seqs: tuple[int, int] | None = None
    ns: tuple[int, int] | None = None
    attempts: int | None = None

    def __post_init__(self) -> None:
        _check(self.seqs is None or 1 <= self.seqs[0] <= self.seqs[1], "seqs", self.seqs)
        _check(self.ns is None or 0 <= self.ns[0] < self.ns[1], "ns", self.ns)
        _check(self.attempts is None or self.attempts > 0, "attempts", self.attempts)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(source, peer) patterns, one of which must match."""
        return ((self.source, self.peer),)

    @abstractmethod
    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:
        """What becomes of the copies that earlier rules have made of a frame."""


@dataclass(frozen=True, slots=True)
class Drop(Rule):
    """The frame is lost."""

    probability: float = 1.0

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check_probability(self.probability)

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:
        return () if _happens(self.probability, luck) else copies


@dataclass(frozen=True, slots=True)
class Duplicate(Rule):
    """The frame comes `copies` times."""

    probability: float = 1.0
    copies: int = 2

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check_probability(self.probability)
        _check(self.copies > 1, "copies", self.copies)

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:
        return [*copies] * self.copies if _happens(self.probability, luck) else copies


@dataclass(frozen=True, slots=True)
class Delay(Rule):
    """The frame comes later, each copy by a time of its own from `least_ns` to `most_ns`."""

    probability: float = 1.0
    least_ns: int = 0
    most_ns: int = 5_000_000

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check_probability(self.probability)
        _check(0 <= self.least_ns <= self.most_ns, "least_ns to most_ns", (self.least_ns, self.most_ns))

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:
        if not _happens(self.probability, luck):
            return copies
        span_ns = self.most_ns - self.least_ns + 1
        return [delay_ns + self.least_ns + luck() * span_ns // _ALL for delay_ns in copies]


@dataclass(frozen=True, slots=True)
class Reorder(Rule):
    """The frame is held for `hold_ns`: what is sent meanwhile overtakes it."""

    probability: float = 1.0
    hold_ns: int = 1_000_000

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check_probability(self.probability)
        _check(self.hold_ns > 0, "hold_ns", self.hold_ns)

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:
        return [delay_ns + self.hold_ns for delay_ns in copies] if _happens(self.probability, luck) else copies


@dataclass(frozen=True, slots=True)
class Partition(Rule):
    """Nothing passes between `hosts` and `others`, in either direction.

    Give a span: `ns`, or `seqs`, and then a frame is lost when it is sent for the first time (`attempts`), so that
    what is sent again once the partition is over arrives.
    """

    hosts: tuple[str, ...] = ("*",)
    others: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check(self.seqs is not None or self.ns is not None, "seqs or ns", None)
        if self.ns is None and self.attempts is None:
            object.__setattr__(self, "attempts", 1)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        sides = [(host, other) for host in self.hosts for other in self.others]
        return (*sides, *((other, host) for host, other in sides))

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:  # noqa: ARG002 - certain
        return ()


@dataclass(frozen=True, slots=True)
class Kill(Rule):
    """The process that is about to send frame `at` of a link, or one after it, ends by SIGKILL instead.

    By then the frame is in its journal. Only in life `epoch` of the host, so that the next one may send it.
    """

    at: int = 1
    epoch: int = 1

    def __post_init__(self) -> None:
        Rule.__post_init__(self)
        _check(self.at > 0, "at", self.at)
        _check(self.epoch > 0, "epoch", self.epoch)

    def delays(self, copies: Sequence[int], luck: Luck) -> Sequence[int]:  # noqa: ARG002 - certain
        os.kill(os.getpid(), signal.SIGKILL)
        return copies


def _happens(probability: float, luck: Luck) -> bool:
    return probability >= 1 or luck() < probability * _ALL


def _check_probability(probability: float) -> None:
    _check(0 < probability <= 1, "probability", probability)


def _check(is_fine: bool, name: str, value: object) -> None:  # noqa: FBT001 - reads as what must hold
    if not is_fine:
        raise ValueError(f"a rule of faults with {name} = {value!r} can never apply")
