"""The messages of a capture by symbol and kind, as columns over the whole file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Mask
from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_blocks import Block, capture_blocks
from libra_ray.data.formats.columns_table import decimal_column
from libra_ray.data.formats.json_scan import BAD, Ints
from libra_ray.data.raw_files import RawFile
from libra_ray.data.spooled_arrays import SpooledArrays, Stored
from libra_ray.errors import DataError

__all__ = ["Levels", "Messages", "Part", "Symbol", "read_symbols"]

UNITS: Final = (("s", 10**9, 10**8), ("ms", 10**6, 10**11), ("us", 10**3, 10**14), ("ns", 1, 10**17))
_KEPT: Final = [
    scan.LINE,
    scan.RECEIVED,
    scan.EVENT,
    scan.TRADED,
    scan.FIRST_ID,
    scan.LAST_ID,
    scan.PREVIOUS_ID,
    scan.MAKER,
    scan.MARKET,
    scan.INTERVAL,
    scan.CLOSED,
]


@dataclass(frozen=True, eq=False)
class Levels:
    """Levels of book messages in their order.

    Attributes:
        owner: the row of each one's message.
        side: 1 bid, 2 ask.
        price, size: (integer, decimals) of each.

    """

    owner: Ints
    side: Ints
    price: Ints
    size: Ints

    @property
    def prices(self) -> pa.Array:
        """As decimals."""
        return decimal_column(self.price[:, 0], self.price[:, 1])

    @property
    def sizes(self) -> pa.Array:
        """As decimals."""
        return decimal_column(self.size[:, 0], self.size[:, 1])

    @classmethod
    def of(cls, rows: Ints) -> "Levels":
        """As `capture_scan` has them."""
        price, size = (rows[:, at : at + 2] for at in (scan.PRICE, scan.SIZE))
        return cls(rows[:, scan.OWNER], rows[:, scan.SIDE], price, size)

    def taken(self, rows: Ints) -> "Levels":
        """These rows."""
        return Levels(self.owner[rows], self.side[rows], self.price[rows], self.size[rows])

    def after_clear(self, owner: int) -> "Levels":
        """Behind one empty row of each side."""
        empty = np.zeros((2, 2), np.int64)
        return Levels.joined([Levels(np.full(2, owner), np.array([1, 2]), empty, empty), self])

    @classmethod
    def joined(cls, parts: Sequence["Levels"]) -> "Levels":
        """Behind each other."""
        return cls(
            np.concatenate([part.owner for part in parts]),
            np.concatenate([part.side for part in parts]),
            np.concatenate([part.price for part in parts]),
            np.concatenate([part.size for part in parts]),
        )


class Part(NamedTuple):
    """Messages of one kind and one block of the file.

    Attributes:
        first: the number of the first one among all of its kind.
        rows: the columns of `_KEPT`.
        numbers: prices and sizes as (integer, decimals), two columns each.
        levels: as `capture_scan` has them; their owner is the number of the message among all of its kind.

    """

    first: int
    rows: Ints
    numbers: Ints
    levels: Ints

    @property
    def owners(self) -> Ints:
        """The message of each level."""
        return self.levels[:, scan.OWNER]

    def number(self, place: int, keep: Ints | slice = slice(None)) -> pa.Array:
        """The prices or sizes at a place of the message, as decimals."""
        return decimal_column(self.numbers[keep, 2 * place], self.numbers[keep, 2 * place + 1])


@dataclass(eq=False)
class Messages:
    """Messages of one kind, in the order of the file, block by block."""

    spool: SpooledArrays
    count: int = 0
    level_count: int = 0
    _parts: list[tuple[int, Stored, Stored, Stored]] = field(default_factory=list)

    def add(self, block: Block, chosen: Ints) -> None:
        """Put the messages of these rows of a block at the end."""
        messages = block.messages[chosen]
        rows = messages[:, _KEPT]
        rows[:, _KEPT.index(scan.LINE)] += block.first_line
        levels = block.levels[:0]
        if len(block.levels):
            place = np.full(len(block.messages), BAD, np.int64)
            place[chosen] = np.arange(len(chosen)) + self.count
            owner = place[block.levels[:, scan.OWNER]]
            ours = owner != BAD
            levels = block.levels.copy() if ours.all() else block.levels[ours]
            levels[:, scan.OWNER] = owner[ours]
        put = self.spool.put
        self._parts.append((self.count, put(rows), put(messages[:, scan.NUMBERS :].copy()), put(levels)))
        self.count += len(chosen)
        self.level_count += len(levels)

    def parts(self) -> Iterator[Part]:
        """Block by block."""
        for first, rows, numbers, levels in self._parts:
            yield Part(first, *(self.spool.get(each) for each in (rows, numbers, levels)))

    def column(self, column: int) -> Ints:
        """One of the columns that `capture_scan` names, of all messages."""
        at = _KEPT.index(column)
        return _joined([part.rows[:, at] for part in self.parts()])

    def pairs(self, place: int) -> Ints:
        """The prices or sizes at a place of the message, as (integer, decimals) of each."""
        return np.concatenate([part.numbers[:, 2 * place : 2 * place + 2] for part in self.parts()])

    def is_zero(self, place: int) -> Mask:
        """Where a number is 0."""
        zero: Mask = np.equal(np.concatenate([part.numbers[:, 2 * place] for part in self.parts()]), 0)
        return zero

    def levels_each(self) -> Ints:
        """How many levels each message has."""
        counts = [np.bincount(part.owners - part.first, minlength=len(part.rows)) for part in self.parts()]
        return _joined(counts)

    def all_levels(self) -> Levels:
        """The levels of all messages."""
        parts = [part.levels for part in self.parts()]
        return Levels.of(np.concatenate(parts) if parts else np.zeros((0, scan.LEVEL_COLUMNS), np.int64))


@dataclass(eq=False)
class Symbol:
    """All messages of one symbol, by kind."""

    name: str
    spool: SpooledArrays
    kinds: dict[int, Messages] = field(default_factory=dict)

    def messages(self, kind: int) -> Messages:
        """The messages of one kind, empty where there are none."""
        return self.kinds.setdefault(kind, Messages(self.spool))


def read_symbols(file: RawFile, *, streaming: bool = False) -> list[Symbol]:
    """Read a whole capture, by symbol in the order of their first message; `streaming` keeps it on the disk.

    A bare snapshot that names no symbol belongs to the only one that others name. Raises `DataError` DATA019 where that
    is not one, and what `capture_blocks` raises.
    """
    spool = SpooledArrays(file.name, on_disk=streaming)
    symbols: dict[int, Symbol] = {}
    nameless = Symbol("", spool)
    try:
        _scan(file, spool, symbols, nameless)
        spool.seal()
    finally:
        spool.close()
    found = list(symbols.values())
    snapshots = nameless.kinds.pop(scan.SNAPSHOT, None)
    if snapshots is not None:
        found = found or [Symbol("", spool)]
        _place_nameless(snapshots, found, file.name)
    return found


def _scan(file: RawFile, spool: SpooledArrays, symbols: dict[int, Symbol], nameless: Symbol) -> None:
    """Put all messages where they belong: by the code of their symbol, and those that name none."""
    for block in capture_blocks(file):
        for code, rows in _by_value(block.messages[:, scan.SYMBOL]):
            first = block.messages[rows[0]]
            if code not in symbols and code:
                text = block.data[first[scan.SYMBOL_AT] : first[scan.SYMBOL_END]].tobytes()
                symbols[code] = Symbol(text.decode(errors="replace").upper(), spool)
            symbol = symbols[code] if code else nameless
            for kind, at in _by_value(block.messages[rows, scan.KIND]):
                symbol.messages(kind).add(block, rows[at])


def _place_nameless(snapshots: Messages, symbols: list[Symbol], name: str) -> None:
    """Give whole books that name no symbol to the only one there is."""
    if len(symbols) > 1:
        names = ", ".join(symbol.name for symbol in symbols[:5])
        place = f"{name}:{int(snapshots.column(scan.LINE)[0])}"
        what = f"snapshot of the book names no symbol, and the file has {names}"
        raise DataError("DATA019", place, what, "Give a capture of one symbol.")
    if scan.SNAPSHOT in symbols[0].kinds:
        what = "some snapshots of the book name their symbol and some do not"
        raise DataError("DATA019", name, what, "Give a capture of one form.")
    symbols[0].kinds[scan.SNAPSHOT] = snapshots


def _by_value(values: Ints) -> Iterator[tuple[int, Ints]]:
    """Each value, by its first place, with the rows that have it."""
    found, first = np.unique(values, return_index=True)
    for at in np.argsort(first).tolist():
        yield int(found[at]), np.flatnonzero(values == found[at])


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
