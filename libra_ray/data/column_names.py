"""Which of a file's columns is what: the names of the trade, matched without case, spaces and underscores."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from libra_ray.data.wording import Wording
from libra_ray.errors import VALUE_CHARS_MAX, DataError, did_you_mean
from libra_ray.messages.schemas import (
    BARS,
    BOOK_DELTAS,
    BOOK_SNAPSHOTS,
    DIVIDENDS,
    FUNDING_RATES,
    INSTRUMENT_STATUS,
    MARK_PRICES,
    QUOTES,
    SCHEMAS,
    SPLITS,
    TRADES,
    Schema,
)

__all__ = ["COLUMNS", "Column", "guessed_kind", "is_open_time", "matched_columns", "name_key"]

NAMES_SHOWN: Final = 12
LIKELY_SHOWN: Final = 3


class Column(NamedTuple):
    """One of our columns: its other names, whether a file may lack it, whether it may be declared absent (zeros)."""

    name: str
    synonyms: tuple[str, ...]
    optional: bool = False
    may_be_zero: bool = False
    hints: tuple[str, ...] = ()


_TS: Final = ("time", "timestamp", "datetime", "date", "ts_event", "ts_event_ns", "ts_ns", "event_time", "close_time")
_TIMES: Final = (
    Column("ts", _TS, hints=("open_time", "day", "when", "t")),
    Column("ts_init", ("ts_init_ns", "ts_recv", "ts_recv_ns"), optional=True),
)
_LEVEL_PRICE: Final = Column("price", ("px", "p", "level_price"), hints=("last", "close"))
COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    BARS.name: (
        *_TIMES,
        Column("open", ("o", "open_price")),
        Column("high", ("h", "high_price", "max")),
        Column("low", ("l", "low_price", "min")),
        Column("close", ("c", "close_price"), hints=("last", "price", "px", "settle", "adj_close")),
        Column("volume", ("v", "vol", "qty", "size"), may_be_zero=True, hints=("amount", "turnover")),
    ),
    QUOTES.name: (
        *_TIMES,
        Column("bid_px", ("bid", "bid_price", "best_bid", "b"), hints=("bid_close",)),
        Column("ask_px", ("ask", "ask_price", "best_ask", "a", "offer"), hints=("ask_close",)),
        Column("bid_qty", ("bid_size", "bid_quantity", "bid_volume", "best_bid_qty"), may_be_zero=True),
        Column("ask_qty", ("ask_size", "ask_quantity", "ask_volume", "best_ask_qty"), may_be_zero=True),
    ),
    TRADES.name: (
        *_TIMES,
        Column("price", ("px", "p", "trade_price", "last_px"), hints=("last", "close")),
        Column("qty", ("quantity", "size", "q", "amount", "volume", "last_qty"), hints=("vol",)),
        Column("aggressor", ("side", "aggressor_side", "taker_side", "direction"), optional=True),
        Column("is_buyer_maker", ("buyer_maker",), optional=True),
    ),
    BOOK_DELTAS.name: (
        *_TIMES,
        Column("action", ("update_action", "change", "type"), optional=True),
        Column("side", ("book_side", "is_bid"), hints=("direction",)),
        _LEVEL_PRICE,
        Column("qty", ("quantity", "size", "q", "amount", "volume"), hints=("vol",)),
        Column("order_id", ("id", "oid"), optional=True),
        Column("flags", (), optional=True),
    ),
    BOOK_SNAPSHOTS.name: (
        *_TIMES,
        Column("side", ("book_side", "is_bid"), hints=("direction",)),
        Column("level", ("depth", "position")),
        _LEVEL_PRICE,
        Column("qty", ("quantity", "size", "q", "amount", "volume"), hints=("vol",)),
        Column("flags", (), optional=True),
    ),
    FUNDING_RATES.name: (*_TIMES, Column("rate", ("funding_rate", "last_funding_rate"), hints=("funding",))),
    MARK_PRICES.name: (*_TIMES, Column("price", ("mark_price", "mark", "px", "p"), hints=("close",))),
    SPLITS.name: (
        *_TIMES,
        Column("new_shares", ("split_to", "numerator"), hints=("ratio", "split")),
        Column("old_shares", ("split_from", "denominator")),
    ),
    DIVIDENDS.name: (*_TIMES, Column("amount", ("dividend", "dividends", "cash_amount", "cash"), hints=("value",))),
    INSTRUMENT_STATUS.name: (*_TIMES, Column("status", ("state", "trading_status", "session_state"))),
}

_OPEN_TIMES: Final = frozenset(("opentime", "starttime", "begintime", "barstart", "periodstart", "windowstart"))
_OPEN_WORDS: Final = frozenset(("open", "opening", "start", "begin", "beginning"))
_TIME_PARTS: Final = ("time", "date", "unix", "epoch")
_NO_NAME: Final = re.compile(r"[\d\s.,:/+\-TZ]*\d[\d\s.,:/+\-TZeE]*|")
"""What stands in a first line that is a row: numbers and times."""


def matched_columns(
    schema: Schema,
    header: Sequence[str],
    given: Mapping[str, str],
    *,
    place: str,
    wording: Wording,
    is_text: bool = False,
) -> dict[str, int]:
    """Our name -> index in `header`. The caller's mapping wins, then our own name, then a single synonym.

    In a text file a header without the names may be none, or cut at other signs.
    Raises `DataError` DATA004 for a needed column that is missing, twice, or could be one of two.
    """
    columns = COLUMNS[schema.name]
    known = {column.name for column in columns}
    for name in given:
        if name not in known:
            fix = did_you_mean(name, [column.name for column in columns])
            raise DataError("DATA004", place, f"column '{name}' is not known for {schema.name}", fix, name)
    keys = [name_key(name) for name in header]
    found: dict[str, int] = {}
    missing: list[Column] = []
    for column in columns:
        if column.name in given:
            if given[column.name] or not (column.may_be_zero or column.optional):
                found[column.name] = _exact(given[column.name], header, keys, place)
        elif (index := _index(column, header, keys, place, wording)) is not None:
            found[column.name] = index
        elif not column.optional:
            missing.append(column)
    if missing and is_text and (error := _no_header(missing[0].name, header, place, wording)) is not None:
        raise error
    if missing:
        raise _missing(missing, header, found, place, wording)
    return found


def guessed_kind(header: Sequence[str], given: Mapping[str, str]) -> str:
    """The type whose needed columns a file has, the one that needs most of them; else the one nearest to that."""
    keys = {name_key(name) for name in (*header, *given)}
    ranks = []
    for number, name in enumerate(SCHEMAS):
        if name == BOOK_DELTAS.name and keys.isdisjoint(_OF_A_BOOK):
            continue  # times, sides, prices and sizes alone are trades
        needed = [column for column in COLUMNS[name] if not column.optional]
        found = sum(not keys.isdisjoint(map(name_key, (column.name, *column.synonyms))) for column in needed)
        ranks.append((found == len(needed), found if found == len(needed) else found / len(needed), -number, name))
    return max(ranks)[-1]


_OF_A_BOOK: Final = frozenset(("action", "updateaction", "orderid", "flags", "bookside", "isbid"))


def is_open_time(name: str) -> bool:
    """Whether a column of times is called the beginning of a bar."""
    return name_key(name) in _OPEN_TIMES or not _OPEN_WORDS.isdisjoint(
        word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    )


def name_key(name: str) -> str:
    """A column's name without case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) or name


