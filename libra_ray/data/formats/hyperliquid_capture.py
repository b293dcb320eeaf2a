"""Captured streams of Hyperliquid: `l2Book` messages are whole books of 20 levels a side, `trades` messages trades.

The first `trades` message after a subscription repeats trades from before it: they are rows as the others, at the time
they were received.
"""

import re
from typing import Annotated, Final

import msgspec
import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.columns_table import ColumnsTable, time_column
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError, quoted

__all__ = ["FORMAT"]

_FIRST_LINE: Final = re.compile(
    rb'(?:\d{10,19}[ ,\t]+)?\{\s*"channel"\s*:\s*"(?:l2Book|trades|subscriptionResponse|bbo|activeAssetCtx)"'
)
_LINE: Final = re.compile(rb"(\d{19})?[ ,\t]*(\{.*)", re.DOTALL)
_SIDES: Final = {"A": 2, "B": 1}
_LEVEL_SIDES: Final = ((1, 0), (2, 1))
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


class _Message(msgspec.Struct):
    channel: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Rows:
    """Rows of one type and coin as they are read."""

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.received: list[int] = []
        self.times: list[int] = []
        self.codes: list[int] = []
        self.levels: list[int] = []
        self.flags: list[int] = []
        self.prices: list[str] = []
        self.sizes: list[str] = []

    def add(self, origin: tuple[int, int], time: int, code: int, px: str, sz: str, level: int = 0) -> None:
        """Put a row at the end."""
        self.lines.append(origin[0])
        self.received.append(origin[1])
        self.times.append(time * MS)
        self.codes.append(code)
        self.levels.append(level)
        self.flags.append(0)
        self.prices.append(px)
        self.sizes.append(sz)


class HyperliquidCapture:
    """The format of captured Hyperliquid streams."""

    name = "hyperliquid-capture"

    def matches(self, head: Head) -> bool:
        """Whether the first line is a message of one of its channels."""
        return _FIRST_LINE.match(head.first_line) is not None

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:
        """Trades and books of each coin. Raises `DataError` DATA008 for none, DATA011 for a line that is no message."""
        trades: dict[str, _Rows] = {}
        books: dict[str, _Rows] = {}
        with file.stream() as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    _read(file.name, number, line, options.clock_offset_ns, trades, books)
        made = [_frame(file.name, "trades", coin, rows) for coin, rows in trades.items()]
        made += [_frame(file.name, "book_snapshots", coin, rows) for coin, rows in books.items()]
        if not made:
            raise DataError("DATA008", file.name, "the capture has no trades and no books", "Check the file.")
        return made


def _read(
    name: str, number: int, line: bytes, offset_ns: int, trades: dict[str, _Rows], books: dict[str, _Rows]
) -> None:
    """Put the rows of one line where they belong."""
    match = _LINE.fullmatch(line)
    try:
        if match is None:
            raise msgspec.DecodeError("no receive time and JSON")
        message = msgspec.json.decode(match.group(2), type=_Message)
        received = 0 if match.group(1) is None else int(match.group(1)) + offset_ns
        if not 0 <= received <= TIME_NS_MAX:
            raise msgspec.ValidationError("the receive time is out of range")
        if message.channel == "trades":
            for trade in msgspec.json.decode(message.data, type=list[_Trade]):
                code = _SIDES.get(trade.side, 0)
                rows = trades.setdefault(trade.coin, _Rows())
                rows.add((number, received or trade.time * MS), trade.time, code, trade.px, trade.sz)
        elif message.channel == "l2Book":
            book = msgspec.json.decode(message.data, type=_Book)
            rows = books.setdefault(book.coin, _Rows())
            for side, at in _LEVEL_SIDES:
                for level, each in enumerate(book.levels[at]):
                    rows.add((number, received or book.time * MS), book.time, side, each.px, each.sz, level)
            if book.levels[0] or book.levels[1]:
                rows.flags[-1] = LAST
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        text = line.decode(errors="replace").rstrip()
        what = f"{quoted(text)} is no message ({error})"
        raise DataError("DATA011", f"{name}:{number}", what, "Correct or remove the line.", text) from error


def _frame(name: str, kind: str, coin: str, rows: _Rows) -> Frame:
    codes = arrow_ints(np.array(rows.codes, np.int8), pa.int8())
    columns: dict[str, pa.Array] = {
        "ts": time_column(np.array(rows.times, np.int64)),
        "ts_init": time_column(np.array(rows.received, np.int64)),
        "price": pa.array(rows.prices, pa.string()),
        "qty": pa.array(rows.sizes, pa.string()),
    }
    if kind == "trades":
        columns["aggressor"] = codes
    else:
        columns |= {
            "side": codes,
            "level": arrow_ints(np.array(rows.levels, np.int64)),
            "flags": arrow_ints(np.array(rows.flags, np.int8), pa.int8()),
        }
    early = int(np.count_nonzero(np.array(rows.received) < np.array(rows.times)))
    hint = InstrumentHint(
        symbol=f"{coin.upper()}USD", venue="HYPERLIQUID", kind="perpetual", base=coin.upper(), quote="USD",
        raw_symbol=coin,
    )  # fmt: skip
    return Frame(
        kind=kind,
        table=ColumnsTable(name, columns, np.array(rows.lines, np.int64)),
        columns={each: each for each in columns},
        hint=hint,
        counts={"negative_latency_rows": early} if early else {},
    )


FORMAT: Final = HyperliquidCapture()
