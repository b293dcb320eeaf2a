"""Compiled reading of plain delimited text: where the cells lie, and numbers and times of the plainest form.

Only what has one meaning is read here. Whatever else stands in a cell - spaces, exponents, separators, offsets - is
marked `ODD` and read the slow way, which knows every form and every fault; so both ways always agree.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from libra_ray.data.formats.compiling import compiled
from libra_ray.data.formats.json_scan import Bytes, Ints, text_of

Spans: TypeAlias = npt.NDArray[np.int32]
Mask: TypeAlias = npt.NDArray[np.bool_]

__all__ = [
    "FAULTY",
    "FULL",
    "QUOTED",
    "WHOLE",
    "find_cells",
    "pack_texts",
    "read_decimals",
    "read_integers",
    "read_iso_times",
]

WHOLE: Final = 0
QUOTED: Final = 1
FAULTY: Final = 2
FULL: Final = 3
_QUOTE, _RETURN, _FEED, _DOT, _MINUS, _PLUS, _ZERO = 34, 13, 10, 46, 45, 43, 48
_DIGITS: Final = 18
_NS: Final = 1_000_000_000
_NO_VALUE: Final = (110, 78, 60)  # n, N, <
_COLON, _SPACE, _LETTER_T, _LETTER_Z = 58, 32, 84, 90
_DAY_CHARS, _MINUTE_CHARS, _SECOND_CHARS = 10, 16, 19
_YEAR_MIN, _YEAR_MAX = 1900, 2200
_NINE, _FEBRUARY, _DECEMBER, _HOURS, _SIXTY = 9, 2, 12, 24, 60
_MONTH_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_POWERS = np.array([10**power for power in range(19)], np.int64)


@compiled
def find_cells(data: Bytes, delimiter: int, slots: Ints, starts: Spans, ends: Spans, doubtful: Mask) -> tuple[int, int]:
    """The spans of the wanted cells of whole lines; blank lines are no rows.

    `slots[column]` is the row of `starts` and `ends` for that column, -1 for one that is not wanted. `doubtful` becomes
    true for columns with a cell that is empty or begins with `n`, `N` or `<`, as what stands for no value does.
    Returns the rows and why it stopped: `WHOLE` at the end, `QUOTED` at an odd quote, `FAULTY` at a line with more or
    fewer fields, `FULL` when the spans are used up. After anything but `WHOLE` the spans are worth nothing.
    """
    columns, room = len(slots), starts.shape[1]
    count, column, at, begin, size, quote = 0, 0, 0, 0, len(data), 0
    while at < size:
        byte = data[at]
        if byte == delimiter:
            if column >= columns - 1:
                return count, FAULTY
            slot = slots[column]
            if slot >= 0:
                starts[slot, count] = begin
                ends[slot, count] = at - quote
                if at - quote == begin or data[begin] in _NO_VALUE:
                    doubtful[slot] = True
            column += 1
            begin, quote = at + 1, 0
        elif byte == _FEED:
            end = (at - 1 if at > begin and data[at - 1] == _RETURN else at) - quote
            if column > 0 or end > begin or quote > 0:
                if column != columns - 1:
                    return count, FAULTY
                slot = slots[column]
                if slot >= 0:
                    starts[slot, count] = begin
                    ends[slot, count] = end
                    if end == begin or data[begin] in _NO_VALUE:
                        doubtful[slot] = True
                count += 1
                if count == room:
                    return count, WHOLE if at == size - 1 else FULL
            column = 0
            begin, quote = at + 1, 0
        elif byte == _QUOTE:
            # A whole cell in quotes is as good as one without; quotes inside of it are not plain.
            stop = at + 1
            while stop < size and data[stop] != _QUOTE and data[stop] != _FEED:
                stop += 1
            if at != begin or stop + 1 >= size or data[stop] != _QUOTE:
                return count, QUOTED
            behind = data[stop + 1]
            is_return = behind == _RETURN and stop + 2 < size and data[stop + 2] == _FEED
            if behind not in (delimiter, _FEED) and not is_return:
                return count, QUOTED
            begin, at, quote = at + 1, stop, 1
        at += 1
    return count, WHOLE


@compiled
def read_decimals(  # arrays in and out: compiled code takes no objects
    data: Bytes, starts: Spans, ends: Spans, precision: int, point: int, values: Ints, odd: Mask
) -> int:
    """Numbers like `-12.50` at `precision` decimals; how many are `odd`: of another form, or with decimals to lose."""
    count = 0
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        negative = False
        if at < end and (data[at] == _MINUS or data[at] == _PLUS):
            negative = data[at] == _MINUS
            at += 1
        value, digits, decimals = np.int64(0), 0, -1
        good = end - at <= _DIGITS and at < end
        while good and at < end:
            digit = np.int64(data[at]) - _ZERO
            if digit >= 0 and digit <= _NINE:
                value = value * 10 + digit
                digits += 1
                if decimals >= 0:
                    decimals += 1
            elif data[at] == point and decimals < 0:
                decimals = 0
            else:
                good = False
            at += 1
        decimals = max(decimals, 0)
        good = good and digits > 0
        if good and decimals > precision:
            lost = _POWERS[decimals - precision]
            good = value % lost == 0
            value //= lost
        elif good:
            good = digits - decimals + precision <= _DIGITS
            if good:
                value *= _POWERS[precision - decimals]
        odd[row] = not good
        count += not good
        values[row] = -value if negative else value
    return count


@compiled
def read_integers(data: Bytes, starts: Spans, ends: Spans, values: Ints, odd: Mask) -> int:
    """Numbers of 1 to 18 digits and nothing else; how many were `odd`."""
    count = 0
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        value = np.int64(0)
        good = at < end and end - at <= _DIGITS + 1
        if good and end - at == _DIGITS + 1:
            good = data[at] > _ZERO and data[at] < _ZERO + 9
        while good and at < end:
            digit = np.int64(data[at]) - _ZERO
            good = digit >= 0 and digit <= _NINE
            value = value * 10 + digit
            at += 1
        odd[row] = not good
        count += not good
        values[row] = value
    return count


@compiled
def _number(data: Bytes, at: int, size: int) -> int:
    """`size` digits as a number, or a negative one where a digit is none."""
    value = 0
    for place in range(at, at + size):
        digit = int(data[place]) - _ZERO
        if digit < 0 or digit > _NINE:
            return -1
        value = value * 10 + digit
    return value


@compiled
def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date, by Hinnant's `days_from_civil`; -1 where there is no such day."""
    if year < _YEAR_MIN or year > _YEAR_MAX or month < 1 or month > _DECEMBER or day < 1:
        return -(10**9)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _MONTH_DAYS[month - 1] + (leap and month == _FEBRUARY):
        return -(10**9)
    shifted = year - (month <= _FEBRUARY)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > _FEBRUARY else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@compiled
