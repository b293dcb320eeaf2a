"""The exchange's rule for a book: which depth messages follow a snapshot, and where the chain has a hole.

Binance, "How to manage a local order book correctly": spot messages are chained by `U == previous u + 1`, those of
futures by `pu == previous u`. After a snapshot of update `id`, spot drops messages with `u <= id` and begins with
`U <= id + 1 <= u`; futures drop `u < id` and begin with `U <= id <= u`.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from libra_ray.data.arrow_arrays import Mask
from libra_ray.data.formats.json_scan import BAD, Ints

__all__ = ["CONTINUES", "DROPPED", "UNKNOWN", "Chain", "Depths", "Snapshots", "chained"]

DROPPED: Final = -1
"""A message that the snapshot has already."""
UNKNOWN: Final = -2
"""A message of a book that no snapshot begins."""
CONTINUES: Final = -3
"""A message of a book that an earlier file began."""


@dataclass(frozen=True, eq=False)
class Depths:
    """Depth messages in their order: the lines they stand in, and their ids. `previous` is `BAD` in spot."""

    line: Ints
    first: Ints
    last: Ints
    previous: Ints

    @property
    def is_spot(self) -> bool:
        """Whether messages are chained by their first id, for lack of the previous one."""
        return bool((self.previous == BAD).all())

    def is_hole(self, before: int | None = None) -> Mask:
        """Which messages do not follow the one before; the first one follows `before`, if that is known."""
        expected = np.empty_like(self.last)
        expected[1:] = self.last[:-1]
        expected[:1] = BAD if before is None else before
        holes: Mask = np.not_equal(self.first, expected + 1) if self.is_spot else np.not_equal(self.previous, expected)
        if before is None:
            holes[:1] = False
        return holes


@dataclass(frozen=True, eq=False)
class Snapshots:
    """Whole books: the lines they stand in, and the update that each is as of."""

    line: Ints
    update: Ints


@dataclass(frozen=True, eq=False)
class Chain:
    """What becomes of each depth message.

    Attributes:
        base: the number of the snapshot that a message follows, or `CONTINUES`, `DROPPED`, `UNKNOWN`.
        is_hole: messages that do not follow the one before.

    """

    base: Ints
    is_hole: Mask

    @property
    def dropped(self) -> int:
        """Messages that the rule leaves out, since the snapshot has them."""
        return int((self.base == DROPPED).sum())

    @property
    def unknown(self) -> int:
        """Messages of a book that no snapshot begins."""
        return int((self.base == UNKNOWN).sum())

    @property
    def is_applied(self) -> Mask:
        """Which messages change a book that is known."""
        applied: Mask = np.logical_or(self.base >= 0, self.base == CONTINUES)
        return applied

    @property
    def used(self) -> list[int]:
        """The snapshots that begin a book."""
        used: list[int] = np.unique(self.base[self.base >= 0]).tolist()
        return used


def chained(depths: Depths, snapshots: Snapshots, *, before: int | None = None) -> Chain:
    """Follow the chain through the file. `before` is the last update of the file that this one continues.

    Messages without a hole between them begin with the first snapshot that lies among them or follows them; those that
    were received ahead of it wait for it, and what it does not have is applied behind it.
    """
    holes = depths.is_hole(before)
    base = np.full(len(holes), UNKNOWN, np.int64)
    starts = np.flatnonzero(holes[1:]) + 1 if len(holes) else np.zeros(0, np.int64)
    bounds = [0, *starts.tolist(), len(holes)]
    for start, stop in pairwise(bounds):
        if start == 0 and before is not None and len(holes) and not holes[0]:
            base[:stop] = CONTINUES
            continue
        after = int(depths.line[start - 1]) if start else 0
        until = int(depths.line[stop]) if stop < len(holes) else None
        for number, line, update in zip(
            range(len(snapshots.line)), snapshots.line.tolist(), snapshots.update.tolist(), strict=True
        ):
            wanted = update + depths.is_spot
            if line > after and (until is None or line < until) and depths.first[start] <= wanted:
                base[start:stop] = np.where(depths.last[start:stop] < wanted, DROPPED, number)
                break
    return Chain(base, holes)
