"""Captured streams of Hyperliquid: `l2Book` messages are whole books of 20 levels a side, `bbo` messages quotes.

A line is a message, with or without a receive time before it; in Hyperliquid's own archive it is `time`, when a message
was received in UTC, `ver_num` and `raw`, the message.

Messages of other channels are counted. The first `trades` message after a subscription repeats trades from before it:
they are rows as the others, at the time they were received.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.columns_table import ColumnsTable, time_column
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.times import NS_PER_SECOND
from libra_ray.errors import DataError, quoted

__all__ = ["FORMAT"]

_FIRST_LINE: Final = re.compile(
    rb'(?:\d{10,19}[ ,\t]+|\{\s*"time"\s*:\s*"[^"]{19,30}"\s*,\s*"ver_num"\s*:\s*\d+\s*,\s*"raw"\s*:\s*)?'
    rb'\{\s*"channel"\s*:\s*"(?:l2Book|trades|subscriptionResponse|bbo|activeAssetCtx)"'
)
_LINE: Final = re.compile(rb"(\d{19})?[ ,\t]*(\{.*)", re.DOTALL)
_ARCHIVED: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z?")
_SIDES: Final = {"A": 2, "B": 1}
_SILENT: Final = ("subscriptionResponse", "pong")
"""Channels that carry no data."""
_LEVEL_SIDES: Final = ((1, 0), (2, 1))
ARCHIVED_START: Final = b'{"time"'
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = 1
MS: Final = 10**6
TIME_NS_MAX: Final = 2**63 - 1


class _Level(msgspec.Struct):
    px: str
    sz: str


class _Trade(msgspec.Struct):
    coin: str
    side: str
    px: str
    sz: str
    time: Annotated[int, msgspec.Meta(ge=0, le=9 * 10**12)]


class _Book(msgspec.Struct):
    coin: str
    time: Annotated[int, msgspec.Meta(ge=0, le=9 * 10**12)]
    levels: tuple[list[_Level], list[_Level]]


class _Bbo(msgspec.Struct):
    coin: str
    time: Annotated[int, msgspec.Meta(ge=0, le=9 * 10**12)]
    bbo: tuple[_Level | None, _Level | None]


class _Message(msgspec.Struct):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Archived(msgspec.Struct):
    time: str
    raw: msgspec.Raw


class _Rows:
    """Rows of one type and coin as they are read."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.received: list[int] = []
        self.times: list[int] = []
        self.codes: list[int] = []
        self.levels: list[int] = []
        self.flags: list[int] = []
        self.prices: list[str | None] = []
        self.sizes: list[str | None] = []

    def add(
        self, origin: tuple[int, int], time: int, code: int, px: str | None, sz: str | None, level: int = 0
    ) -> None:
        """Put a row at the end."""
        self.lines.append(origin[0])
        self.received.append(origin[1])
        self.times.append(time * MS)
        self.codes.append(code)
        self.levels.append(level)
        self.flags.append(0)
        self.prices.append(px)
        self.sizes.append(sz)


@dataclass(eq=False)
class _Capture:
    """What is read of a file, by coin."""

    name: str
    offset_ns: int
    trades: dict[str, _Rows] = field(default_factory=lambda: defaultdict(_Rows))
    books: dict[str, _Rows] = field(default_factory=lambda: defaultdict(_Rows))
    quotes: dict[str, _Rows] = field(default_factory=lambda: defaultdict(_Rows))
    others: int = 0
    has_times: bool | None = None

    def read(self, number: int, line: bytes) -> None:
        """Put the rows of one line where they belong. Raises `DataError` DATA011 for a line that is no message."""
        match = _LINE.fullmatch(line)
        try:
            if match is None:
                raise msgspec.DecodeError("no receive time and JSON")
            text, received = match.group(2), None if match.group(1) is None else int(match.group(1))
            if received is None and text.startswith(ARCHIVED_START):
                archived = msgspec.json.decode(text, type=_Archived)
                text, received = bytes(archived.raw), _archived_ns(archived.time)
            message = msgspec.json.decode(text, type=_Message)
            self._put(number, message, self._received(received))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            text = line.decode(errors="replace").rstrip()
            what = f"{quoted(text)} is no message ({error})"
            raise DataError("DATA011", f"{self.name}:{number}", what, "Correct or remove the line.", text) from error

    def _received(self, ts_ns: int | None) -> int | None:
        """When a line was received; all lines have that, or none."""
        if self.has_times is None:
            self.has_times = ts_ns is not None
        if self.has_times != (ts_ns is not None):
            raise msgspec.ValidationError("some lines have a receive time and some do not")
        if ts_ns is None:
            return None
        received = ts_ns + self.offset_ns
        if not 0 <= received <= TIME_NS_MAX:
            raise msgspec.ValidationError("the receive time is out of range")
        return received

    def _put(self, number: int, message: _Message, received: int | None) -> None:
        def origin(time: int) -> tuple[int, int]:
            return number, time * MS if received is None else received

        if message.channel == "trades":
            for trade in msgspec.json.decode(message.data, type=list[_Trade]):
                code = _SIDES.get(trade.side, 0)
                self.trades[trade.coin].add(origin(trade.time), trade.time, code, trade.px, trade.sz)
        elif message.channel == "l2Book":
            book = msgspec.json.decode(message.data, type=_Book)
            for side, at in _LEVEL_SIDES:
                for level, each in enumerate(book.levels[at]):
                    self.books[book.coin].add(origin(book.time), book.time, side, each.px, each.sz, level)
            if book.levels[0] or book.levels[1]:
                self.books[book.coin].flags[-1] = LAST
        elif message.channel == "bbo":
            best = msgspec.json.decode(message.data, type=_Bbo)
            for side, at in _LEVEL_SIDES:
                shown = best.bbo[at]
                price, size = (None, None) if shown is None else (shown.px, shown.sz)
                self.quotes[best.coin].add(origin(best.time), best.time, side, price, size)
        elif message.channel not in _SILENT:
            self.others += 1

    def frames(self) -> list[Frame]:
        """Those of each coin."""
        kinds = {"trades": self.trades, "book_snapshots": self.books, "quotes": self.quotes}
        return [
            _frame(self.name, kind, coin, rows, self.others)
            for kind, coins in kinds.items()
            for coin, rows in coins.items()
        ]


