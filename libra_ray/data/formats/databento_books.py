"""Databento's books: ten levels of each side in a record, and events of single orders."""

from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import Int64s, arrow_ints

__all__ = ["level_columns", "order_columns"]

LEVELS: Final = 10
NO_PRICE: Final = 2**63 - 1
F_LAST: Final = 128
ADD, UPDATE, DELETE, CLEAR = 1, 2, 3, 4
BID, ASK = 1, 2
PRICE: Final = pa.decimal128(38, 9)


def level_columns(records: Any) -> tuple[dict[str, pa.Array], Int64s]:  # noqa: ANN401  # numpy records
    """(columns of whole books, the record of each row): bids before asks, levels without a price give no row."""
    sides = [("bid", BID, level) for level in range(LEVELS)] + [("ask", ASK, level) for level in range(LEVELS)]
    price = np.stack([records[f"{word}_px_{level:02d}"] for word, _, level in sides], axis=1)
    size = np.stack([records[f"{word}_sz_{level:02d}"] for word, _, level in sides], axis=1).astype(np.int64)
    owner, place = np.nonzero(price != NO_PRICE)
    flags = np.zeros(len(owner), np.int8)
    flags[:-1] = owner[1:] != owner[:-1]
    flags[-1:] = 1
    columns = {
        "side": arrow_ints(np.array([side for _, side, _ in sides], np.int8)[place], pa.int8()),
        "level": arrow_ints(np.array([level for _, _, level in sides], np.int64)[place]),
        "price": _prices(price[owner, place]),
        "qty": arrow_ints(size[owner, place]),
        "flags": arrow_ints(flags, pa.int8()),
    }
    return columns, owner.astype(np.int64)


def order_columns(records: Any) -> tuple[dict[str, pa.Array], Int64s]:  # noqa: ANN401  # numpy records
    """(columns of changes of single orders, the record of each row). Trades and fills change no book.

    A cancel says what was taken away: where some of the order stays, its size becomes the rest. A clear is one row of
    each side.
    """
    rows: list[tuple[int, int, int, int, int, int]] = []
    owners: list[int] = []
    sizes: dict[int, int] = {}
    fields = [records[name].tolist() for name in ("action", "side", "price", "size", "order_id", "flags")]
    for at, (action, side, price, size, order, flags) in enumerate(zip(*fields, strict=True)):
        last = int(bool(flags & F_LAST))
        code = BID if side == b"B" else ASK
        if action == b"R":
            sizes.clear()
            rows += [(CLEAR, BID, 0, 0, 0, 0), (CLEAR, ASK, 0, 0, 0, last)]
            owners += [at, at]
            continue
        if action == b"A":
            sizes[order] = size
            rows.append((ADD, code, price, size, order, last))
        elif action == b"M":
            kind = UPDATE if order in sizes else ADD
            sizes[order] = size
            rows.append((kind, code, price, size, order, last))
        elif action == b"C":
            rest = sizes.get(order, size) - size
            if rest > 0:
                sizes[order] = rest
                rows.append((UPDATE, code, price, rest, order, last))
            else:
                sizes.pop(order, None)
                rows.append((DELETE, code, price, 0, order, last))
        else:
            if last and rows:
                rows[-1] = (*rows[-1][:5], 1)
            continue
        owners.append(at)
    made = np.array(rows, np.int64).reshape(-1, 6)
    codes = {name: arrow_ints(made[:, at].astype(np.int8), pa.int8()) for at, name in ((0, "action"), (1, "side"))}
    columns = {
        **codes,
        "price": _prices(made[:, 2]),
        "qty": arrow_ints(made[:, 3]),
        "order_id": arrow_ints(made[:, 4]),
        "flags": arrow_ints(made[:, 5].astype(np.int8), pa.int8()),
    }
    return columns, np.array(owners, np.int64)


def _prices(raw: Any) -> pa.Array:  # noqa: ANN401  # an array of integers
    values = np.ascontiguousarray(raw).astype(np.int64)
    words = np.ascontiguousarray(np.stack([values, np.where(values < 0, -1, 0)], axis=1))
    return pa.Array.from_buffers(PRICE, len(values), [None, pa.py_buffer(words)])
