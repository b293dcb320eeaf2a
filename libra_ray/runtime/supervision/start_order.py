"""In which order a system's actors start; they stop in the reverse one."""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import TypeVar

__all__ = ["StartStage", "in_start_order", "in_stop_order"]

T = TypeVar("T")


class StartStage(IntEnum):
    """What an actor is, in the order of `lifecycle.md`: each may count on those before it."""

    BUS = 0
    CACHE = 1
    PORTFOLIO = 2
    RISK = 3
    EXECUTION = 4
    EMULATOR = 5
    ALGORITHM = 6
    DATA = 7
    CLIENT = 8
    ACTOR = 9
    STRATEGY = 10

    @property
    def is_kernel(self) -> bool:
        """A part of the kernel, the bus and the data engine included: trading stops without it."""
        return self <= StartStage.EMULATOR or self is StartStage.DATA


def in_start_order(items: Iterable[T], stage: Callable[[T], StartStage]) -> list[T]:
    """By stage; within one stage in the order given."""
    return sorted(items, key=stage)


def in_stop_order(items: Iterable[T], stage: Callable[[T], StartStage]) -> list[T]:
    """The exact reverse of `in_start_order`."""
    return in_start_order(items, stage)[::-1]
