"""Features of quotes and books as whole columns: what research computes once and strategies read row by row."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.data import Stream
from libra_ray.errors import ConfigError
from libra_ray.matching import DepthBook
from libra_ray.matching.depth_book import ScoutBook
from libra_ray.messages.schemas import BOOK_DELTAS, BOOK_SNAPSHOTS, LAST_IN_MESSAGE, QUOTES, Schema

__all__ = ["book_snapshots", "depth_imbalance", "quote_features", "rebuilt_quotes"]

Floats = npt.NDArray[np.float64]
BID, ASK = 1, 2
ACTIONS: Final = ("action", "side", "price", "qty", "order_id")


def quote_features(quotes: Stream) -> pa.Table:
    """Mid, spread, microprice, imbalance and order-flow imbalance of each quote, as float64 beside its times.

    With bid b and ask a, sizes B and A: mid = (b + a) / 2; spread = a - b; imbalance = (B - A) / (B + A);
    microprice = (b A + a B) / (A + B), the mid where both sizes are 0 (Gatheral and Oomen, "Zero-intelligence realized
    variance estimation", Finance and Stochastics 14, 2010; in its simplest form); order_flow is what the change since
    the quote before adds to the bid side less what it adds to the ask side, in units of size, 0 in the first row (Cont,
    Kukanov and Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12, 2014, eq. 2).

    Raises `ConfigError` CONF008 for a stream that is none of quotes.
    """
    _refuse_other(quotes, QUOTES)
    price_unit, size_unit = 10.0**quotes.instrument.price_precision, 10.0**quotes.instrument.size_precision
    bid, ask = (_floats(quotes, name, price_unit) for name in ("bid_px", "ask_px"))
    bid_size, ask_size = (_floats(quotes, name, size_unit) for name in ("bid_qty", "ask_qty"))
    both = bid_size + ask_size
    mid = (bid + ask) / 2.0
    shown = both > 0.0
    divisor = np.where(shown, both, 1.0)
    flow = np.zeros_like(mid)
    flow[1:] = (
        bid_size[1:] * (bid[1:] >= bid[:-1])
        - bid_size[:-1] * (bid[1:] <= bid[:-1])
        - ask_size[1:] * (ask[1:] <= ask[:-1])
        + ask_size[:-1] * (ask[1:] >= ask[:-1])
    )
    return _with_times(
        quotes,
        {
            "mid": mid,
            "spread": ask - bid,
            "microprice": np.where(shown, (bid * ask_size + ask * bid_size) / divisor, mid),
            "imbalance": (bid_size - ask_size) / divisor,
            "order_flow": flow,
        },
    )


def rebuilt_quotes(deltas: Stream, *, by_order: bool = False) -> Stream:
    """The best prices and sizes of the book that deltas make, one quote per message after which they are others.

    `by_order` says that the deltas are of single orders (L3). Messages with an empty side give no quote. One compiled
    pass, O(rows). Raises `ConfigError` CONF008 for a stream that is none of deltas, `ValueError` for a price off the
    tick.
    """
    _refuse_other(deltas, BOOK_DELTAS)
    instrument = deltas.instrument
    book = ScoutBook(instrument.tick_raw, by_order=by_order, wide=instrument.is_high_precision)
    action, side, price, qty, order_id = (deltas.raw(name) for name in ACTIONS)
    flags = deltas.raw("flags")
    tops = book.bbo_columns(action, side, price, qty, order_id, flags, 0, deltas.rows)
    bid, ask, bid_size, ask_size = (np.asarray(column) for column in tops)
    ends = np.flatnonzero(np.asarray(flags) & LAST_IN_MESSAGE)
    stacked = np.stack([bid[ends], ask[ends], bid_size[ends], ask_size[ends]])
    changed = np.ones(len(ends), bool)
    changed[1:] = (stacked[:, 1:] != stacked[:, :-1]).any(axis=0)
    kept = changed & (stacked[0] > -book.none_px) & (stacked[1] < book.none_px)
    at, numbers = ends[kept], stacked[:, kept]
    columns: dict[str, Any] = {
        "ts_init_ns": np.asarray(deltas.raw("ts_init_ns"))[at],
        "ts_event_ns": np.asarray(deltas.raw("ts_event_ns"))[at],
        **dict(zip(("bid_px", "ask_px", "bid_qty", "ask_qty"), numbers, strict=True)),
    }
    return Stream(QUOTES, instrument, "", QUOTES.table(instrument, columns), order_known=True)


def book_snapshots(deltas: Stream, *, levels: int, every_ns: int, by_order: bool = False) -> Stream:
    """The first `levels` of both sides as they stand at each multiple of `every_ns`, rows of that time included.

    From the first multiple at or after the first row to the last one at or before the last row. O(rows + snapshots x
    levels). Raises `ConfigError` CONF002 for numbers below 1, and as `rebuilt_quotes` does.
    """
    _refuse_other(deltas, BOOK_DELTAS)
    for name, value in (("levels", levels), ("every_ns", every_ns)):
        if value < 1:
            raise ConfigError("CONF002", name, f"{value} is not positive", "Give at least 1.", str(value))
    instrument, ts_ns = deltas.instrument, deltas.ts_ns
    book = DepthBook(instrument.tick_raw, by_order=by_order, consumes=False, wide=instrument.is_high_precision)
    action, side, price, qty, order_id = (deltas.raw(name) for name in ACTIONS)
    first = -(-int(ts_ns[0]) // every_ns) * every_ns if len(ts_ns) else 0
    times = np.arange(first, int(ts_ns[-1]) + 1, every_ns) if len(ts_ns) else ts_ns
    rows: list[tuple[int, int, int, int, int, int]] = []
    done = 0
    for at_ns, stop in zip(times.tolist(), np.searchsorted(ts_ns, times, side="right").tolist(), strict=True):
        book.apply(action, side, price, qty, order_id, done, stop)
        done = stop
        begins = len(rows)
        for code in (BID, ASK):
            for level, (px, size) in enumerate(book.levels(is_bid=code == BID, count=levels)):
                rows.append((at_ns, code, level, px, size, 0))
        if len(rows) > begins:
            rows[-1] = (*rows[-1][:-1], LAST_IN_MESSAGE)
    names = ("ts_init_ns", "side", "level", "price", "qty", "flags")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)) if rows else [[]] * len(names), strict=True))
    return Stream(BOOK_SNAPSHOTS, instrument, "", BOOK_SNAPSHOTS.table(instrument, columns), order_known=True)


def depth_imbalance(snapshots: Stream, *, levels: int = 5) -> pa.Table:
    """(B - A) / (B + A) of the sizes on the first `levels` of each side, one float64 per snapshot beside its times.

    0 for an empty book. Raises `ConfigError` CONF008 for a stream that is none of snapshots.
    """
    _refuse_other(snapshots, BOOK_SNAPSHOTS)
    side, level, flags = (np.asarray(snapshots.raw(name)) for name in ("side", "level", "flags"))
    size = _floats(snapshots, "qty", 10.0**snapshots.instrument.size_precision) * (level < levels)
    ends = np.flatnonzero(flags & LAST_IN_MESSAGE)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    bids, asks = (np.add.reduceat(size * (side == code), starts) if len(starts) else size[:0] for code in (BID, ASK))
    both = bids + asks
    return _with_times(snapshots, {"imbalance": (bids - asks) / np.where(both > 0.0, both, 1.0)}, ends)


def _refuse_other(stream: Stream, schema: Schema) -> None:
    if stream.schema is not schema:
        what = f"{stream.topic} are {stream.schema.name}, not {schema.name}"
        raise ConfigError("CONF008", None, what, f"Give a stream of {schema.name}.", stream.schema.name)


def _floats(stream: Stream, name: str, unit: float) -> Floats:
    return np.asarray(stream.raw(name), np.float64) / unit


def _with_times(stream: Stream, features: dict[str, Floats], rows: npt.NDArray[np.int64] | None = None) -> pa.Table:
    times = {name: np.asarray(stream.raw(name)) for name in ("ts_init_ns", "ts_event_ns")}
    if rows is not None:
        times = {name: column[rows] for name, column in times.items()}
    return pa.table({**times, **features})
