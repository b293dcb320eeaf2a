"""Book changes and whole books of a capture, as received or made ready for a replay."""

import pyarrow as pa

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_frame import CaptureFile, frame_of
from libra_ray.data.formats.capture_messages import Levels, Part, Symbol
from libra_ray.data.formats.capture_replay import BookReplay
from libra_ray.data.formats.depth_chain import UNKNOWN, Chain, Depths, Snapshots, chained
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.json_scan import Ints
from libra_ray.data.formats.level_columns import book_columns, change_columns, changes_of, last_flags
from libra_ray.errors import DataError

__all__ = ["chain_of", "deltas_frame", "depths_of", "snapshots_frame", "snapshots_of"]


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
    names = ("action", "side", "price", "qty", "flags")
    replay = BookReplay(capture, chain) if capture.options.book == "replay" else None

    def rows_of(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
        if replay is not None:
            made = replay.of(part)
            return made.levels.owner, change_columns(*made)
        levels = Levels.of(part.levels)
        return levels.owner, change_columns(levels, changes_of(levels), last_flags(levels.owner))

    return frame_of(
        capture,
        "book_deltas",
        messages,
        names,
        rows_of,
        rows_each=messages.levels_each() if replay is None else replay.rows_each,
        origin=None if replay is None else replay.origin,
        counts=counts,
        notes=notes,
        fault=fault,
    )


def snapshots_frame(capture: CaptureFile) -> Frame | None:
    """One row a level of each whole book, bids before asks, the best first."""
    messages = capture.symbol.messages(scan.SNAPSHOT)
    if not messages.count:
        return None
    names, each = ("side", "level", "price", "qty", "flags"), messages.levels_each()
    notes = (f"the first book is as of update {int(messages.column(scan.LAST_ID)[0])}",)
    return frame_of(capture, "book_snapshots", messages, names, _books, rows_each=each, notes=notes)


def _books(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
    levels = Levels.of(part.levels)
    return levels.owner, book_columns(levels)


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
