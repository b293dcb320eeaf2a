"""Compiled reading of JSON text: where the values of an object lie, and numbers as integers with their decimals.

It reads what exchanges send: flat objects with texts, numbers and lists. Where a text is no such object, its answer is
`BAD` and nothing was written past the last whole value.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from libra_ray.data.formats.compiling import compiled

__all__ = [
    "BAD",
    "NAMES",
    "Bytes",
    "Ints",
    "key_code",
    "place_of",
    "read_integer",
    "read_number",
    "read_object",
    "skip_space",
    "skip_value",
    "text_code",
    "text_of",
]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]

BAD: Final = -1
CODE_BYTES: Final = 7
LETTERS: Final = "AaBbcEehiklmopqrsTtUuvXx"
"""The names of one letter that are read, in the order of their places in a table of spans."""
WORDS: Final = ("stream", "data", "lastUpdateId", "bids", "asks", "pu", "symbol")
"""The longer names; their places follow."""
NAMES: Final = len(LETTERS) + len(WORDS)
_QUOTE, _BACKSLASH, _COMMA, _COLON, _DOT, _MINUS, _ZERO, _NINE = 34, 92, 44, 58, 46, 45, 48, 57
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST, _SPACE = 123, 125, 91, 93, 32
MANTISSA_MAX: Final = 10**17
DECIMALS_MAX: Final = 18
INTEGER_MAX: Final = (2**63 - 1) // 10 - 1


def text_code(text: str) -> int:
    """A text as one integer, as `text_of` makes it: its length and first 7 letters."""
    data = text.encode()
    return len(data) << 56 | int.from_bytes(data[:CODE_BYTES], "little")


def place_of(name: str) -> int:
    """Where a table of spans has the value of that name."""
    return LETTERS.index(name) if len(name) == 1 else len(LETTERS) + WORDS.index(name)


_PLACES = np.full(256, BAD, np.int64)
for _letter in LETTERS:
    _PLACES[ord(_letter)] = place_of(_letter)
_CODES = np.array([text_code(word) for word in WORDS], np.int64)
_DATA = place_of("data")


@compiled
def text_of(data: Bytes, start: int, end: int) -> int:
    """The code of a text: its length, at most 127, and its first 7 letters."""
    code = min(end - start, 127) << 56
    for at in range(min(end - start, CODE_BYTES)):
        code |= int(data[start + at]) << (8 * at)
    return code


@compiled
def key_code(data: Bytes, start: int, end: int) -> int:
    """The place of a name in a table of spans; `BAD` for one that is not read."""
    if end - start == 1:
        return int(_PLACES[data[start]])
    code = text_of(data, start, end)
    for number in range(len(_CODES)):
        if _CODES[number] == code:
            return len(LETTERS) + number
    return BAD


@compiled
def skip_space(data: Bytes, at: int, end: int) -> int:
    """The next place that is no white space."""
    while at < end and data[at] <= _SPACE:
        at += 1
    return at


@compiled
def _string_end(data: Bytes, at: int, end: int) -> int:
    """Behind the closing quote of the string that opens at `at`."""
    at += 1
    while at < end:
        if data[at] == _QUOTE:
            return at + 1
        at += 2 if data[at] == _BACKSLASH else 1
    return BAD


@compiled
def skip_value(data: Bytes, at: int, end: int) -> int:
    """Behind the value that begins at `at`, or `BAD`."""
    if at >= end:
        return BAD
    if data[at] == _QUOTE:
        return _string_end(data, at, end)
    if data[at] != _OPEN and data[at] != _OPEN_LIST:
        start = at
        while at < end and data[at] > _SPACE and data[at] != _COMMA and data[at] != _CLOSE and data[at] != _CLOSE_LIST:
            at += 1
        return at if at > start else BAD
    depth = 0
    while at < end:
        if data[at] == _QUOTE:
            at = _string_end(data, at, end)
            if at == BAD:
                return BAD
            continue
        if data[at] == _OPEN or data[at] == _OPEN_LIST:
            depth += 1
        elif data[at] == _CLOSE or data[at] == _CLOSE_LIST:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return BAD


@compiled
def read_object(data: Bytes, at: int, end: int, spans: Ints) -> int:
    """Note where the values of an object begin and end, texts without their quotes; behind the object, or `BAD`.

    The values of an object inside it that is called `data` are noted as if they were its own.
    """
    if at >= end or data[at] != _OPEN:
        return BAD
    depth = 1
    at = skip_space(data, at + 1, end)
    while at < end:
        if data[at] == _QUOTE:
            key = at + 1
            at = key + 1
            while at < end and data[at] != _QUOTE:  # names have no escapes
                at += 1
            place = key_code(data, key, at)
            at = skip_space(data, at + 1, end)
            if at >= end or data[at] != _COLON:
                return BAD
            at = skip_space(data, at + 1, end)
            if place == _DATA and at < end and data[at] == _OPEN:
                depth += 1
                spans[place, 0] = at
                at = skip_space(data, at + 1, end)
                continue
            value_end = skip_value(data, at, end)
            if value_end == BAD:
                return BAD
            if place != BAD:
                is_text = data[at] == _QUOTE
                spans[place, 0], spans[place, 1] = at + is_text, value_end - is_text
            at = skip_space(data, value_end, end)
        while at < end and data[at] == _CLOSE:
            depth -= 1
            if depth == 0:
                return at + 1
            at = skip_space(data, at + 1, end)
        if at >= end or data[at] != _COMMA:
            return BAD
        at = skip_space(data, at + 1, end)
        if at >= end or data[at] != _QUOTE:
            return BAD
    return BAD


@compiled
def read_integer(data: Bytes, start: int, end: int) -> int:
    """A whole number that is not negative, or `BAD`."""
    if start >= end or end - start > DECIMALS_MAX + 1:
        return BAD
    value = 0
    for at in range(start, end):
        if data[at] < _ZERO or data[at] > _NINE:
            return BAD
        if value > INTEGER_MAX:
            return BAD
        value = value * 10 + int(data[at]) - _ZERO
    return value


@compiled
def read_number(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """(integer, decimals) of a plain decimal, without the zeros at its end; decimals are `BAD` where it is none."""
    negative = start < end and data[start] == _MINUS
    at = start + 1 if negative else start
    value, decimals, zeros, digits, fraction = 0, 0, 0, 0, False
    while at < end:
        letter = data[at]
        if letter == _DOT and not fraction:
            fraction = True
        elif letter < _ZERO or letter > _NINE:
            return 0, BAD
        else:
            digits += 1
            if fraction and letter == _ZERO:
                zeros += 1
            else:
                for _ in range(zeros + 1):
                    if value >= MANTISSA_MAX:
                        return 0, BAD
                    value *= 10
                value += int(letter) - _ZERO
                if fraction:
                    decimals += zeros + 1
                zeros = 0
        at += 1
    if digits == 0 or decimals > DECIMALS_MAX:
        return 0, BAD
    return (-value if negative else value), decimals
