"""Book changes and whole books of a capture, as received or made ready for a replay."""

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Mask, arrow_ints
from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_frame import CaptureFile, frame_by_parts, frame_of, origin_of
from libra_ray.data.formats.capture_messages import Levels, Part, Symbol
from libra_ray.data.formats.capture_table import Origin
from libra_ray.data.formats.depth_chain import UNKNOWN, Chain, Depths, Snapshots, chained
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.json_scan import Ints
from libra_ray.errors import DataError

__all__ = [
    "ReplayLevels",
    "chain_of",
    "deltas_frame",
    "depths_of",
    "replay_levels",
    "snapshots_frame",
    "snapshots_of",
]

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
LAST: Final = 1


def depths_of(symbol: Symbol) -> Depths:
    """The ids of a symbol's depth messages."""
    messages = symbol.messages(scan.DEPTH)
    ids = (messages.column(each) for each in (scan.LINE, scan.FIRST_ID, scan.LAST_ID, scan.PREVIOUS_ID))
    return Depths(*ids)


def snapshots_of(symbol: Symbol) -> Snapshots:
    """The ids of a symbol's whole books."""
    messages = symbol.messages(scan.SNAPSHOT)
    return Snapshots(messages.column(scan.LINE), messages.column(scan.LAST_ID))


def chain_of(capture: CaptureFile) -> Chain:
    """How the depth messages of a capture follow its snapshots, or the file that it continues."""
    before: int | None = None
    if capture.earlier is not None:
        last = depths_of(capture.earlier).last
        before = int(last[-1]) if len(last) else None
    return chained(depths_of(capture.symbol), snapshots_of(capture.symbol), before=before)


def deltas_frame(capture: CaptureFile) -> Frame | None:
    """One row a level. Raises nothing: a hole in the chain is a fault of the frame, unless it is to be kept."""
    messages = capture.symbol.messages(scan.DEPTH)
    if not messages.count:
        return None
    chain = chain_of(capture)
    counts = {
        "depth_messages": messages.count,
        "sequence_gaps": int(chain.is_hole.sum()),
        "messages_before_snapshot": chain.dropped,
        "messages_without_book": chain.unknown,
    }
    notes: tuple[str, ...] = ()
    if chain.unknown:
        notes = (f"book unknown: {chain.unknown:,} depth messages follow no snapshot",)
    fault = None if capture.options.on_sequence_gap == "keep" else _fault(capture, chain)
    if capture.options.book == "replay":
        origin, columns = _replay_rows(capture, chain)
        return frame_of(capture, "book_deltas", origin, columns, counts=counts, notes=notes, fault=fault)
    names, each = ("action", "side", "price", "qty", "flags"), messages.levels_each()
    return frame_by_parts(
        capture, "book_deltas", messages, names, _changes, rows_each=each, counts=counts, notes=notes, fault=fault
    )


def snapshots_frame(capture: CaptureFile) -> Frame | None:
    """One row a level of each whole book, bids before asks, the best first."""
    messages = capture.symbol.messages(scan.SNAPSHOT)
    if not messages.count:
        return None
    names, each = ("side", "level", "price", "qty", "flags"), messages.levels_each()
    notes = (f"the first book is as of update {int(messages.column(scan.LAST_ID)[0])}",)
    return frame_by_parts(capture, "book_snapshots", messages, names, _books, rows_each=each, notes=notes)


