"""The frames of a captured combined stream, by symbol and type of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Mask, arrow_ints
from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_books import deltas_frame, snapshots_frame
from libra_ray.data.formats.capture_frame import CaptureFile, frame_of, origin_of
from libra_ray.data.formats.capture_messages import Symbol, read_symbols
from libra_ray.data.formats.capture_times import exchange_ns
from libra_ray.data.formats.frames import Frame
from libra_ray.data.formats.json_scan import BAD
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
        earlier = {symbol.name: symbol for symbol in read_symbols(before)}
    made = [
        each
        for symbol in read_symbols(file)
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
    at = np.flatnonzero(is_trade)
    maker = messages.column(scan.MAKER)[at]
    ids = messages.column(scan.FIRST_ID)
    counts = {"not_market_trades": messages.count - len(at), "trade_id_gaps": _id_gaps(ids)}
    notes: tuple[str, ...] = ()
    if not single.count:
        notes = ("trades are aggregated by the exchange: one row for all fills of one order at one price",)
    elif grouped.count:
        counts["aggregated_trades_left_out"] = grouped.count
    columns: dict[str, pa.Array] = {
        "price": messages.number(0, at),
        "qty": messages.number(1, at),
        "aggressor": arrow_ints(np.where(maker == 1, SELLER, BUYER).astype(np.int8), pa.int8()),
    }
    return frame_of(capture, "trades", origin_of(capture, messages, at), columns, counts=counts, notes=notes)


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
    columns = {name: messages.number(at) for at, name in enumerate(("bid_px", "bid_qty", "ask_px", "ask_qty"))}
    return frame_of(capture, "quotes", origin_of(capture, messages), columns, notes=notes)


def _marks(capture: CaptureFile) -> Frame | None:
    messages = capture.symbol.messages(scan.MARK)
    if not messages.count:
        return None
    # T is when the next funding is due.
    origin = origin_of(capture, messages, ts_ns=exchange_ns(messages.column(scan.EVENT)))
    return frame_of(capture, "mark_prices", origin, {"price": messages.number(0)})


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
        columns = {name: messages.number(place, at) for place, name in enumerate(("open", "high", "low", "close"))}
        columns["volume"] = messages.number(4, at)
        growing = int((intervals == code).sum()) - len(at)
        # The last millisecond of a candle is inside it.
        origin = origin_of(capture, messages, at, ts_ns=exchange_ns(messages.column(scan.LAST_ID)[at] + 1))
        made.append(frame_of(capture, "bars", origin, columns, counts={"unfinished_bars": growing}, period=period))
    return made
