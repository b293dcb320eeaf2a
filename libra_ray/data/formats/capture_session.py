"""A captured session of one symbol over several files, as integers: what a book is rebuilt and checked from."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_books import chain_of, depths_of, snapshots_of
from libra_ray.data.formats.capture_frame import CaptureFile
from libra_ray.data.formats.capture_messages import Symbol, read_symbols
from libra_ray.data.formats.capture_replay import BookReplay
from libra_ray.data.formats.json_scan import Ints
from libra_ray.data.import_options import MAX_DECOMPRESSED_BYTES, ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["CaptureSession", "Tickers", "read_session"]

DIGITS_MAX = 18


@dataclass(frozen=True, eq=False)
class Tickers:
    """Each `bookTicker` message: the best prices and sizes as of a book update, by rising update."""

    update_id: Ints
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints


@dataclass(frozen=True, eq=False)
class CaptureSession:
    """Book changes that follow a snapshot, and the tickers beside them.

    Attributes:
        action, side, price, size: of each level, as `BOOK_DELTAS` has them; prices and sizes at the session's decimals.
        ends: the last row of each message, snapshots included.
        update_id: of each message.
        is_snapshot: which messages are whole books.
        dropped, gaps, unknown: depth messages that a snapshot has already, that do not follow the one before, that
            belong to no known book.

    """

    action: Ints
    side: Ints
    price: Ints
    size: Ints
    ends: Ints
    update_id: Ints
    is_snapshot: Ints
    tickers: Tickers
    dropped: int
    gaps: int
    unknown: int


def read_session(
    paths: Sequence[str | os.PathLike[str]], *, price_decimals: int, size_decimals: int, symbol: str = ""
) -> CaptureSession:
    """Read the files of one session, in order; `symbol` chooses one of several.

    Raises `DataError` as an import does, DATA018 for a price or size that has more decimals, DATA008 without a book.
    """
    options = ImportOptions(on_sequence_gap="keep", book="replay")
    parts: list[dict[str, Ints]] = []
    tickers: list[list[Ints]] = []
    counts = np.zeros(3, np.int64)
    earlier: Symbol | None = None
    for path in paths:
        file = RawFile.check(path, max_decompressed_bytes=MAX_DECOMPRESSED_BYTES)
        found = [each for each in read_symbols(file) if not symbol or each.name == symbol.upper()]
        if len(found) != 1:
            names = ", ".join(each.name for each in found) or "none of that name"
            raise DataError("DATA008", file.name, f"the capture has {names}", "Name one symbol.", symbol)
        capture = CaptureFile(file.name, found[0], options, earlier)
        chain = chain_of(capture)
        counts += (chain.dropped, int(chain.is_hole.sum()), chain.unknown)
        replay = BookReplay(capture, chain)
        made = replay.whole()
        updates = (depths_of(capture.symbol).last, snapshots_of(capture.symbol).update)
        parts.append(
            {
                "action": made.actions,
                "side": made.levels.side,
                "price": _at(made.levels.price, price_decimals, file.name),
                "size": _at(made.levels.size, size_decimals, file.name),
                "flags": made.flags,
                "update_id": np.concatenate(updates)[made.levels.owner],
                "is_snapshot": (made.levels.owner >= replay.count).astype(np.int64),
            }
        )
        tickers.append(_tickers(capture.symbol, price_decimals, size_decimals, file.name))
        earlier = capture.symbol
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    ends = np.flatnonzero(rows["flags"])
    if not len(ends):
        raise DataError("DATA008", str(paths[0]), "the session has no book", "Begin with the file of the snapshot.")
    dropped, gaps, unknown = counts.tolist()
    return CaptureSession(
        rows["action"],
        rows["side"],
        rows["price"],
        rows["size"],
        ends,
        rows["update_id"][ends],
        rows["is_snapshot"][ends],
        Tickers(*(np.concatenate([each[at] for each in tickers]) for at in range(5))),
        dropped,
        gaps,
        unknown,
    )


def _tickers(symbol: Symbol, price_decimals: int, size_decimals: int, name: str) -> list[Ints]:
    messages = symbol.messages(scan.QUOTE)
    if not messages.count:
        return [np.zeros(0, np.int64)] * 5
    places = ((0, price_decimals), (2, price_decimals), (1, size_decimals), (3, size_decimals))
    numbers = [_at(messages.pairs(place), decimals, name) for place, decimals in places]
    return [messages.column(scan.LAST_ID), *numbers]


def _at(pairs: Ints, decimals: int, name: str) -> Ints:
    """(integer, decimals) of each number as integers at `decimals`."""
    missing = decimals - pairs[:, 1]
    if bool((missing < 0).any()):
        what = f"a number has {int(pairs[:, 1].max())} decimals, more than {decimals}"
        raise DataError("DATA018", name, what, "Give the decimals of the file.")
    raised: Ints = pairs[:, 0] * 10**missing
    return raised
