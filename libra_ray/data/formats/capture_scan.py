"""Compiled reading of a captured combined stream: one line a message, its receive time before it.

A line becomes one row of integers, whatever its kind; the levels of a book message become rows of their own. Prices and
sizes are integers with their decimals beside them, exactly as written.
"""

from typing import Final

import numpy as np

from libra_ray.data.formats.compiling import compiled
from libra_ray.data.formats.json_scan import (
    BAD,
    NAMES,
    Bytes,
    Ints,
    place_of,
    read_integer,
    read_number,
    read_object,
    skip_space,
    skip_value,
    text_code,
    text_of,
)

__all__ = [
    "AGG_TRADE",
    "DEPTH",
    "KLINE",
    "MARK",
    "OTHER",
    "QUOTE",
    "SNAPSHOT",
    "TRADE",
    "scan_lines",
]

OTHER, TRADE, AGG_TRADE, QUOTE, DEPTH, SNAPSHOT, KLINE, MARK = range(8)

# Columns of a message.
KIND: Final = 0
LINE: Final = 1  # of the block, from 0
SYMBOL: Final = 2  # a hash of the symbol in capitals, 0 where none is named
SYMBOL_AT: Final = 3
SYMBOL_END: Final = 4
RECEIVED: Final = 5  # as written, `BAD` where the line has none
EVENT: Final = 6  # E, ms
TRADED: Final = 7  # T, ms
FIRST_ID: Final = 8  # U, or the id of a trade
LAST_ID: Final = 9  # u, or lastUpdateId
PREVIOUS_ID: Final = 10  # pu
MAKER: Final = 11  # 1 the buyer was the maker, 0 the seller
MARKET: Final = 12  # whether a trade is one of the market: X is MARKET or not there
LEVELS: Final = 13  # the first level of this message
INTERVAL: Final = 14  # a kline's: the code of its text
CLOSED: Final = 15  # whether a kline is final
NUMBERS: Final = 16  # five numbers, each with its decimals
COLUMNS: Final = 26

# Columns of a level.
OWNER: Final = 0  # the row of its message
SIDE: Final = 1  # 1 bid, 2 ask
PRICE: Final = 2
SIZE: Final = 4
LEVEL_COLUMNS: Final = 6

# Why a line could not be read.
NO_MESSAGE, NO_FIELD, NO_NUMBER, NO_LEVELS = 1, 2, 3, 4

_STREAM, _UPDATE, _BIDS, _ASKS, _PREVIOUS, _NAME = map(
    place_of, ("stream", "lastUpdateId", "bids", "asks", "pu", "symbol")
)
_A, _a, _B, _b, _c, _E, _e, _h, _i, _k, _l, _m = map(place_of, "AaBbcEehiklm")
_o, _p, _q, _r, _s, _T, _t, _U, _u, _v, _X, _x = map(place_of, "opqrsTtUuvXx")
_TRADE, _AGG, _TICKER, _DEPTH_UPDATE = map(text_code, ("trade", "aggTrade", "bookTicker", "depthUpdate"))
_KLINE_EVENT, _MARK_EVENT = text_code("kline"), text_code("markPriceUpdate")
_MARKET = text_code("MARKET")
_DEPTH_WORD = text_code("depth")
_KLINE_WORD = text_code("kline_") & 0xFFFFFFFFFFFF
_MARK_WORD = text_code("markPrice") & 0xFFFFFFFFFFFFFF
_AT, _OPEN_LIST, _CLOSE_LIST, _COMMA, _QUOTE_MARK, _TRUE, _FALSE = 64, 91, 93, 44, 34, ord("t"), ord("f")
_LOWER_A, _LOWER_Z, _CAPITAL, _ZERO, _NINE, _SPACE = 97, 122, 32, 48, 57, 32
_DEPTH_LETTERS: Final = 5
_FNV_START, _FNV_PRIME = 1_469_598_103_934_665_603, 1_099_511_628_211


@compiled
def _kind_of_stream(data: Bytes, start: int, end: int) -> tuple[int, int]:
    """(kind, where its symbol ends) of a stream's name such as `btcusdt@depth@100ms`; a depth of N levels is whole."""
    at = start
    while at < end and data[at] != _AT:
        at += 1
    word = at + 1
    stop = word
    while stop < end and data[stop] != _AT:
        stop += 1
    code = text_of(data, word, stop)
    if code == _TRADE:
        return TRADE, at
    if code == _AGG:
        return AGG_TRADE, at
    if code == _TICKER:
        return QUOTE, at
    if text_of(data, word, min(word + _DEPTH_LETTERS, stop)) == _DEPTH_WORD:
        return (DEPTH if stop - word == _DEPTH_LETTERS else SNAPSHOT), at
    letters = code & 0xFFFFFFFFFFFFFF
    if letters & 0xFFFFFFFFFFFF == _KLINE_WORD:
        return KLINE, at
    return (MARK if letters == _MARK_WORD else OTHER), at