class HyperliquidCapture:
    """The format of captured Hyperliquid streams."""

    name = "hyperliquid-capture"

    def matches(self, head: Head) -> bool:
        """Whether the first line is a message of one of its channels."""
        return _FIRST_LINE.match(head.first_line) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """Trades, books and quotes of each coin.

        Raises `DataError` DATA008 for none, DATA011 for a line that is no message.
        """
        capture = _Capture(file.name, options.clock_offset_ns)
        with file.stream() as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    capture.read(number, line)
        made = capture.frames()
        if not made:
            raise DataError("DATA008", file.name, "the capture has no trades, books or quotes", "Check the file.")
        return made


def _archived_ns(text: str) -> int:
    """The time of a line of the archive. Raises `ValidationError` for a text that is none."""
    match = _ARCHIVED.fullmatch(text)
    if match is None:
        raise msgspec.ValidationError(f"time {quoted(text)} is no time")
    try:
        seconds = (datetime.fromisoformat(f"{match[1]}+00:00") - EPOCH) // timedelta(seconds=1)
    except ValueError as error:
        raise msgspec.ValidationError(f"time {quoted(text)} is no time") from error
    return seconds * NS_PER_SECOND + int((match[2] or "").ljust(9, "0"))


def _frame(name: str, kind: str, coin: str, rows: _Rows, others: int) -> Frame:
    step = len(_LEVEL_SIDES) if kind == "quotes" else 1  # both sides of a quote stand behind each other
    codes = arrow_ints(np.array(rows.codes, np.int8), pa.int8())
    times, received = (np.array(each[::step], np.int64) for each in (rows.times, rows.received))
    columns: dict[str, pa.Array] = {"ts": time_column(times), "ts_init": time_column(received)}
    if kind == "quotes":
        for at, side in enumerate(("bid", "ask")):
            columns[f"{side}_px"] = pa.array(rows.prices[at::step], pa.string())
            columns[f"{side}_qty"] = pa.array(rows.sizes[at::step], pa.string())
    else:
        columns |= {"price": pa.array(rows.prices, pa.string()), "qty": pa.array(rows.sizes, pa.string())}
    if kind == "trades":
        columns["aggressor"] = codes
    elif kind == "book_snapshots":
        columns |= {
            "side": codes,
            "level": arrow_ints(np.array(rows.levels, np.int64)),
            "flags": arrow_ints(np.array(rows.flags, np.int8), pa.int8()),
        }
    counts = {"negative_latency_rows": int(np.count_nonzero(received < times)), "messages_of_other_channels": others}
    hint = InstrumentHint(
        symbol=f"{coin.upper()}USD", venue="HYPERLIQUID", kind="perpetual", base=coin.upper(), quote="USD",
        raw_symbol=coin,
    )  # fmt: skip
    return Frame(
        kind=kind,
        table=ColumnsTable(name, columns, np.array(rows.lines[::step], np.int64)),
        columns={each: each for each in columns},
        hint=hint,
        counts={each: count for each, count in counts.items() if count},
    )


FORMAT: Final = HyperliquidCapture()
