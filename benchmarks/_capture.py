"""Recorded exchange streams as rows in the order in which they were received: book deltas and trades, and the tickers.

A capture is gzip text of `<receive time, ns> <JSON>` lines of Binance's combined streams, with one bare REST snapshot
of the book. Which depth messages follow a snapshot is the exchange's own rule, and a hole in their chain is an error.
Prices and sizes become integers of given decimals, exactly.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from libra_ray.matching.replay import TRADE, RowStream
from libra_ray.strategy.capture_check import book_sha256

__all__ = [
    "CAPTURES",
    "CLOCK_OFFSET_NS",
    "Capture",
    "CaptureFormat",
    "Tickers",
    "book_sha256",
    "capture_path",
    "read_capture",
]

FOLDER: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "hftbacktest"
CLOCK_OFFSET_NS: Final = 1_277_000_000
"""The recorder's clock was behind the exchange's; with this added no message is earlier than its exchange time."""
ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
BUYER, SELLER = 1, 2
LAST: Final = 1

Ints: TypeAlias = npt.NDArray[np.int64]
Level: TypeAlias = tuple[str, str]  # price and size


@dataclass(frozen=True)
class CaptureFormat:
    """What a file says of prices and sizes, and how its depth messages are chained."""

    price_decimals: int
    size_decimals: int
    is_spot: bool = False


CAPTURES: Final = {
    "usdm_btcusdt": CaptureFormat(1, 3),
    "usdm_ethusdt": CaptureFormat(2, 3),
    "cm_btcusd_perp": CaptureFormat(1, 0),
    "spot_btcusdt": CaptureFormat(2, 8, is_spot=True),
    "spot_ethusdt": CaptureFormat(2, 8, is_spot=True),
}


@dataclass(frozen=True)
class Tickers:
    """Each `bookTicker` message: the best prices and sizes as of a book update."""

    update_id: Ints
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints

    def as_of(self, update_id: int) -> tuple[int, int, int, int]:
        """(bid, ask, bid size, ask size) of the last ticker that is not above a book's update."""
        at = int(np.searchsorted(self.update_id, update_id, side="right")) - 1
        return int(self.bid[at]), int(self.ask[at]), int(self.bid_size[at]), int(self.ask_size[at])


@dataclass(frozen=True)
class Capture:
    """One session: `rows` in order of receipt, at receive times by the exchange's clock.

    `update_id` has the book update that a delta row belongs to, 0 for trades. `applied` and `dropped` count depth
    messages, `snapshots` the bare ones.
    """

    rows: RowStream
    update_id: Ints
    tickers: Tickers
    applied: int
    dropped: int
    snapshots: int

    @property
    def is_trade(self) -> npt.NDArray[np.bool_]:
        """Which rows are trades."""
        return np.equal(self.rows.action, TRADE)

    @property
    def deltas(self) -> RowStream:
        """The rows of the book alone, copied."""
        wanted = ~self.is_trade
        return RowStream(*(column[wanted] for column in self.rows.columns))


class _Data(msgspec.Struct):
    """The fields of all kinds of message; each kind has some of them."""

    first_id: int = msgspec.field(name="U", default=0)
    last_id: int = msgspec.field(name="u", default=0)
    previous_id: int = msgspec.field(name="pu", default=0)
    bids: list[Level] | str = msgspec.field(name="b", default="")
    asks: list[Level] | str = msgspec.field(name="a", default="")
    bid_size: str = msgspec.field(name="B", default="")
    ask_size: str = msgspec.field(name="A", default="")
    price: str = msgspec.field(name="p", default="")
    quantity: str = msgspec.field(name="q", default="")
    kind: str = msgspec.field(name="X", default="MARKET")
    is_sell: bool = msgspec.field(name="m", default=False)


class _Line(msgspec.Struct):
    """The envelope of a stream's message, or the bare snapshot."""

    stream: str = ""
    data: _Data | None = None
    last_update_id: int = msgspec.field(name="lastUpdateId", default=0)
    bids: list[Level] = []
    asks: list[Level] = []


@dataclass
class _Columns:
    """Rows as they are read: numbers, and prices and sizes as texts."""

    ts_ns: list[int] = field(default_factory=list)
    action: list[int] = field(default_factory=list)
    side: list[int] = field(default_factory=list)
    price: list[str] = field(default_factory=list)
    qty: list[str] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    update_id: list[int] = field(default_factory=list)

    def add(self, ts_ns: int, action: int, side: int, price: str, qty: str, update_id: int = 0) -> None:
        """Put one row at the end."""
        self.ts_ns.append(ts_ns)
        self.action.append(action)
        self.side.append(side)
        self.price.append(price)
        self.qty.append(qty)
        self.flags.append(0)
        self.update_id.append(update_id)

    def add_levels(self, ts_ns: int, update_id: int, bids: list[Level] | str, asks: list[Level] | str) -> None:
        """Put the levels of one message at the end."""
        for side, levels in ((BID, bids), (ASK, asks)):
            for price, qty in levels if isinstance(levels, list) else ():
                self.add(ts_ns, UPDATE, side, price, qty, update_id)
        if bids or asks:
            self.flags[-1] = LAST