@compiled
def _kind_of_event(data: Bytes, spans: Ints) -> int:
    """The kind by the event's own name, or by the fields it has."""
    start, end = spans[_e]
    if start > 0:
        code = text_of(data, start, end)
        if code == _TRADE:
            return TRADE
        if code == _AGG:
            return AGG_TRADE
        if code == _TICKER:
            return QUOTE
        if code == _DEPTH_UPDATE:
            return DEPTH
        if code == _KLINE_EVENT:
            return KLINE
        return MARK if code == _MARK_EVENT else OTHER
    has_ticker = spans[_b, 0] > 0 and spans[_B, 0] > 0 and spans[_a, 0] > 0 and spans[_A, 0] > 0
    return QUOTE if has_ticker else OTHER


@compiled
def _symbol_hash(data: Bytes, start: int, end: int) -> int:
    value = _FNV_START
    for at in range(start, end):
        letter = data[at] - _CAPITAL if _LOWER_A <= data[at] <= _LOWER_Z else data[at]
        value = (value ^ int(letter)) * _FNV_PRIME
    return value


@compiled
def _put_number(data: Bytes, spans: Ints, name: int, message: Ints, place: int) -> bool:
    value, decimals = read_number(data, spans[name, 0], spans[name, 1])
    message[NUMBERS + 2 * place], message[NUMBERS + 2 * place + 1] = value, decimals
    return decimals != BAD


@compiled
def _put_levels(data: Bytes, span: Ints, owner: int, side: int, levels: Ints, count: int) -> int:
    """Write the pairs of a list behind `count` levels; how many levels there are then, or `BAD`."""
    at, end = skip_space(data, span[0], span[1]), span[1]
    if at >= end or data[at] != _OPEN_LIST:
        return BAD
    at = skip_space(data, at + 1, end)
    if at < end and data[at] == _CLOSE_LIST:
        return count
    while at < end and data[at] == _OPEN_LIST:
        for column in (PRICE, SIZE):
            at = skip_space(data, at + 1, end)
            value_end = skip_value(data, at, end)
            if value_end == BAD:
                return BAD
            is_text = data[at] == _QUOTE_MARK
            value, decimals = read_number(data, at + is_text, value_end - is_text)
            if decimals == BAD:
                return BAD
            levels[count, column], levels[count, column + 1] = value, decimals
            at = skip_space(data, value_end, end)
            if at >= end or (column == PRICE and data[at] != _COMMA):
                return BAD
        while at < end and data[at] == _COMMA:  # what else an old message has in a level
            at = skip_value(data, skip_space(data, at + 1, end), end)
            if at == BAD:
                return BAD
            at = skip_space(data, at, end)
        if at >= end or data[at] != _CLOSE_LIST:
            return BAD
        levels[count, OWNER], levels[count, SIDE] = owner, side
        count += 1
        at = skip_space(data, at + 1, end)
        if at < end and data[at] == _CLOSE_LIST:
            return count
        if at >= end or data[at] != _COMMA:
            return BAD
        at = skip_space(data, at + 1, end)
    return BAD


@compiled
def _put_book(data: Bytes, spans: Ints, owner: int, message: Ints, levels: Ints, count: int) -> int:
    """The levels of a book message, bids first; `BAD` where it is not whole."""
    bids, asks = (_BIDS, _ASKS) if spans[_BIDS, 0] > 0 else (_b, _a)
    message[LEVELS] = count
    for side, name in ((1, bids), (2, asks)):
        if spans[name, 0] == 0:
            return BAD
        count = _put_levels(data, spans[name], owner, side, levels, count)
        if count == BAD:
            return BAD
    return count


@compiled
def _put_fields(data: Bytes, spans: Ints, message: Ints) -> int:
    """The fields of a message that has no levels; 0, or why it could not be read."""
    kind = message[KIND]
    if kind == QUOTE:
        for place, name in enumerate((_b, _B, _a, _A)):
            if spans[name, 0] == 0:
                return NO_FIELD
            if not _put_number(data, spans, name, message, place):
                return NO_NUMBER
    elif kind in (TRADE, AGG_TRADE):
        if spans[_p, 0] == 0 or spans[_q, 0] == 0 or spans[_m, 0] == 0:
            return NO_FIELD
        if not (_put_number(data, spans, _p, message, 0) and _put_number(data, spans, _q, message, 1)):
            return NO_NUMBER
        first = data[spans[_m, 0]]
        if first not in (_TRUE, _FALSE):
            return NO_FIELD
        name = _t if kind == TRADE else _a
        message[FIRST_ID] = read_integer(data, spans[name, 0], spans[name, 1])
        message[MAKER] = first == _TRUE
        message[MARKET] = spans[_X, 0] == 0 or text_of(data, spans[_X, 0], spans[_X, 1]) == _MARKET
    elif kind == MARK:
        if spans[_p, 0] == 0:
            return NO_FIELD
        if not _put_number(data, spans, _p, message, 0):
            return NO_NUMBER
        # Without a rate the field is empty: a delivery future pays no funding.
        if spans[_r, 1] > spans[_r, 0]:
            if not _put_number(data, spans, _r, message, 1):
                return NO_NUMBER
        else:
            message[NUMBERS + 3] = BAD
    return 0


