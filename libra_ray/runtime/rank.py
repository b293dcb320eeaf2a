"""Ranks: who comes first where nothing else decides."""

from enum import IntEnum
from typing import Final, NamedTuple

__all__ = ["Kind", "Rank"]

_ORDER_BITS: Final = 32


class Kind(IntEnum):
    """What an actor is, in the order in which rows reach actors."""

    DATA = 0
    CACHE = 1
    PORTFOLIO = 2
    RISK = 3
    EXECUTION = 4
    EMULATOR = 5
    ALGORITHM = 6
    ACTOR = 7
    STRATEGY = 8

    @property
    def is_kernel(self) -> bool:
        """A part of the kernel: when it faults, trading halts."""
        return self <= Kind.EMULATOR


class Rank(NamedTuple):
    """(kind, registration order). It decides rows, timers and ties, and is never equal for two actors of a host."""

    kind: Kind
    order: int

    @property
    def number(self) -> int:
        """The same order as one integer."""
        return (int(self.kind) << _ORDER_BITS) + self.order
