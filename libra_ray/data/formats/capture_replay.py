"""Book changes of a capture made ready for a replay: each used snapshot, then the messages that follow it."""

from typing import NamedTuple

import numpy as np

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_frame import CaptureFile, origin_of
from libra_ray.data.formats.capture_messages import Levels, Part
from libra_ray.data.formats.capture_table import Origin
from libra_ray.data.formats.depth_chain import Chain
from libra_ray.data.formats.json_scan import Ints
from libra_ray.data.formats.level_columns import ADD, CLEAR, changes_of, last_flags

__all__ = ["BookReplay", "ReplayLevels"]


class ReplayLevels(NamedTuple):
    """Levels of consecutive messages. `levels.owner` is the depth message, or behind all of those the snapshot."""

    levels: Levels
    actions: Ints
    flags: Ints


class BookReplay:
    """A snapshot is a clear of both sides and its levels; what was received ahead of it comes behind it, at its time.

    Attributes:
        count: of depth messages; a snapshot's number as an owner is its own behind that.
        origin: of each owner.
        rows_each: how many rows each owner gives.

    """

    def __init__(self, capture: CaptureFile, chain: Chain) -> None:
        self._chain = chain
        depth, whole = (capture.symbol.messages(kind) for kind in (scan.DEPTH, scan.SNAPSHOT))
        self.depth, self.count = depth, depth.count
        self.origin = origin_of(capture, depth)
        self.rows_each: Ints = np.where(chain.is_applied, depth.levels_each(), 0)
        self._snapshots: list[tuple[int, ReplayLevels]] = []
        if chain.used:
            self._put_snapshots(whole.all_levels(), origin_of(capture, whole), whole.count)

    def _put_snapshots(self, shown: Levels, bases: Origin, count: int) -> None:
        """Find before which message each used snapshot stands, and move what waited for it to its time."""
        chain, origin = self._chain, self.origin
        known = chain.base >= 0
        base = np.where(known, chain.base, 0)
        begins = np.where(known, bases.lines[base], 0)
        places = np.maximum.accumulate(np.maximum(origin.lines, begins))
        received = origin.received_ns
        if received is not None and bases.received_ns is not None:
            received = np.where(known & (origin.lines < begins), bases.received_ns[base], received)
        self.origin = Origin.joined([Origin(origin.lines, origin.ts_ns, received), bases])
        snapshot_rows = np.zeros(count, np.int64)
        for number in chain.used:
            own = shown.taken(np.flatnonzero(shown.owner == number)).after_clear(number)
            own = Levels(own.owner + self.count, own.side, own.price, own.size)
            actions = np.array([CLEAR, CLEAR, *[ADD] * (len(own.owner) - 2)], np.int64)
            at = int(np.searchsorted(places, bases.lines[number], side="left"))
            self._snapshots.append((at, ReplayLevels(own, actions, last_flags(own.owner))))
            snapshot_rows[number] = len(own.owner)
        self.rows_each = np.concatenate((self.rows_each, snapshot_rows))

    def of(self, part: Part) -> ReplayLevels:
        """The rows of a block of depth messages, with the snapshots that stand among them."""
        levels = Levels.of(part.levels)
        levels = levels.taken(np.flatnonzero(self._chain.is_applied[levels.owner]))
        changes = ReplayLevels(levels, changes_of(levels), last_flags(levels.owner))
        pieces: list[ReplayLevels] = []
        done = 0
        for at, snapshot in self._snapshots:
            if part.first <= at < part.first + len(part.rows):
                stop = int(np.searchsorted(levels.owner, at))
                pieces += [_rows(changes, done, stop), snapshot]
                done = stop
        return _joined([*pieces, _rows(changes, done, len(levels.owner))]) if pieces else changes

    def whole(self) -> ReplayLevels:
        """All rows at once."""
        none = Levels.of(np.zeros((0, scan.LEVEL_COLUMNS), np.int64))
        empty = ReplayLevels(none, none.owner, none.owner)
        return _joined([empty, *(self.of(part) for part in self.depth.parts())])


def _joined(parts: list[ReplayLevels]) -> ReplayLevels:
    """Behind each other."""
    return ReplayLevels(
        Levels.joined([part.levels for part in parts]),
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.flags for part in parts]),
    )


def _rows(made: ReplayLevels, start: int, stop: int) -> ReplayLevels:
    levels = made.levels.taken(np.arange(start, stop))
    return ReplayLevels(levels, made.actions[start:stop], made.flags[start:stop])