def read_iso_times(data: Bytes, starts: Spans, ends: Spans, values: Ints, zoned: Mask, odd: Mask) -> int:
    """Times like `2024-01-31T12:00:00.5Z` as nanoseconds, `zoned` where a `Z` ends them; how many were `odd`.

    Between date and time stands `T` or a space; seconds have up to 9 decimals. A date alone is odd.
    """
    count = 0
    last_start, last_days = -1, 0
    for row in range(len(starts)):
        at, end = starts[row], ends[row]
        good = end - at >= _SECOND_CHARS
        zone = False
        if good:
            same = last_start >= 0
            if same:
                for place in range(_DAY_CHARS):
                    if data[at + place] != data[last_start + place]:
                        same = False
                        break
            if not same:
                year, month, day = _number(data, at, 4), _number(data, at + 5, 2), _number(data, at + 8, 2)
                good = data[at + 4] == _MINUS and data[at + 7] == _MINUS and year >= 0 and month >= 0 and day >= 0
                last_days = _days(year, month, day)
                good = good and last_days > -(10**9)
                last_start = at if good else -1
        if good:
            hour, minute, second = _number(data, at + 11, 2), _number(data, at + 14, 2), _number(data, at + 17, 2)
            good = (data[at + 10] == _LETTER_T or data[at + 10] == _SPACE) and data[at + 13] == _COLON
            good = good and data[at + 16] == _COLON and hour >= 0 and hour < _HOURS
            good = good and minute >= 0 and minute < _SIXTY and second >= 0 and second < _SIXTY
            zone = data[end - 1] == _LETTER_Z
            stop = end - 1 if zone else end
            place = at + _SECOND_CHARS
            fraction = np.int64(0)
            if good and place < stop:
                good = data[place] == _DOT and stop - place > 1 and stop - place <= _NINE + 1
                place += 1
                digits = 0
                while good and place < stop:
                    digit = np.int64(data[place]) - _ZERO
                    good = digit >= 0 and digit <= _NINE
                    fraction = fraction * 10 + digit
                    digits += 1
                    place += 1
                fraction *= _POWERS[_NINE - digits] if good else 0
            if good:
                values[row] = ((last_days * 24 + hour) * 3_600 + minute * 60 + second) * _NS + fraction
        zoned[row] = zone
        odd[row] = not good
        count += not good
        if not good:
            values[row] = 0
    return count


@compiled
def pack_texts(data: Bytes, starts: Spans, ends: Spans, packed: Bytes) -> None:
    """The cells behind each other."""
    place = 0
    for row in range(len(starts)):
        for at in range(starts[row], ends[row]):
            packed[place] = data[at]
            place += 1


@compiled
def find_suspects(data: Bytes, starts: Spans, ends: Spans, found: Mask) -> None:
    """Where a cell begins with `n`, `N` or `<`, as texts do that stand for no value."""
    for row in range(len(starts)):
        first = data[starts[row]] if starts[row] < ends[row] else 0
        found[row] = first in _NO_VALUE


@compiled
def read_words(data: Bytes, starts: Spans, ends: Spans, words: Ints, codes: Ints, values: Ints, odd: Mask) -> int:
    """The code of each cell that is one of the words, given as `text_of` has them; how many were `odd`: others."""
    count = 0
    for row in range(len(starts)):
        word = text_of(data, starts[row], ends[row])
        good = False
        for number in range(len(words)):
            if words[number] == word:
                values[row] = codes[number]
                good = True
                break
        odd[row] = not good
        count += not good
    return count
