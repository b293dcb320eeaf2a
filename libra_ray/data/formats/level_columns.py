"""Levels of captured book messages as columns of book data: actions, sides, prices, sizes, ends of messages."""

from typing import Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.capture_messages import Levels
from libra_ray.data.formats.json_scan import Ints

__all__ = ["ADD", "CLEAR", "book_columns", "change_columns", "changes_of", "last_flags"]

ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
LAST: Final = 1


def change_columns(levels: Levels, actions: Ints, flags: Ints) -> dict[str, pa.Array]:
    """As `BOOK_DELTAS` has them."""
    return {
        "action": _codes(actions),
        "side": _codes(levels.side),
        "price": levels.prices,
        "qty": levels.sizes,
        "flags": _codes(flags),
    }


def book_columns(levels: Levels) -> dict[str, pa.Array]:
    """As `BOOK_SNAPSHOTS` has them."""
    return {
        "side": _codes(levels.side),
        "level": arrow_ints(_numbers(levels)),
        "price": levels.prices,
        "qty": levels.sizes,
        "flags": _codes(last_flags(levels.owner)),
    }


def changes_of(levels: Levels) -> Ints:
    """What each level of a message of changes does: one of size 0 is gone."""
    return np.where(levels.size[:, 0] == 0, DELETE, UPDATE)


def last_flags(owner: Ints) -> Ints:
    """The last row of each message is marked."""
    flags = np.zeros(len(owner), np.int64)
    flags[:-1] = owner[1:] != owner[:-1]
    flags[-1:] = LAST
    return flags


def _codes(values: Ints) -> pa.Array:
    return arrow_ints(values.astype(np.int8), pa.int8())


def _numbers(levels: Levels) -> Ints:
    """Levels counted from 0 within each side of each message."""
    count = len(levels.owner)
    begins = np.ones(count, bool)
    begins[1:] = (levels.owner[1:] != levels.owner[:-1]) | (levels.side[1:] != levels.side[:-1])
    starts = np.flatnonzero(begins)
    numbers: Ints = np.arange(count) - np.repeat(starts, np.diff(np.append(starts, count)))
    return numbers
