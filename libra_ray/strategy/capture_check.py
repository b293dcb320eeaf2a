"""Whether the book that captured changes make is the one that the venue's own tickers show."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from libra_ray.data.formats.capture_session import CaptureSession
from libra_ray.matching.depth_book import DepthBook, ScoutBook

__all__ = ["BookCheck", "book_sha256", "checked_book"]


@dataclass(frozen=True)
class BookCheck:
    """What a rebuild found.

    Attributes:
        applied, dropped, gaps, unknown: depth messages, as `CaptureSession` has them.
        compared, different: messages after which the best bid and ask, price and size, were compared with the last
            ticker that is not above the book's update, and were others.
        different_updates: the updates of the first hundred of these.
        crossed: messages after which the best bid is not below the best ask.
        bids, asks: (price, size) of all levels at the end, best first.

    """

    applied: int
    dropped: int
    gaps: int
    unknown: int
    compared: int
    different: int
    different_updates: tuple[int, ...]
    crossed: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]

    @property
    def sha256(self) -> str:
        """The hash of the book at the end."""
        return book_sha256(self.bids, self.asks)


SHOWN = 100


def checked_book(session: CaptureSession) -> BookCheck:
    """Rebuild the book of a session and compare it with its tickers. One compiled pass, O(rows)."""
    count = len(session.action)
    columns = (session.action, session.side, session.price, session.size, np.zeros(count, np.int64))
    flags = np.zeros(count, np.int64)
    flags[session.ends] = 1
    scout = ScoutBook(1, by_order=False, wide=False)
    top = np.stack([np.asarray(each) for each in scout.bbo_columns(*columns, flags, 0, count)])[:, session.ends]
    changes = np.flatnonzero(session.is_snapshot == 0)
    updates, top = session.update_id[changes], top[:, changes]
    tickers = session.tickers
    at = np.searchsorted(tickers.update_id, updates, side="right") - 1
    there = at >= 0
    shown = np.stack([tickers.bid, tickers.ask, tickers.bid_size, tickers.ask_size])
    others = np.flatnonzero((top[:, there] != shown[:, at[there]]).any(axis=0))
    book = DepthBook(1, by_order=False, consumes=True, wide=False)
    book.apply(*columns, 0, count)
    bids, asks = (tuple(book.levels(is_bid=is_bid, count=count)) for is_bid in (True, False))
    return BookCheck(
        applied=len(changes),
        dropped=session.dropped,
        gaps=session.gaps,
        unknown=session.unknown,
        compared=int(there.sum()),
        different=len(others),
        different_updates=tuple(updates[there][others[:SHOWN]].tolist()),
        crossed=int((top[0] >= top[1]).sum()),
        bids=bids,
        asks=asks,
    )


def book_sha256(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> str:
    """SHA-256 over the lines `b,<price>,<size>` of the bids, best first, then `a,<price>,<size>` of the asks."""
    lines = [f"{side},{px},{size}\n" for side, levels in (("b", bids), ("a", asks)) for px, size in levels]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