@compiled
def _put_kline(data: Bytes, spans: Ints, message: Ints, inner: Ints) -> int:
    """The candle inside a kline message."""
    inner[:, :] = 0
    if spans[_k, 0] == 0 or read_object(data, spans[_k, 0], spans[_k, 1], inner) == BAD:
        return NO_FIELD
    for place, name in enumerate((_o, _h, _l, _c, _v)):
        if inner[name, 0] == 0:
            return NO_FIELD
        if not _put_number(data, inner, name, message, place):
            return NO_NUMBER
    message[TRADED] = read_integer(data, inner[_t, 0], inner[_t, 1])  # t, where it opens
    message[LAST_ID] = read_integer(data, inner[_T, 0], inner[_T, 1])  # T, its last millisecond
    message[INTERVAL] = text_of(data, inner[_i, 0], inner[_i, 1])
    message[CLOSED] = data[inner[_x, 0]] == _TRUE
    return NO_FIELD if message[TRADED] == BAD or message[LAST_ID] == BAD or inner[_x, 0] == 0 else 0


@compiled
def _read_line(
    data: Bytes, start: int, end: int, owner: int, message: Ints, levels: Ints, count: int, spans: Ints, inner: Ints
) -> tuple[int, int]:
    """(levels there are then, 0 or why the line could not be read)."""
    at = start
    while at < end and _ZERO <= data[at] <= _NINE:
        at += 1
    message[RECEIVED] = read_integer(data, start, at)
    while at < end and (data[at] <= _SPACE or data[at] == _COMMA):
        at += 1
    spans[:, :] = 0
    behind = read_object(data, at, end, spans)
    if behind == BAD or skip_space(data, behind, end) < end:
        return count, NO_MESSAGE
    name, name_end = spans[_STREAM]
    symbol, symbol_end = spans[_s] if spans[_s, 0] > 0 else spans[_NAME]
    kind = OTHER
    if name > 0:
        kind, stop = _kind_of_stream(data, name, name_end)
        if symbol == 0:
            symbol, symbol_end = name, stop
    else:
        kind = _kind_of_event(data, spans)
    if spans[_UPDATE, 0] > 0 and (spans[_BIDS, 0] > 0 or kind == SNAPSHOT):
        kind = SNAPSHOT
    message[KIND] = kind
    message[SYMBOL] = _symbol_hash(data, symbol, symbol_end) if symbol > 0 else 0
    message[SYMBOL_AT], message[SYMBOL_END] = symbol, symbol_end
    message[EVENT] = read_integer(data, spans[_E, 0], spans[_E, 1])
    message[TRADED] = read_integer(data, spans[_T, 0], spans[_T, 1])
    message[FIRST_ID] = read_integer(data, spans[_U, 0], spans[_U, 1])
    last = spans[_UPDATE] if spans[_UPDATE, 0] > 0 else spans[_u]
    message[LAST_ID] = read_integer(data, last[0], last[1])
    message[PREVIOUS_ID] = read_integer(data, spans[_PREVIOUS, 0], spans[_PREVIOUS, 1])
    message[LEVELS] = count
    if kind in (DEPTH, SNAPSHOT):
        if message[LAST_ID] == BAD or (kind == DEPTH and message[FIRST_ID] == BAD):
            return count, NO_FIELD
        more = _put_book(data, spans, owner, message, levels, count)
        return (count, NO_LEVELS) if more == BAD else (more, 0)
    if kind == KLINE:
        return count, _put_kline(data, spans, message, inner)
    return count, _put_fields(data, spans, message)


@compiled
def scan_lines(data: Bytes, ends: Ints, messages: Ints, levels: Ints) -> tuple[int, int, int, int]:
    """Read the lines of `data` that end before each of `ends`.

    Returns (messages, levels, the first line that could not be read or `BAD`, why). Blank lines are no messages.
    """
    spans, inner = np.zeros((NAMES, 2), np.int64), np.zeros((NAMES, 2), np.int64)
    count = made = start = 0
    for line in range(len(ends)):
        end = ends[line]
        if skip_space(data, start, end) < end:
            message = messages[made]
            message[LINE] = line
            count, why = _read_line(data, start, end, made, message, levels, count, spans, inner)
            if why:
                return made, count, line, why
            made += 1
        start = end + 1
    return made, count, BAD, 0
