"""The frames of a captured combined stream, by symbol and type of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Mask, arrow_ints
from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_books import deltas_frame, snapshots_frame
from libra_ray.data.formats.capture_frame import CaptureFile, frame_of
from libra_ray.data.formats.capture_messages import Messages, Part, Symbol, read_symbols
from libra_ray.data.formats.capture_table import RowsOf
from libra_ray.data.formats.capture_times import exchange_ns
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.json_scan import BAD, Ints
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["capture_frames"]

BUYER, SELLER = 1, 2


def capture_frames(file: RawFile, options: ImportOptions) -> list[Frame]:
    """The rows of each symbol and type. Raises `DataError` for a line that is no message, or no line at all."""
    earlier: dict[str, Symbol] = {}
    if options.continues is not None:
        before = RawFile.check(Path(options.continues), max_decompressed_bytes=options.max_decompressed_bytes)
        earlier = {symbol.name: symbol for symbol in read_symbols(before, streaming=options.streaming)}
    made = [
        each
        for symbol in read_symbols(file, streaming=options.streaming)
        for each in _frames(CaptureFile(file.name, symbol, options, earlier.get(symbol.name)))
    ]
    if not made:
        what = "the capture has no trades, tickers, books or candles"
        raise DataError("DATA008", file.name, what, "Check the file.")
    return made


def _frames(capture: CaptureFile) -> list[Frame]:
    """Those of one symbol."""
    made = [_trades(capture), _quotes(capture), deltas_frame(capture), snapshots_frame(capture), _marks(capture)]
    return [each for each in made if each is not None] + _bars(capture)


def _trades(capture: CaptureFile) -> Frame | None:
    """Trades of the market with a price and a size; what else the stream calls a trade is counted."""
    single, grouped = (capture.symbol.messages(kind) for kind in (scan.TRADE, scan.AGG_TRADE))
    messages = single if single.count else grouped
    if not messages.count:
        return None
    is_trade = (messages.column(scan.MARKET) == 1) & ~messages.is_zero(0) & ~messages.is_zero(1)
    maker = messages.column(scan.MAKER)
    ids = messages.column(scan.FIRST_ID)
    counts = {"not_market_trades": messages.count - int(np.count_nonzero(is_trade)), "trade_id_gaps": _id_gaps(ids)}
    notes: tuple[str, ...] = ()
    if not single.count:
        notes = ("trades are aggregated by the exchange: one row for all fills of one order at one price",)
    elif grouped.count:
        counts["aggregated_trades_left_out"] = grouped.count

    def rows_of(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
        at = np.flatnonzero(is_trade[part.first : part.first + len(part.rows)])
        owners = at + part.first
        sides = np.where(maker[owners] == 1, SELLER, BUYER).astype(np.int8)
        return owners, {
            "price": part.number(0, at),
            "qty": part.number(1, at),
            "aggressor": arrow_ints(sides, pa.int8()),
        }

    names, each = ("price", "qty", "aggressor"), is_trade.astype(np.int64)
    return frame_of(capture, "trades", messages, names, rows_of, rows_each=each, counts=counts, notes=notes)


def _id_gaps(ids: Any) -> int:  # noqa: ANN401  # an array of integers
    """Holes in the numbers of trades."""
    return 0 if bool((ids == BAD).any()) else int(np.count_nonzero(np.diff(ids) > 1))


def _quotes(capture: CaptureFile) -> Frame | None:
    messages = capture.symbol.messages(scan.QUOTE)
    if not messages.count:
        return None
    timeless: Mask = (messages.column(scan.TRADED) == BAD) & (messages.column(scan.EVENT) == BAD)
    notes: tuple[str, ...] = ()
    if timeless.any():
        notes = ("quotes carry the receive time: the stream has no time of the exchange",)
    names, rows_of = _one_each("bid_px", "bid_qty", "ask_px", "ask_qty")
    each = np.ones(messages.count, np.int64)
    return frame_of(capture, "quotes", messages, names, rows_of, rows_each=each, notes=notes)


def _marks(capture: CaptureFile) -> Frame | None:
    messages = capture.symbol.messages(scan.MARK)
    if not messages.count:
        return None
    names, rows_of = _one_each("price")
    each, ts_ns = np.ones(messages.count, np.int64), exchange_ns(messages.column(scan.EVENT))
    # T is when the next funding is due.
    return frame_of(capture, "mark_prices", messages, names, rows_of, rows_each=each, ts_ns=ts_ns)


def _one_each(*names: str) -> tuple[tuple[str, ...], RowsOf]:
    """Numbers of messages that give one row each, by their places."""

    def rows_of(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
        columns = {name: part.number(place) for place, name in enumerate(names)}
        return part.first + np.arange(len(part.rows)), columns

    return names, rows_of


def _bars(capture: CaptureFile) -> list[Frame]:
    """Final candles by their interval; those that still grow are counted."""
    messages = capture.symbol.messages(scan.KLINE)
    if not messages.count:
        return []
    intervals, closed = messages.column(scan.INTERVAL), messages.column(scan.CLOSED) == 1
    made = []
    for code in np.unique(intervals).tolist():
        at = np.flatnonzero((intervals == code) & closed)
        if not len(at):
            continue
        period = (code & 0xFFFFFFFFFFFFFF).to_bytes(7, "little").rstrip(b"\0").decode(errors="replace")
        growing = int((intervals == code).sum()) - len(at)
        made.append(_bars_of(capture, messages, at, period, growing))
    return made


def _bars_of(capture: CaptureFile, messages: Messages, at: Ints, period: str, growing: int) -> Frame:
    """The candles of these numbers."""
    names = ("open", "high", "low", "close", "volume")

    def rows_of(part: Part) -> tuple[Ints, dict[str, pa.Array]]:
        first, stop = np.searchsorted(at, (part.first, part.first + len(part.rows)))
        owners = at[first:stop]
        return owners, {name: part.number(place, owners - part.first) for place, name in enumerate(names)}

    each = np.zeros(messages.count, np.int64)
    each[at] = 1
    # The last millisecond of a candle is inside it.
    ts_ns, counts = exchange_ns(messages.column(scan.LAST_ID) + 1), {"unfinished_bars": growing}
    return frame_of(
        capture, "bars", messages, names, rows_of, rows_each=each, counts=counts, ts_ns=ts_ns, period=period
    )
