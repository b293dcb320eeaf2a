"""Rows of integers to msgpack, by a template for each kind of row: the bytes that `msgspec` makes of the events."""

from typing import Final

from libra_ray.matching.core.forms import outer
from libra_ray.matching.core.layout import KIND, MADE, ORDER, Columns
from libra_ray.simulation.compiled.copying import Bytes, copy_bytes

__all__ = [
    "LITERAL",
    "NUMBER",
    "NUMBERED",
    "NUMBERED_ORDER",
    "NUMBER_OF_ORDER",
    "PICK",
    "PICK_OF_ORDER",
    "TEXT_OF_ORDER",
    "encode_rows",
]  # fmt: skip

(
    LITERAL, NUMBER, NUMBER_OF_ORDER, NUMBERED, NUMBERED_ORDER, PICK, PICK_OF_ORDER, TEXT_OF_ORDER,
) = range(8)  # fmt: skip
"""Operations of a template: (operation, text, column).

A text as it is; the number in a column of the row, or of its order; a string of a text and that number (of the row, or
of its order: column -1 is the order's own number from 1); the text that comes as many after it as the number says (of
the row, or of its order); the order's own text.
"""
ROOM_FOR_ONE: Final = 2_048


@outer
def _put_uint(out: Bytes, at: int, value: int, size: int) -> int:
    for place in range(size):
        out[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
    return at + size


@outer
def _put_int(out: Bytes, at: int, value: int) -> int:
    """The shortest form."""
    if value >= 0:
        if value < 128:  # noqa: PLR2004 - as msgpack has it
            out[at] = value
            return at + 1
        if value < 256:  # noqa: PLR2004 - as msgpack has it
            out[at] = 0xCC
            return _put_uint(out, at + 1, value, 1)
        if value < 65_536:  # noqa: PLR2004 - as msgpack has it
            out[at] = 0xCD
            return _put_uint(out, at + 1, value, 2)
        if value < 4_294_967_296:  # noqa: PLR2004 - as msgpack has it
            out[at] = 0xCE
            return _put_uint(out, at + 1, value, 4)
        out[at] = 0xCF
        return _put_uint(out, at + 1, value, 8)
    if value >= -32:  # noqa: PLR2004 - as msgpack has it
        out[at] = value & 0xFF
        return at + 1
    if value >= -128:  # noqa: PLR2004 - as msgpack has it
        out[at] = 0xD0
        return _put_uint(out, at + 1, value, 1)
    if value >= -32_768:  # noqa: PLR2004 - as msgpack has it
        out[at] = 0xD1
        return _put_uint(out, at + 1, value, 2)
    if value >= -2_147_483_648:  # noqa: PLR2004 - as msgpack has it
        out[at] = 0xD2
        return _put_uint(out, at + 1, value, 4)
    out[at] = 0xD3
    return _put_uint(out, at + 1, value, 8)


@outer
def _put_numbered(out: Bytes, at: int, texts: Bytes, start: int, stop: int, number: int) -> int:
    """A string of a text and a decimal number."""
    digits, rest = 1, number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    length = stop - start + digits
    if length < 32:  # noqa: PLR2004 - as msgpack has it
        out[at] = 0xA0 | length
        at += 1
    else:
        out[at] = 0xD9
        out[at + 1] = length
        at += 2
    copy_bytes(out, at, texts, start, stop - start)
    at += stop - start
    for place in range(digits):
        out[at + digits - 1 - place] = 48 + number % 10
        number //= 10
    return at + digits


@outer
def encode_rows(
    rows: Columns,
    orders: Columns,
    start: int,
    out: Bytes,
    kinds: Columns,
    steps: Columns,
    texts: Bytes,
    ends: Columns,
    of_order: Columns,
    making: Columns,
) -> tuple[int, int]:
    """Encode rows from `start` on until `out` is nearly full: the next row, and how many bytes.

    `kinds`: where in `steps` the template of each kind begins, which is a row's first column; text t is
    `texts[ends[t] : ends[t + 1]]`; `of_order`: the text of each order that has one of its own; `making`: the kind of
    each order's first row, which says how it was made.
    """
    at, row_at = 0, start
    while row_at < len(rows) and at + ROOM_FOR_ONE <= len(out):
        row = rows[row_at]
        order = row[ORDER]
        kind = making[order] if row[KIND] == MADE else row[KIND]
        for step in range(kinds[kind], kinds[kind + 1]):
            operation, text, column = steps[step, 0], steps[step, 1], steps[step, 2]
            if operation == NUMBER:
                at = _put_int(out, at, row[column])
            elif operation == NUMBER_OF_ORDER:
                at = _put_int(out, at, orders[order, column])
            elif operation == NUMBERED:
                at = _put_numbered(out, at, texts, ends[text], ends[text + 1], row[column])
            elif operation == NUMBERED_ORDER:
                number = order + 1 if column < 0 else orders[order, column]
                at = _put_numbered(out, at, texts, ends[text], ends[text + 1], number)
            else:
                if operation == PICK:
                    text += row[column]
                elif operation == PICK_OF_ORDER:
                    text += orders[order, column]
                elif operation == TEXT_OF_ORDER:
                    text = of_order[order]
                size = ends[text + 1] - ends[text]
                copy_bytes(out, at, texts, ends[text], size)
                at += size
        row_at += 1
    return row_at, at
