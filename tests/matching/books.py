"""What the tests of books with depth share: the codes of rows, and short ways to a book and its content."""

import numpy as np
import numpy.typing as npt

from libra_ray.matching.depth_book import DepthBook, ScoutBook

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
TICK = 5

Row = tuple[int, int, int, int, int]  # action, side, price, quantity, order id
Column = npt.NDArray[np.int64]
Columns = tuple[Column, Column, Column, Column, Column]


def columns(rows: list[Row]) -> Columns:
    """Rows as the columns of a batch."""
    action, side, px, qty, order_id = np.array(rows, np.int64).reshape(-1, 5).T.copy()
    return action, side, px, qty, order_id


def by_price(*, consumes: bool = True, wide: bool = False, tick: int = 1) -> DepthBook:
    return DepthBook(tick, by_order=False, consumes=consumes, wide=wide)


def by_order(*, consumes: bool = True, wide: bool = False, tick: int = 1) -> DepthBook:
    return DepthBook(tick, by_order=True, consumes=consumes, wide=wide)


def feed(book: DepthBook | ScoutBook, *rows: Row) -> None:
    """Apply rows as one message."""
    book.apply(*columns(list(rows)), 0, len(rows))


def shown(book: DepthBook, count: int = 1_000) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return book.levels(is_bid=True, count=count), book.levels(is_bid=False, count=count)
