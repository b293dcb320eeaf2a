"""What is asked of rows beside each other: their order, bars of one time, bars that are not there, crossed quotes.

Batches come one after the other; what is asked of a batch does not depend on how the rows were cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_bools, arrow_ints, int64s_of
from libra_ray.data.column_values import is_less
from libra_ray.data.faults import Check, Faults
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.times import time_text
from libra_ray.data.wrangler import ROW
from libra_ray.messages.schemas import BARS, QUOTES, Schema
from libra_ray.model.identifiers import period_ns

__all__ = ["RowChecks", "missing_between"]

DAY_NS: Final = 86_400 * 10**9
FILLED_ROWS: Final = 131_072
_PRICES: Final = ("open", "high", "low", "close")


@dataclass
class _Found:
    """What was seen so far."""

    rows: int = 0
    behind_rows: int = 0
    same_time_rows: int = 0
    dropped_duplicates: int = 0
    filled_bars: int = 0
    gaps: int = 0
    missing_bars: int = 0
    longest_gap: int = 0
    early_bars: int = 0
    crossed_rows: int = 0
    locked_rows: int = 0


class RowChecks:
    """Takes the batches of one import in order and gives them back as the policies leave them."""

    def __init__(self, schema: Schema, period: str, options: ImportOptions, faults: Faults) -> None:
        self.found = _Found()
        self.start_ns = self.end_ns = 0
        self._schema, self._options, self._faults = schema, options, faults
        self._length_ns = period_ns(period) if period else 0
        self._before: int | None = None  # the time of the row before, as read
        self._last: pa.Table | None = None  # the last bar that was passed on: gaps are filled from it
        self._held: pa.Table | None = None  # the last bar read, as long as a later one may replace it
        self._crossed: tuple[int, str, str] | None = None

    def take(self, batch: pa.Table) -> Iterator[pa.Table]:
        """The rows of a batch that are passed on now."""
        if not batch.num_rows:
            return
        self._check_order(batch)
        if self._schema is QUOTES:
            self._check_crossed(batch)
        if self._schema is BARS:
            batch = self._once(batch)
            yield from self._passed_bars(batch)
        else:
            yield self._passed(batch)

    def finish(self) -> Iterator[pa.Table]:
        """What was held back, and faults that are known only now."""
        if self._held is not None:
            held, self._held = self._held, None
            yield from self._passed_bars(held)
        limit = self._options.max_crossed_fraction
        count, rows = self.found.crossed_rows + self.found.locked_rows, self.found.rows
        if limit is not None and self._crossed is not None and count > limit * rows:
            row, bid, ask = self._crossed
            what = f"bid {bid} is at or above ask {ask}: {count / rows:.2%} of {rows:,} rows, the limit is {limit:.2%}"
            fix = "Correct the file or raise data.max_crossed_fraction."
            self._faults.add(Check.CROSSED, "DATA022", row, what, fix, value=bid, count=count)

    def _passed(self, batch: pa.Table) -> pa.Table:
        ts_ns = _times(batch)
        if len(ts_ns):
            self.start_ns = self.start_ns if self.found.rows else int(ts_ns[0])
            self.end_ns = int(ts_ns[-1])
            self.found.rows += len(ts_ns)
        return batch

    def _check_order(self, batch: pa.Table) -> None:
        ts_ns = _times(batch)
        joined = _behind(self._before, ts_ns)
        skew = len(joined) - len(ts_ns)
        behind = np.flatnonzero(joined[1:] < joined[:-1]) + 1
        self.found.same_time_rows += int(np.count_nonzero(joined[1:] == joined[:-1]))
        self.found.behind_rows += len(behind)
        if len(behind):
            at = int(behind[0])
            now, before = time_text(int(joined[at])), time_text(int(joined[at - 1]))
            what = f"time {now} is earlier than {before} before it"
            fix = f"Sort the file or use {self._options.wording.option('sort')}."
            row = _row_number(batch, at - skew)
            self._faults.add(Check.ORDER, "DATA002", row, what, fix, value=now, count=len(behind), always_counted=True)
        self._before = int(ts_ns[-1])

    def _once(self, batch: pa.Table) -> pa.Table:
        """One bar of each time: the first or the last in the file."""
        if self._options.dedup == "last":
            return self._last_ones(batch)
        ts_ns = _times(batch)
        joined = _behind(self._last_ns(), ts_ns)
        skew = len(joined) - len(ts_ns)
        same = np.zeros(len(ts_ns), bool)
        same[1 - skew :] = joined[1:] == joined[:-1]
        if not same.any():
            return batch
        count = int(np.count_nonzero(same))
        if self._options.dedup == "error":
            at = int(same.argmax())
            wording = self._options.wording
            what = f"second bar for {time_text(int(ts_ns[at]))}"
            fix = f"Use {wording.option('dedup', 'first')}, {wording.option('dedup', 'last')} or remove it."
            row = _row_number(batch, at)
            self._faults.add(Check.REPEATED, "DATA003", row, what, fix, count=count, always_counted=True)
        self.found.dropped_duplicates += count
        return batch.filter(arrow_bools(~same))

    def _last_ones(self, batch: pa.Table) -> pa.Table:
        """All but the last bar, which the next batch may replace."""
        if self._held is not None:
            batch = pa.concat_tables([self._held, batch]).combine_chunks()
        ts_ns = _times(batch)
        keep: Mask = np.ones(len(ts_ns), bool)
        keep[:-1] = ts_ns[1:] != ts_ns[:-1]
        self.found.dropped_duplicates += int(np.count_nonzero(~keep))
        self._held = batch.slice(batch.num_rows - 1)
        keep[-1] = False
        return batch.filter(arrow_bools(keep))

    def _last_ns(self) -> int | None:
        return None if self._last is None else int(_times(self._last)[0])

    def _passed_bars(self, batch: pa.Table) -> Iterator[pa.Table]:
        """The bars, with those between them that are made."""
        if not batch.num_rows:
            return
        ts_ns = _times(batch)
        joined = _behind(self._last_ns(), ts_ns)
        skew = len(joined) - len(ts_ns)
        missing = missing_between(joined, self._length_ns)
        holes = np.flatnonzero(missing > 0)
        self.found.early_bars += int(np.count_nonzero((missing < 0) & (joined[1:] > joined[:-1])))
        self._note_gaps(batch, joined, missing, holes, skew)
        if len(holes) and self._options.on_gap == "fill":
            done = 0
            for hole in holes.tolist():
                start = hole + 1 - skew
                if start > done:
                    yield self._passed(batch.slice(done, start - done))
                before = batch.slice(start - 1, 1) if start else self._last
                if before is not None:
                    yield from self._filled(before, int(missing[hole]))
                done = start
            yield self._passed(batch.slice(done))
        else:
            yield self._passed(batch)
        self._last = batch.slice(batch.num_rows - 1)

    def _note_gaps(self, batch: pa.Table, joined: Int64s, missing: Int64s, holes: Int64s, skew: int) -> None:
        if not len(holes):
            return
        found = self.found
        found.gaps += len(holes)
        found.missing_bars += int(missing[holes].sum())
        found.longest_gap = max(found.longest_gap, int(missing[holes].max()))
        if self._options.on_gap == "error":
            hole = int(holes[0])
            bars = "1 bar is" if missing[hole] == 1 else f"{int(missing[hole]):,} bars are"
            after, now = time_text(int(joined[hole])), time_text(int(joined[hole + 1]))
            wording = self._options.wording
            keep, fill = wording.option("on-gap", "keep"), wording.option("on-gap", "fill")
            fix = f"Use {keep} or {fill} (filled bars are counted)."
            what = f"{bars} missing between {after} and {now}"
            row = _row_number(batch, hole + 1 - skew)
            self._faults.add(Check.GAP, "DATA021", row, what, fix, value=now, count=len(holes))

    def _filled(self, before: pa.Table, count: int) -> Iterator[pa.Table]:
        """`count` bars without trades behind a bar: all prices its close, no volume."""
        close = before.column("close").chunk(0)
        for done in range(0, count, FILLED_ROWS):
            size = min(FILLED_ROWS, count - done)
            steps = (np.arange(done + 1, done + size + 1, dtype=np.int64)) * self._length_ns
            columns = {name: arrow_ints(_times(before, name)[0] + steps) for name in ("ts_init_ns", "ts_event_ns")}
            prices = pa.repeat(close[0], size)
            none = pa.repeat(pa.scalar(Decimal(0), before.schema.field("volume").type), size)
            columns |= dict.fromkeys(_PRICES, prices) | {"volume": none}
            columns[ROW] = pa.repeat(before.column(ROW).chunk(0)[0], size)
            self.found.filled_bars += size
            arrays = [columns[name] for name in before.column_names]
            yield self._passed(pa.Table.from_arrays(arrays, schema=before.schema))

    def _check_crossed(self, batch: pa.Table) -> None:
        bid, ask = batch.column("bid_px").chunk(0), batch.column("ask_px").chunk(0)
        meets = ~is_less(bid, ask)
        if not meets.any():
            return
        crossed = int(np.count_nonzero(is_less(ask, bid)))
        self.found.crossed_rows += crossed
        self.found.locked_rows += int(np.count_nonzero(meets)) - crossed
        if self._crossed is None:
            at = int(meets.argmax())
            self._crossed = (_row_number(batch, at), str(bid[at].as_py()), str(ask[at].as_py()))


def missing_between(ts_ns: Int64s, length_ns: int) -> Int64s:
    """How many bars of that length lie between neighbours. A day of a local clock may have 23 or 25 hours."""
    slack = length_ns // 2 if length_ns >= DAY_NS else 0
    missing: Int64s = (ts_ns[1:] - ts_ns[:-1] + slack) // length_ns - 1
    return missing


def _times(batch: pa.Table, name: str = "ts_init_ns") -> Int64s:
    column = batch.column(name)
    return int64s_of(column.chunk(0)) if column.num_chunks else np.empty(0, np.int64)


def _row_number(batch: pa.Table, at: int) -> int:
    return int(_times(batch, ROW)[at])


def _behind(before: int | None, ts_ns: Int64s) -> Int64s:
    """The times with the one before them, if there is one."""
    return ts_ns if before is None else np.concatenate((np.array([before], np.int64), ts_ns))