def capture_path(name: str) -> Path:
    """Where the file of that name is, whether or not it is there."""
    return FOLDER / f"{name}.gz"


def read_capture(form: CaptureFormat, paths: Sequence[Path], *, lines_max: int | None = None) -> Capture:
    """Read the files of one session, in order. Raises `ValueError` at a hole in the chain of depth messages.

    Messages that came before the snapshot and follow it in the chain are applied at its time.
    """
    rows, tickers = _Columns(), _Columns()
    early: list[_Data] = []
    book_id = applied = dropped = snapshots = 0
    decode = msgspec.json.Decoder(_Line).decode
    for ts_ns, text in islice(_lines(paths), lines_max):
        line = decode(text)
        data = line.data
        if data is None:
            book_id, snapshots = line.last_update_id, snapshots + 1
            rows.add(ts_ns, CLEAR, BID, "0", "0", book_id)
            rows.add(ts_ns, CLEAR, ASK, "0", "0", book_id)
            rows.add_levels(ts_ns, book_id, line.bids, line.asks)
            waiting, early = early, []
        elif "@depth" in line.stream:
            waiting = [data]
        else:
            waiting = []
            _add_other(rows, tickers, ts_ns, line.stream, data)
        for depth in waiting:
            if not book_id:
                early.append(depth)
            elif depth.last_id < book_id + form.is_spot and not applied:
                dropped += 1
            else:
                if not _follows(depth, book_id, form, is_first=not applied):
                    raise ValueError(f"depth message {depth.first_id}-{depth.last_id} does not follow {book_id}")
                rows.add_levels(ts_ns, depth.last_id, depth.bids, depth.asks)
                book_id, applied = depth.last_id, applied + 1
    stream = RowStream(
        ts_ns=np.array(rows.ts_ns, np.int64),
        action=np.array(rows.action, np.int64),
        side=np.array(rows.side, np.int64),
        price=_raw(rows.price, form.price_decimals),
        qty=_raw(rows.qty, form.size_decimals),
        flags=np.array(rows.flags, np.int64),
    )
    return Capture(stream, np.array(rows.update_id, np.int64), _tickers(tickers, form), applied, dropped, snapshots)


def _lines(paths: Sequence[Path]) -> Iterator[tuple[int, bytes]]:
    for path in paths:
        with gzip.open(path) as file:
            for line in file:
                ts_ns, _, text = line.partition(b" ")
                yield int(ts_ns) + CLOCK_OFFSET_NS, text


def _follows(depth: _Data, book_id: int, form: CaptureFormat, *, is_first: bool) -> bool:
    """Whether a depth message is the next of the chain; the first one holds the snapshot's update instead."""
    if is_first:
        return depth.first_id <= book_id + form.is_spot <= depth.last_id
    return depth.first_id == book_id + 1 if form.is_spot else depth.previous_id == book_id


def _add_other(rows: _Columns, tickers: _Columns, ts_ns: int, stream: str, data: _Data) -> None:
    """A trade, if it is one of the market and not empty; or a ticker, as a bid and an ask."""
    if stream.endswith("@trade"):
        if data.kind == "MARKET":
            rows.add(ts_ns, TRADE, SELLER if data.is_sell else BUYER, data.price, data.quantity)
    elif stream.endswith("@bookTicker"):
        tickers.add(ts_ns, 0, BID, str(data.bids), data.bid_size, data.last_id)
        tickers.add(ts_ns, 0, ASK, str(data.asks), data.ask_size, data.last_id)


def _tickers(columns: _Columns, form: CaptureFormat) -> Tickers:
    px, size = _raw(columns.price, form.price_decimals), _raw(columns.qty, form.size_decimals)
    return Tickers(np.array(columns.update_id[::2], np.int64), px[::2], px[1::2], size[::2], size[1::2])


def _raw(texts: list[str], decimals: int) -> Ints:
    """Decimal texts as integers. Raises `pyarrow.ArrowInvalid` where that would lose a digit."""
    column = pa.array(texts, pa.string()).cast(pa.decimal64(18, decimals))
    return np.frombuffer(column.buffers()[1], np.int64, len(texts)).copy()
