"""Tardis's books as tables of one row a level: snapshots of N levels in one line, and changes with their beginnings."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Int64s, arrow_ints, mask_of
from libra_ray.data.raw_tables import RawBatch, RawTable
from libra_ray.errors import DataError, quoted

__all__ = ["ChangesTable", "SnapshotsTable"]

TIMES: Final = ("timestamp", "local_timestamp")
ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
LAST: Final = 1
_LEVEL: Final = re.compile(r"(bids|asks)\[(\d+)\]\.(price|amount)")
_ZERO: Final = r"^[+-]?0*\.?0*(?:[eE].*)?$"


@dataclass(frozen=True, eq=False)
class _BookTable:
    """What both kinds share: the rows are those of `table`, each may give several."""

    table: RawTable
    header: Sequence[str] = field(init=False)
    header_place: str = field(init=False)
    rows: int = field(init=False)

    def place(self, row: int) -> str:
        """As the table."""
        return self.table.place(row)

    def row_word(self, row: int) -> str:
        """As the table."""
        return self.table.row_word(row)

    def _set(self, header: Sequence[str], rows: int) -> None:
        object.__setattr__(self, "header", tuple(header))
        object.__setattr__(self, "header_place", self.table.header_place)
        object.__setattr__(self, "rows", rows)

    def _raw(self, names: Sequence[str]) -> Iterator[tuple[Int64s, list[pa.Array]]]:
        header = list(self.table.header)
        for batch in self.table.batches([header.index(each) for each in names]):
            count = len(batch.columns[0])
            rows = np.arange(batch.first_row, batch.first_row + count) if batch.rows is None else batch.rows
            yield rows, batch.columns


@dataclass(frozen=True, eq=False)
class SnapshotsTable(_BookTable):
    """`asks[0].price,asks[0].amount,bids[0].price,...`: bids before asks, the best first; absent levels give no row."""

    levels: list[tuple[int, int, str, str]] = field(init=False)

    def __post_init__(self) -> None:
        found = [match for match in map(_LEVEL.fullmatch, self.table.header) if match is not None]
        numbers = {(BID if match.group(1) == "bids" else ASK, int(match.group(2))) for match in found}
        words = {BID: "bids", ASK: "asks"}
        levels = [
            (side, level, f"{words[side]}[{level}].price", f"{words[side]}[{level}].amount")
            for side, level in sorted(numbers)
        ]
        object.__setattr__(self, "levels", levels)
        self._set(("ts", "ts_init", "side", "level", "price", "qty", "flags"), self.table.rows * len(levels))

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """The levels of some lines at a time."""
        names = [*TIMES, *(name for _, _, price, amount in self.levels for name in (price, amount))]
        wide = len(self.levels)
        for rows, columns in self._raw(names):
            count = len(rows)
            order = arrow_ints(np.arange(count * wide).reshape(wide, count).T.reshape(-1))
            price = pa.concat_arrays(columns[2::2]).take(order)
            qty = pa.concat_arrays(columns[3::2]).take(order)
            there = mask_of(pc.or_(pc.not_equal(price, ""), pc.not_equal(qty, "")))
            owner = np.repeat(np.arange(count), wide)[there]
            side, level = (np.tile(np.array([each[at] for each in self.levels]), count)[there] for at in (0, 1))
            keep = arrow_ints(np.flatnonzero(there))
            made = [
                *(columns[at].take(arrow_ints(owner)) for at in (0, 1)),
                arrow_ints(side.astype(np.int8), pa.int8()),
                arrow_ints(level.astype(np.int64)),
                price.take(keep),
                qty.take(keep),
                arrow_ints(_last(owner), pa.int8()),
            ]
            yield RawBatch(int(rows[0]) if count else 0, [made[index] for index in indices], rows[owner])


@dataclass(frozen=True, eq=False)
class ChangesTable(_BookTable):
    """`is_snapshot,side,price,amount`: a book that begins anew is cleared first, an amount of 0 takes a level away.

    Rows of one `local_timestamp` are one message.
    """

    def __post_init__(self) -> None:
        self._set(("ts", "ts_init", "action", "side", "price", "qty", "flags"), self.table.rows)

    def batches(self, indices: Sequence[int]) -> Iterator[RawBatch]:
        """Some rows at a time; whether a row is the last of its message is seen from the one behind it."""
        was_snapshot = False
        waiting: tuple[Int64s, list[pa.Array]] | None = None
        for rows, columns in self._raw((*TIMES, "is_snapshot", "side", "price", "amount")):
            if not len(rows):
                continue
            made_rows, made, was_snapshot = self._converted(rows, columns, begins=not was_snapshot)
            if waiting is not None:
                yield self._batch(waiting, indices, str(columns[1][0].as_py()))
            waiting = made_rows, made
        if waiting is not None:
            yield self._batch(waiting, indices, None)

    def _converted(self, rows: Int64s, columns: list[pa.Array], *, begins: bool) -> tuple[Int64s, list[pa.Array], bool]:
        """Rows with two clears before each book that begins; whether the last row belongs to a snapshot."""
        snapshot = self._matched(columns[2], rows, "(?i)^true$", "(?i)^false$")
        is_bid = self._matched(columns[3], rows, "(?i)^bid$", "(?i)^ask$")
        before = np.concatenate(([not begins], snapshot[:-1]))
        starts = np.flatnonzero(snapshot & ~before)
        gone = mask_of(pc.match_substring_regex(columns[5], _ZERO)) & mask_of(pc.not_equal(columns[5], ""))
        action = np.where(snapshot, ADD, np.where(gone, DELETE, UPDATE))
        side = np.where(is_bid, BID, ASK)
        owner = np.arange(len(rows))
        price, qty = columns[4], columns[5]
        if len(starts):
            at = np.repeat(starts, 2)
            owner, action = np.insert(owner, at, at), np.insert(action, at, CLEAR)
            side = np.insert(side, at, np.tile([BID, ASK], len(starts)))
            clear = arrow_ints(np.where(action == CLEAR, len(rows), owner))
            price, qty = (pa.concat_arrays([each, pa.array(["0"])]).take(clear) for each in (price, qty))
        taken = arrow_ints(owner)
        codes = (arrow_ints(each.astype(np.int8), pa.int8()) for each in (action, side))
        made = [columns[0].take(taken), columns[1].take(taken), *codes, price, qty]
        return rows[owner], made, bool(snapshot[-1])

    def _matched(
        self, column: pa.Array, rows: Int64s, yes: str, no: str
    ) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Where a column says one of two words. Raises `DataError` DATA009 for a third."""
        is_yes = mask_of(pc.match_substring_regex(column, yes))
        other = ~is_yes & ~mask_of(pc.match_substring_regex(column, no))
        if other.any():
            at = int(other.argmax())
            text = str(column[at].as_py())
            words = f"{yes[5:-1]} or {no[5:-1]}"
            raise DataError("DATA009", self.place(int(rows[at])), f"{quoted(text)} is not {words}", "Correct it.", text)
        return is_yes

    def _batch(self, waiting: tuple[Int64s, list[pa.Array]], indices: Sequence[int], following: str | None) -> RawBatch:
        """With the flags, for which the time of the next row is known."""
        rows, made = waiting
        times = made[1]
        last = np.ones(len(rows), bool)
        last[:-1] = mask_of(pc.not_equal(times.slice(0, len(rows) - 1), times.slice(1)))
        last[-1] = following is None or str(times[-1].as_py()) != following
        columns = [*made, arrow_ints(last.astype(np.int8), pa.int8())]
        return RawBatch(int(rows[0]), [columns[index] for index in indices], rows)


def _last(owner: Int64s) -> "np.ndarray[tuple[int], np.dtype[np.int8]]":
    flags = np.zeros(len(owner), np.int8)
    flags[:-1] = owner[1:] != owner[:-1]
    flags[-1:] = LAST
    return flags
