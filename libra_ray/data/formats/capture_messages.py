"""The messages of a capture by symbol and kind, as columns over the whole file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Mask
from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_blocks import Block, capture_blocks
from libra_ray.data.formats.columns_table import decimal_column
from libra_ray.data.formats.json_scan import BAD, Ints
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["Levels", "Messages", "Symbol", "read_symbols"]

UNITS: Final = (("s", 10**9, 10**8), ("ms", 10**6, 10**11), ("us", 10**3, 10**14), ("ns", 1, 10**17))
_KEPT: Final = (
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
)


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


@dataclass(eq=False)
class Messages:
    """Messages of one kind, in the order of the file. `rows` has what `capture_scan` names, by its column."""

    rows: dict[int, list[Ints]] = field(default_factory=lambda: {column: [] for column in _KEPT})
    numbers: list[Ints] = field(default_factory=list)
    levels: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, block: Block, chosen: Ints) -> None:
        """Put the messages of these rows of a block at the end."""
        messages = block.messages[chosen]
        for column in _KEPT:
            values = messages[:, column]
            self.rows[column].append(values + block.first_line if column == scan.LINE else values.copy())
        self.numbers.append(messages[:, scan.NUMBERS :].copy())
        if len(block.levels):
            place = np.full(len(block.messages), BAD, np.int64)
            place[chosen] = np.arange(len(chosen)) + self.count
            owner = place[block.levels[:, scan.OWNER]]
            ours = owner != BAD
            levels = block.levels.copy() if ours.all() else block.levels[ours]
            levels[:, scan.OWNER] = owner[ours]
            self.levels.append(levels)
        self.count += len(chosen)

    def column(self, column: int) -> Ints:
        """One of the columns that `capture_scan` names."""
        return _joined(self.rows[column])

    def number(self, place: int, keep: Ints | slice = slice(None)) -> pa.Array:
        """The prices or sizes at a place of the message, as decimals."""
        pairs = self.pairs(place)[keep]
        return decimal_column(pairs[:, 0], pairs[:, 1])

    def pairs(self, place: int) -> Ints:
        """The same as (integer, decimals) of each."""
        return np.concatenate([part[:, 2 * place : 2 * place + 2] for part in self.numbers])

    def is_zero(self, place: int) -> Mask:
        """Where a number is 0."""
        zero: Mask = np.equal(np.concatenate([part[:, 2 * place] for part in self.numbers]), 0)
        return zero

    def all_levels(self) -> Levels:
        """The levels of all messages."""
        rows = np.concatenate(self.levels) if self.levels else np.zeros((0, scan.LEVEL_COLUMNS), np.int64)
        return Levels(
            owner=rows[:, scan.OWNER],
            side=rows[:, scan.SIDE],
            price=rows[:, scan.PRICE : scan.PRICE + 2],
            size=rows[:, scan.SIZE : scan.SIZE + 2],
        )


@dataclass(eq=False)
class Symbol:
    """All messages of one symbol, by kind."""

    name: str
    kinds: dict[int, Messages] = field(default_factory=dict)

    def messages(self, kind: int) -> Messages:
        """The messages of one kind, empty where there are none."""
        return self.kinds.setdefault(kind, Messages())


def read_symbols(file: RawFile) -> list[Symbol]:
    """Read a whole capture, by symbol in the order of their first message.

    A bare snapshot that names no symbol belongs to the only one that others name. Raises `DataError` DATA019 where that
    is not one, and what `capture_blocks` raises.
    """
    symbols: dict[int, Symbol] = {}
    nameless = Symbol("")
    for block in capture_blocks(file):
        for code, rows in _by_value(block.messages[:, scan.SYMBOL]):
            first = block.messages[rows[0]]
            if code not in symbols and code:
                text = block.data[first[scan.SYMBOL_AT] : first[scan.SYMBOL_END]].tobytes()
                symbols[code] = Symbol(text.decode(errors="replace").upper())
            symbol = symbols[code] if code else nameless
            for kind, at in _by_value(block.messages[rows, scan.KIND]):
                symbol.messages(kind).add(block, rows[at])
    snapshots = nameless.kinds.pop(scan.SNAPSHOT, None)
    if snapshots is not None:
        named = list(symbols.values())
        if len(named) > 1:
            names = ", ".join(symbol.name for symbol in named[:5])
            place = f"{file.name}:{int(snapshots.column(scan.LINE)[0])}"
            what = f"snapshot of the book names no symbol, and the file has {names}"
            raise DataError("DATA019", place, what, "Give a capture of one symbol.")
        target = named[0] if named else symbols.setdefault(0, Symbol(""))
        if scan.SNAPSHOT in target.kinds:
            what = "some snapshots of the book name their symbol and some do not"
            raise DataError("DATA019", file.name, what, "Give a capture of one form.")
        target.kinds[scan.SNAPSHOT] = snapshots
    return list(symbols.values())


def _by_value(values: Ints) -> Iterator[tuple[int, Ints]]:
    """Each value, by its first place, with the rows that have it."""
    found, first = np.unique(values, return_index=True)
    for at in np.argsort(first).tolist():
        yield int(found[at]), np.flatnonzero(values == found[at])


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
