"""What bars are to be made: of which rows, when one closes, and by what name they go."""

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, Self

from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.model.identifiers import check_instrument_id
from libra_ray.model.numbers import DecimalLike, decimal_text, parse_decimal
from libra_ray.runtime.topics import bars_topic, quotes_topic, trades_topic

__all__ = ["PRICE_SOURCES", "Aggregation", "BarSpec"]

DAY_NS: Final = 86_400 * 10**9
MONTHS_OF_YEAR: Final = 12
PRICE_SOURCES: Final = ("BID", "ASK", "MID", "LAST")
"""Prices of ticks that bars are made from; any other source is the name of smaller bars."""


class Aggregation(StrEnum):
    """What closes a bar: the end of a window of time, or what the rows have summed up to."""

    NANOSECOND = "NANOSECOND"
    MICROSECOND = "MICROSECOND"
    MILLISECOND = "MILLISECOND"
    SECOND = "SECOND"
    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    TICK = "TICK"
    VOLUME = "VOLUME"
    VALUE = "VALUE"
    IMBALANCE = "IMBALANCE"
    RUNS = "RUNS"
    RENKO = "RENKO"

    @property
    def is_time(self) -> bool:
        """Whether time closes the bar."""
        return self in UNIT_OF


UNIT_OF: Final = {
    Aggregation.NANOSECOND: "ns",
    Aggregation.MICROSECOND: "us",
    Aggregation.MILLISECOND: "ms",
    Aggregation.SECOND: "s",
    Aggregation.MINUTE: "m",
    Aggregation.HOUR: "h",
    Aggregation.DAY: "d",
    Aggregation.WEEK: "w",
    Aggregation.MONTH: "mo",
}
LENGTH_NS: Final = {
    Aggregation.NANOSECOND: 1,
    Aggregation.MICROSECOND: 10**3,
    Aggregation.MILLISECOND: 10**6,
    Aggregation.SECOND: 10**9,
    Aggregation.MINUTE: 60 * 10**9,
    Aggregation.HOUR: 3_600 * 10**9,
    Aggregation.DAY: DAY_NS,
    Aggregation.WEEK: 7 * DAY_NS,
    Aggregation.MONTH: 28 * DAY_NS,  # of the shortest; a month has no length of its own
}
_OF_UNIT: Final = {unit: aggregation for aggregation, unit in UNIT_OF.items()}
_WITHIN_DAY: Final = (
    Aggregation.NANOSECOND,
    Aggregation.MICROSECOND,
    Aggregation.MILLISECOND,
    Aggregation.SECOND,
    Aggregation.MINUTE,
    Aggregation.HOUR,
)
_OF_TRADES: Final = (Aggregation.IMBALANCE, Aggregation.RUNS)
_DECIMAL_STEPS: Final = (Aggregation.VOLUME, Aggregation.VALUE)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_TEXT: Final = re.compile(
    r"(?P<instrument>.+\.[A-Za-z0-9_]+)-(?P<step>\d+(\.\d+)?)"
    rf"((?P<unit>{'|'.join(_OF_UNIT)})|-(?P<aggregation>[A-Z]+))-(?P<source>[A-Za-z0-9][A-Za-z0-9_.-]*)",
    re.ASCII,
)


