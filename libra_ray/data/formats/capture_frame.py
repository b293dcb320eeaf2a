"""A frame of captured messages: their times, their lines, and what is to be said of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.binance_symbols import hint_of
from libra_ray.data.formats.capture_messages import Messages, Symbol
from libra_ray.data.formats.capture_table import CaptureTable, Origin, RowsOf
from libra_ray.data.formats.capture_times import event_ns, received_ns
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.json_scan import Ints
from libra_ray.data.import_options import ImportOptions
from libra_ray.errors import DataError

__all__ = ["CaptureFile", "frame_of", "origin_of"]


@dataclass(frozen=True, eq=False)
class CaptureFile:
    """One symbol of a capture: what was read, and how it is to be read. `earlier` is of the file that it continues."""

    name: str
    symbol: Symbol
    options: ImportOptions
    earlier: Symbol | None = None

    @property
    def is_futures(self) -> bool:
        """Whether messages have a time of the transaction beside that of the event, as those of futures do."""
        depth, quotes = self.symbol.messages(scan.DEPTH), self.symbol.messages(scan.QUOTE)
        with_time = depth if depth.count else quotes
        return bool(with_time.count) and bool((with_time.column(scan.TRADED) >= 0).all())


def origin_of(capture: CaptureFile, messages: Messages, *, ts_ns: Ints | None = None) -> Origin:
    """Of all `messages`; `ts_ns` are their times where those are not where others have them."""
    received = received_ns(messages, capture.name, capture.options.clock_offset_ns)
    if ts_ns is None:
        ts_ns = event_ns(messages, received, capture.name)
    return Origin(messages.column(scan.LINE), ts_ns, received)


def frame_of(
    capture: CaptureFile,
    kind: str,
    messages: Messages,
    names: Sequence[str],
    rows_of: RowsOf,
    *,
    rows_each: Ints,
    counts: Mapping[str, int] | None = None,
    notes: tuple[str, ...] = (),
    origin: Origin | None = None,
    ts_ns: Ints | None = None,
    period: str = "",
    fault: DataError | None = None,
) -> Frame:
    """Columns with their times, made block by block when they are read.

    `names` are those of the columns beside the times, `rows_each` says how many rows each message gives. Times are
    those of `origin`, by default of the messages, at `ts_ns` if that is given. Rows received before the exchange's own
    time are counted: the clock was behind.
    """
    origin = origin or origin_of(capture, messages, ts_ns=ts_ns)
    found = dict(counts or {})
    if origin.received_ns is not None:
        found["negative_latency_rows"] = int(rows_each[origin.received_ns < origin.ts_ns].sum())
    table = CaptureTable(capture.name, names, int(rows_each.sum()), messages, origin, rows_of, fault)
    return Frame(
        kind=kind,
        table=table,
        columns={each: each for each in table.header},
        period=period,
        hint=hint_of(capture.symbol.name, is_futures=capture.is_futures),
        counts={each: count for each, count in found.items() if count},
        notes=notes,
    )