def _exact(wanted: str, header: Sequence[str], keys: Sequence[str], place: str) -> int:
    matches = [index for index, name in enumerate(header) if name == wanted]
    if not matches:
        matches = [index for index, key in enumerate(keys) if key == name_key(wanted)]
    if not matches:
        fix = did_you_mean(wanted, list(header))
        raise DataError("DATA004", place, f"column '{wanted}' not found; {_listed(header)}", fix, wanted)
    return _single(matches, header, place)


def _index(column: Column, header: Sequence[str], keys: Sequence[str], place: str, wording: Wording) -> int | None:
    own = [index for index, key in enumerate(keys) if key == name_key(column.name)]
    if own:
        return _single(own, header, place)
    synonyms = {name_key(name) for name in column.synonyms}
    others = [index for index, key in enumerate(keys) if key in synonyms]
    if len({keys[index] for index in others}) > 1:
        names = " or ".join(f"'{header[index]}'" for index in others)
        first, second = header[others[0]], header[others[1]]
        is_split = [name_key(header[index]) for index in others] == ["date", "time"]
        likely = f"{first}+{second}" if is_split else first
        fix = f"Map it with {wording.column(column.name, likely)}."
        raise DataError("DATA004", place, f"column '{column.name}' could be {names}", fix, column.name)
    return _single(others, header, place) if others else None


