"""Columns of words that stand for one of a few meanings: sides, actions, states. Numbers may be the code itself."""

import re
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Int64s, Mask, arrow_bools, int64s_of, mask_of
from libra_ray.data.text_cells import Cells, Column, texts_of

__all__ = ["CODES", "Codes", "codes_of"]

FLAGS_MAX: Final = 127


class Codes(NamedTuple):
    """The words of one column: what each code is written as, and how a fix names them."""

    words: tuple[tuple[int, str], ...]
    noun: str
    fix: str


_SIDES: Final = (
    (1, r"^(?i:bid|bids|b|buy|buyer|[+]?1|true|long)$"),
    (2, r"^(?i:ask|asks|a|sell|s|seller|offer|2|-1|false|short)$"),
)
CODES: Final = {
    "aggressor": Codes(
        (
            (1, r"^(?i:buy|b|bid|buyer|[+]?1|long)$"),
            (2, r"^(?i:sell|s|ask|a|seller|2|-1|short)$"),
            (0, r"^(?i:none|unknown|0)?$"),
        ),
        "a side",
        "Write buy or sell.",
    ),
    # The maker of a trade bought: then the seller crossed the spread.
    "is_buyer_maker": Codes(
        ((1, r"^(?i:false|f|no|0)$"), (2, r"^(?i:true|t|yes|1)$"), (0, r"^$")), "a side", "Write true or false."
    ),
    "side": Codes(_SIDES, "a side", "Write bid or ask."),
    "action": Codes(
        (
            (1, r"^(?i:add|added|new|insert|1)$"),
            (2, r"^(?i:update|updated|change|modify|partial|2)$"),
            (3, r"^(?i:delete|deleted|remove|cancel|3)$"),
            (4, r"^(?i:clear|reset|4)$"),
        ),
        "an action",
        "Write add, update, delete or clear.",
    ),
    "status": Codes(
        (
            (1, r"^(?i:pre[-_ ]?open|1)$"),
            (2, r"^(?i:trading|open|continuous|2)$"),
            (3, r"^(?i:halted|halt|paused|suspended|3)$"),
            (4, r"^(?i:auction|4)$"),
            (5, r"^(?i:closed|close|5)$"),
        ),
        "a state",
        "Write pre_open, trading, halted, auction or closed.",
    ),
    "flags": Codes((), "flags", f"Write a number from 0 to {FLAGS_MAX}."),
}
_OF_NONE: Final = -1
_PLAIN: Final = (
    *("buy", "sell", "b", "s", "a", "bid", "ask", "true", "false", "0", "1", "2", "3", "4", "5"),
    *("add", "update", "delete", "clear", "new", "change", "none", "trading", "halted", "closed"),
)


def codes_of(column: Column, name: str) -> tuple[npt.NDArray[np.int8], Mask]:
    """The codes of a column, and where it holds another word; those rows and empty ones are 0."""
    codes = CODES[name]
    if not codes.words:
        return _flags_of(column)
    if name != "is_buyer_maker" and not isinstance(column, Cells) and pa.types.is_integer(column.type):
        return _numbers_of(column, codes)
    if isinstance(column, Cells):
        return _words_of(column, name)
    return _texts_of(column, codes)


def _words_of(cells: Cells, name: str) -> tuple[npt.NDArray[np.int8], Mask]:
    """Plain words by compiled code, others by their texts."""
    values, odd = cells.words(*_plain_words(name))
    bad = np.zeros(len(cells), bool)
    if odd.any():
        values[odd], bad[odd] = _texts_of(cells.filter(odd).texts(), CODES[name])
    return values.astype(np.int8), bad


@cache
def _plain_words(name: str) -> tuple[Int64s, Int64s]:
    """The words of the trade in their usual spellings, each with its code."""
    from libra_ray.data.formats.json_scan import text_code

    found: dict[int, int] = {}
    for word in _PLAIN:
        for text in (word, word.upper(), word.capitalize()):
            for code, pattern in CODES[name].words:
                if re.search(pattern, text) is not None:
                    found.setdefault(text_code(text), code)
    return np.array(list(found), np.int64), np.array(list(found.values()), np.int64)


def _texts_of(column: pa.Array, codes: Codes) -> tuple[npt.NDArray[np.int8], Mask]:
    words = column
    if not pa.types.is_string(words.type):
        words = words.cast(pa.string())
    encoded = words.dictionary_encode()
    known = pc.utf8_trim_whitespace(encoded.dictionary)
    table = np.full(len(known) + 1, _OF_NONE, np.int64)
    for code, pattern in codes.words:
        matched = mask_of(pc.match_substring_regex(known, pattern))
        table[:-1][matched & (table[:-1] == _OF_NONE)] = code
    table[-1] = 0
    places = np.where(mask_of(encoded.is_valid()), int64s_of(encoded.indices.cast(pa.int64())), len(known))
    found: Int64s = table[places]
    bad = found == _OF_NONE
    return np.where(bad, 0, found).astype(np.int8), bad


def _numbers_of(column: pa.Array, codes: Codes) -> tuple[npt.NDArray[np.int8], Mask]:
    """Integers that are the codes already; -1 is the seller where 2 is."""
    numbers = np.where(mask_of(column.is_valid()), int64s_of(column.cast(pa.int64())), 0)
    allowed = [code for code, _ in codes.words]
    if codes.noun == "a side":
        numbers = np.where(numbers == -1, 2, numbers)
    bad = ~np.isin(numbers, allowed)
    return np.where(bad, 0, numbers).astype(np.int8), bad


def _flags_of(column: Column) -> tuple[npt.NDArray[np.int8], Mask]:
    texts = texts_of(column)
    texts = texts if pa.types.is_string(texts.type) else texts.cast(pa.string())
    good = mask_of(pc.match_substring_regex(texts, r"^\d{1,3}$")) & mask_of(texts.is_valid())
    numbers = int64s_of(pc.if_else(arrow_bools(good), texts, "0").cast(pa.int64()))
    bad = ~good | (numbers > FLAGS_MAX)
    return np.where(bad, 0, numbers).astype(np.int8), bad
