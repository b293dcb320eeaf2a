"""Texts of a declared form as times: the letters of `strptime`, read strictly, and decimals of a second."""

import re
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from libra_ray.data.arrow_arrays import Int64s, Mask, int64s_of, mask_of
from libra_ray.data.times import NS_PER_SECOND

__all__ = ["declared_times", "likely_form"]

SECONDS_MAX: Final = 9_200_000_000
_COMPOSITES: Final = {"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%R": "%H:%M"}
_OFFSET: Final = r"Z|[+-]\d{2}:?\d{2}"
_DIRECTIVES: Final = {
    **dict.fromkeys("mdHIMSy", r"\d{1,2}"),
    **dict.fromkeys("bBhaA", r"[A-Za-z]+"),
    "e": r"\s*\d{1,2}",
    "Y": r"\d{4}",
    "j": r"\d{1,3}",
    "f": r"\d{1,9}",
    "p": r"[AaPp][Mm]",
    "z": _OFFSET,
    "%": "%",
}
_DATES: Final = (
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"\d{8}", "%Y%m%d"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"(?:1[3-9]|[23]\d)/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/(?:1[3-9]|[23]\d)/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
)
"""Dates whose form is plain; of 1/2/2024 nobody knows which is the month."""
_CLOCKS: Final = (
    ("", ""),
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    (r"\d{1,2}:\d{2}:\d{2}\.\d{1,9}", "%H:%M:%S.%f"),
    (r"\d{1,2}:\d{2}:\d{2},\d{1,9}", "%H:%M:%S,%f"),
    (r"\d{4}", "%H%M"),
    (r"\d{6}", "%H%M%S"),
    (r"\d{7,15}", "%H%M%S%f"),
    (r"\d{6} \d{1,9}", "%H%M%S %f"),
    (r"\d{6}\.\d{1,9}", "%H%M%S.%f"),
)
_LIKELY: Final = tuple(
    (re.compile(rf"{date}( {{0,2}}|[TD]){clock}( ?(?:GMT|UTC)?(?:{_OFFSET})?)"), date_form, clock_form)
    for date, date_form in _DATES
    for clock, clock_form in _CLOCKS
)
_NUMBERS: Final = frozenset("YmdeHIMSyjf")
_TWO: Final = r"\d{2}"
_FIELDS: Final = {"d": "day", "e": "day", "S": "second", "f": "fraction", "z": "offset"}


def declared_times(texts: pa.Array, form: str) -> tuple[Int64s, Mask]:
    """Nanoseconds as if all texts were UTC, less their offsets; and where a text is no time of that form.

    A day that its month does not have and a second 60 are none, though `strptime` takes them for the next.
    """
    for short, long in _COMPOSITES.items():
        form = form.replace(short, long)
    pattern, plain_form = _pattern(form)
    if pattern is None:
        return _seconds(texts, form)
    fields = pc.extract_regex(texts, pattern)
    names = [field.name for field in fields.type]
    found = {name: pc.fill_null(pc.struct_field(fields, name), "") for name in names}
    plain = texts
    if "fraction" in found:
        plain = pc.binary_join_element_wise(found["before"], found["after"], "")
    ts_ns, bad = _seconds(plain, plain_form)
    bad |= ~mask_of(fields.is_valid())
    _refuse_rolled(plain, plain_form, found, bad)
    if "fraction" in found:
        ts_ns += int64s_of(pc.utf8_rpad(found["fraction"], 9, "0").cast(pa.int64()))
    return np.where(bad, 0, ts_ns), bad


def likely_form(text: str) -> str:
    """The form that a text seems to have; empty where it is not plain."""
    for pattern, date, clock in _LIKELY:
        if (match := pattern.fullmatch(text)) is not None:
            between, end = match.groups()
            form = f"{date}{between}{clock}{re.sub(rf'(?:{_OFFSET})$', '%z', end)}"
            if not declared_times(pa.array([text]), form)[1][0]:
                return form
    return ""


def _seconds(texts: pa.Array, form: str) -> tuple[Int64s, Mask]:
    """Whole seconds in nanoseconds, and where a text is none."""
    parsed = pc.strptime(texts, form, "s", error_is_null=True)
    seconds = int64s_of(pc.fill_null(parsed.cast(pa.int64()), SECONDS_MAX + 1))
    bad: Mask = np.abs(seconds) > SECONDS_MAX
    return np.where(bad, 0, seconds) * NS_PER_SECOND, bad


def _refuse_rolled(texts: pa.Array, form: str, found: dict[str, pa.Array], bad: Mask) -> None:
    """Mark texts whose day or second is another one once it is read: there is no 31 February, and no second 60."""
    local = texts
    if "offset" in found:
        local = pc.replace_substring_regex(texts, rf"(?:{_OFFSET})", "+0000")
    ts_ns, _ = _seconds(local, form)
    stamps = pa.array(ts_ns // NS_PER_SECOND).cast(pa.timestamp("s"))
    for name, part in (("day", pc.day), ("second", pc.second)):
        if name in found:
            texts_of = pc.utf8_trim_whitespace(found[name])
            written = pc.if_else(pc.equal(texts_of, ""), "-1", texts_of).cast(pa.int64())
            bad |= int64s_of(written) != int64s_of(part(stamps))


def _pattern(form: str) -> tuple[str | None, str]:
    """The form as an expression with a group for each field that is looked at, and the form without decimals.

    None for a form with letters that are not known here: `strptime` may know them.
    """
    parts = re.findall(r"%.|\s+|[^%\s]+|%$", form)
    numbers = [part[0] == "%" and part[1:] in _NUMBERS for part in parts]
    pieces: list[str] = []
    named: set[str] = set()
    for place, part in enumerate(parts):
        if part[0] != "%":
            pieces.append(r"\s*" if part.isspace() else re.escape(part))
            continue
        if part[1:] not in _DIRECTIVES:
            return None, form
        piece = _DIRECTIVES[part[1:]]
        is_tight = numbers[place] and (numbers[place - 1 : place] == [True] or numbers[place + 1 : place + 2] == [True])
        if is_tight and piece == r"\d{1,2}":
            piece = _TWO
        name = _FIELDS.get(part[1:], "")
        pieces.append(f"(?P<{name}>{piece})" if name and name not in named else f"(?:{piece})")
        named.add(name)
    if "fraction" not in named:
        return f"^{''.join(pieces)}$", form
    at = parts.index("%f")
    before, after, fraction = pieces[:at], pieces[at + 1 :], pieces[at]
    kept, mark = form.partition("%f")[0], ""
    if kept.endswith((".", ",")):  # decimals behind a sign may be missing
        kept, mark = kept[:-1], kept[-1]
        before[-1] = before[-1].removesuffix(re.escape(mark))
        fraction = f"(?:{re.escape(mark)}{fraction})?"
    pattern = f"^(?P<before>{''.join(before)}){fraction}(?P<after>{''.join(after)})$"
    return pattern, kept + form.partition("%f")[2]