def _single(matches: Sequence[int], header: Sequence[str], place: str) -> int:
    if len(matches) > 1:
        name = header[matches[0]]
        raise DataError("DATA004", place, f"column '{name}' appears {len(matches)} times", "Rename one.", name)
    return matches[0]


def _missing(
    missing: Sequence[Column], header: Sequence[str], found: Mapping[str, int], place: str, wording: Wording
) -> DataError:
    """The missing column for which the file has a likely candidate comes first; else the first one."""
    free = [name for index, name in enumerate(header) if index not in found.values()]
    for column in missing:
        if likely := _likely(column, free):
            return _not_found(column, likely, header, place, wording)
    only = free[0] if len(free) == len(missing) == 1 else "NAME"
    return _not_found(missing[0], [only], header, place, wording)


def _likely(column: Column, free: Sequence[str]) -> list[str]:
    """Names that may be meant: known ones, those that begin as ours or speak of time, else the most similar one."""
    hints = {name_key(hint) for hint in column.hints}
    if known := [name for name in free if name_key(name) in hints]:
        return known[:1]
    ours = name_key(column.name)
    if column.name == "ts":
        return [name for name in free if any(part in name.lower() for part in _TIME_PARTS)]
    return [name for name in free if name_key(name).startswith(ours)] or get_close_matches(
        column.name, free, n=1, cutoff=0.6
    )


def _not_found(column: Column, likely: Sequence[str], header: Sequence[str], place: str, wording: Wording) -> DataError:
    ways = [wording.column(column.name, each) for each in likely[:LIKELY_SHOWN]]
    if column.may_be_zero and likely == ["NAME"]:
        ways.append(f"{wording.column(column.name, '')} if there is none")
    fix = f"Map it with {' or '.join(ways)}."
    return DataError("DATA004", place, f"column '{column.name}' not found; {_listed(header)}", fix, column.name)


def _no_header(name: str, header: Sequence[str], place: str, wording: Wording) -> DataError | None:
    """The first line is a row or holds one text only: what it is has to come from the caller. None for a header."""
    if sum(map(bool, header)) <= 1:
        skip = wording.option("skip-lines", "N")
        fix = f"Declare lines above the header with {skip}, or {wording.option('delimiter', 'CHAR')}."
    elif all(map(_NO_NAME.fullmatch, header)):
        bars, ticks = ("ts", "open", "high", "low", "close", "volume"), ("ts", "price", "qty")
        usual = bars if len(header) >= len(bars) else ticks
        names = [*usual, *(f"x{number}" for number in range(len(usual) + 1, len(header) + 1))][: len(header)]
        fix = f"The first line is no header: name all columns, such as with {wording.column_names(names)}."
    else:
        return None
    return DataError("DATA004", place, f"column '{name}' not found; {_listed(header)}", fix, name)


def _listed(header: Sequence[str]) -> str:
    more = f" and {len(header) - NAMES_SHOWN:,} more" if len(header) > NAMES_SHOWN else ""
    names = (name if len(name) <= VALUE_CHARS_MAX else f"{name[:VALUE_CHARS_MAX]}..." for name in header[:NAMES_SHOWN])
    return f"the file has {', '.join(names)}{more}"