def _books(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
    levels = Levels.of(part.levels)
    return levels.owner, {
        "side": _codes(levels.side),
        "level": arrow_ints(_numbers(levels)),
        "price": levels.prices,
        "qty": levels.sizes,
        "flags": _codes(_last_flags(levels.owner)),
    }


def _changes(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
    levels = Levels.of(part.levels)
    return levels.owner, {
        "action": _codes(_actions(levels)),
        "side": _codes(levels.side),
        "price": levels.prices,
        "qty": levels.sizes,
        "flags": _codes(_last_flags(levels.owner)),
    }


def _codes(values: Ints) -> pa.Array:
    return arrow_ints(values.astype(np.int8), pa.int8())


def _actions(levels: Levels) -> Ints:
    """A level of size 0 is gone."""
    return np.where(levels.size[:, 0] == 0, DELETE, UPDATE)


def _last_flags(owner: Ints) -> Ints:
    """The last row of each message is marked."""
    flags = np.zeros(len(owner), np.int64)
    flags[:-1] = owner[1:] != owner[:-1]
    flags[-1:] = LAST
    return flags


def _numbers(levels: Levels) -> Ints:
    """Levels counted from 0 within each side of each message."""
    count = len(levels.owner)
    begins = np.ones(count, bool)
    begins[1:] = (levels.owner[1:] != levels.owner[:-1]) | (levels.side[1:] != levels.side[:-1])
    starts = np.flatnonzero(begins)
    numbers: Ints = np.arange(count) - np.repeat(starts, np.diff(np.append(starts, count)))
    return numbers


class ReplayLevels(NamedTuple):
    """Levels ready for a replay. `levels.owner` is the row of the depth message, or of the snapshot's."""

    levels: Levels
    actions: Ints
    flags: Ints
    is_snapshot: Mask
    origin: Origin


def _replay_rows(capture: CaptureFile, chain: Chain) -> tuple[Origin, dict[str, pa.Array]]:
    made = replay_levels(capture, chain)
    columns = {
        "action": _codes(made.actions),
        "side": _codes(made.levels.side),
        "price": made.levels.prices,
        "qty": made.levels.sizes,
        "flags": _codes(made.flags),
    }
    return made.origin, columns


def replay_levels(capture: CaptureFile, chain: Chain) -> ReplayLevels:
    """Each used snapshot as a clear of both sides and its levels, then the messages that follow it.

    What was received ahead of its snapshot comes behind it, at its time.
    """
    depth, whole = (capture.symbol.messages(kind) for kind in (scan.DEPTH, scan.SNAPSHOT))
    levels = depth.all_levels()
    levels = levels.taken(np.flatnonzero(chain.is_applied[levels.owner]))
    origin = origin_of(capture, depth, levels.owner)
    parts, origins, actions, orders = [levels], [origin], [_actions(levels)], [origin.lines]
    if chain.used:
        bases = origin_of(capture, whole)
        base = chain.base[levels.owner]
        known = base >= 0
        begins = np.where(known, bases.lines[np.where(known, base, 0)], 0)
        orders = [np.maximum(origin.lines, begins)]
        received = origin.received_ns
        if received is not None and bases.received_ns is not None:
            waited = known & (origin.lines < begins)
            received = np.where(waited, bases.received_ns[np.where(known, base, 0)], received)
        origins = [Origin(origin.lines, origin.ts_ns, received)]
        shown = whole.all_levels()
        for number in reversed(chain.used):
            one = shown.taken(np.flatnonzero(shown.owner == number)).after_clear(number)
            parts.insert(0, one)
            origins.insert(0, bases.taken(one.owner))
            actions.insert(0, np.array([CLEAR, CLEAR, *[ADD] * (len(one.owner) - 2)], np.int64))
            orders.insert(0, origins[0].lines)
    # Equal places: the snapshot's own rows stand first, then what waited for it.
    order = np.argsort(np.concatenate(orders), kind="stable")
    is_snapshot = np.zeros(len(order), bool)
    is_snapshot[: len(order) - len(levels.owner)] = True
    return ReplayLevels(
        Levels.joined(parts).taken(order),
        np.concatenate(actions)[order],
        np.concatenate([_last_flags(part.owner) for part in parts])[order],
        is_snapshot[order],
        Origin.joined(origins).taken(order),
    )


def _fault(capture: CaptureFile, chain: Chain) -> DataError | None:
    """The first hole, or that no snapshot begins the book."""
    depths, wording = depths_of(capture.symbol), capture.options.wording
    keep = wording.option("on-sequence-gap", "keep")
    if chain.is_hole.any():
        at = int(chain.is_hole.argmax())
        before = int(depths.last[at - 1]) if at else "the last one of the file before"
        found = f"first update {int(depths.first[at])}" if depths.is_spot else f"update {int(depths.previous[at])}"
        count = int(chain.is_hole.sum())
        gaps = "gap" if count == 1 else "gaps"
        what = f"depth message follows {found}, not {before} ({count:,} such {gaps})"
        if depths.is_spot:
            what = f"depth message begins with {found}, which does not follow {before} ({count:,} such {gaps})"
        fix = f"Record the session without a break, or use {keep} (gaps are counted)."
        return DataError("DATA019", f"{capture.name}:{int(depths.line[at])}", what, fix, str(int(depths.first[at])))
    if not chain.unknown:
        return None
    line = int(depths.line[int((chain.base == UNKNOWN).argmax())])
    what = f"book without a snapshot: {chain.unknown:,} depth messages follow none"
    fix = f"Name the file before it with {wording.option('continues', 'FILE')}, or use {keep} (the book is unknown)."
    return DataError("DATA019", f"{capture.name}:{line}", what, fix)