@dataclass(frozen=True)
class BarSpec:
    """Bars for the data engine to make. As text `ACME.SIM-2s-BID`, `ACME.SIM-10-VOLUME-LAST`.

        BarSpec("ACME.SIM", "MINUTE", 5, "LAST")            5m-LAST: from trades
        BarSpec("ACME.SIM", "VOLUME", "0.5", "LAST")        0.5-VOLUME-LAST
        BarSpec("ACME.SIM", "HOUR", 1, "5m-LAST")           1h-5m-LAST: from smaller bars, ours or those of the data

    Attributes:
        aggregation: one of `Aggregation`, as such or as text.
        step: a whole number of time units, rows, signed rows or (RENKO) ticks; VOLUME: a quantity; VALUE: price x
            quantity in quote currency, contract multiplier left out. Kept in its shortest text.
        source: BID, ASK, MID (of quotes), LAST (of trades), or the name of smaller bars.
        build_empty: a window of time without a row, after the first with one, gives a bar at the last close.
        skip_partial_first: give no bar for a first window that had begun before the rows did.
        offset_ns: shifts all windows of time; less than one window, either way.
        sessions: (open, close) of each session, in order. Windows of time then begin at an open and end at the close
            at the latest; days are sessions, weeks and months end at their last close. Rows outside are in no bar.
        name: what stands for the period in topics and in `Bar.period`; empty = step, aggregation and source.

    Raises `ConfigError` CONF002, `DataError` DATA012 for an instrument id of another form.

    """

    instrument_id: str
    aggregation: Aggregation | str
    step: DecimalLike
    source: str
    build_empty: bool = True
    skip_partial_first: bool = False
    offset_ns: int = 0
    sessions: tuple[tuple[int, int], ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        check_instrument_id(self.instrument_id)
        known = {one.value: one for one in Aggregation}
        aggregation = known.get(str(self.aggregation).upper())
        if aggregation is None:
            hint = did_you_mean(str(self.aggregation).upper(), list(known))
            raise _wrong(f"{quoted(self.aggregation)} is no aggregation", hint, self.aggregation)
        step = _shortest(self.step)
        source = self.source.upper() if self.source.upper() in PRICE_SOURCES else self.source
        how = f"{step}{UNIT_OF[aggregation]}" if aggregation.is_time else f"{step}-{aggregation}"
        name = self.name or f"{how}-{source}"
        for field, value in (("aggregation", aggregation), ("step", step), ("source", source), ("name", name)):
            object.__setattr__(self, field, value)
        self._check(aggregation, step)

    def _check(self, aggregation: Aggregation, step: str) -> None:
        if step.startswith("-") or step == "0":
            raise _wrong(f"step {quoted(step)} is not positive", "Give a positive number.", step)
        for field, value in (("source", self.source), ("name", self.name)):
            if _NAME.fullmatch(value) is None:
                raise _wrong(f"{quoted(value)} is no {field} of bars", "Use letters, digits, '_', '.' and '-'.", value)
        if aggregation not in _DECIMAL_STEPS and "." in step:
            raise _wrong(f"step {quoted(step)} of {aggregation} is not whole", "Give a whole number.", step)
        if aggregation in _WITHIN_DAY and not self.sessions and DAY_NS % (int(step) * LENGTH_NS[aggregation]):
            what = f"{step} {aggregation.lower()}s do not divide a day"
            raise _wrong(what, "Windows begin anew at midnight: use a step that divides it.", step)
        if aggregation is Aggregation.MONTH and MONTHS_OF_YEAR % int(step):
            raise _wrong(f"{step} months do not divide a year", "Use 1, 2, 3, 4, 6 or 12.", step)
        if aggregation in _OF_TRADES and self.source != "LAST":
            what = f"{aggregation} needs to know who traded, and {quoted(self.source)} does not"
            raise _wrong(what, "Use the source LAST.", self.source)
        if not aggregation.is_time and (self.offset_ns or self.skip_partial_first or self.sessions):
            fix = "Leave offset_ns, skip_partial_first and sessions out."
            raise _wrong(f"{aggregation} has no windows of time", fix)
        if self.sessions and self.offset_ns:
            raise _wrong("windows of sessions begin at their opens", "Leave offset_ns out.", self.offset_ns)
        late = any(closes > opens for (_, closes), (opens, _) in pairwise(self.sessions))
        if late or any(opens >= closes for opens, closes in self.sessions):
            raise _wrong("sessions overlap or are out of order", "Give (open, close) in order, each after the last.")
        if aggregation.is_time and abs(self.offset_ns) >= int(step) * LENGTH_NS[aggregation]:
            what = f"offset_ns {self.offset_ns} is not less than one window"
            raise _wrong(what, "Give the rest after whole windows.", self.offset_ns)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text: `ACME.SIM-100-TICK-LAST`. Raises as the class does, and CONF002 for another form."""
        found = _TEXT.fullmatch(text)
        if found is None:
            fix = 'Write for example "ACME.SIM-2s-BID" or "ACME.SIM-10-VOLUME-LAST".'
            raise _wrong(f"{quoted(text)} names no bars", fix, text)
        aggregation = _OF_UNIT[found["unit"]] if found["unit"] else found["aggregation"]
        if not found["unit"] and aggregation in _OF_UNIT.values():
            fix = f"Write {quoted(found['step'] + UNIT_OF[Aggregation(aggregation)])} for the time."
            raise _wrong(f"{quoted(text)} names no bars", fix, text)
        return cls(found["instrument"], aggregation, found["step"], found["source"])

    def __str__(self) -> str:
        return f"{self.instrument_id}-{self.name}"

    @property
    def topic(self) -> str:
        """Where its bars are published."""
        return bars_topic(self.instrument_id, self.name)

    @property
    def source_topic(self) -> str:
        """Where the rows come from that its bars are made of."""
        if self.source == "LAST":
            return trades_topic(self.instrument_id)
        if self.source in PRICE_SOURCES:
            return quotes_topic(self.instrument_id)
        return bars_topic(self.instrument_id, self.source)

    @property
    def length_ns(self) -> int | None:
        """How long a window of time is; None for months and for bars that time does not close."""
        if self.aggregation is Aggregation.MONTH or self.aggregation not in LENGTH_NS:
            return None
        return self.count * LENGTH_NS[Aggregation(self.aggregation)]

    @property
    def count(self) -> int:
        """The step of aggregations that count. Raises `ValueError` for VOLUME and VALUE with decimals."""
        return int(str(self.step))


def _shortest(step: DecimalLike) -> str:
    """A number in its shortest text: no trailing zeros, no grouping."""
    raw, scale = parse_decimal(step)
    text = decimal_text(raw, scale)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wrong(what: str, fix: str, value: object = None) -> ConfigError:
    return ConfigError("CONF002", "bars", what, fix, None if value is None else str(value))
