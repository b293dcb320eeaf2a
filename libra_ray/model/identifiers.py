"""Ids: plain text with a meaning. An instrument id is `SYMBOL.VENUE`, a bar type `SYMBOL.VENUE-PERIOD`."""

import re
from typing import Final, NamedTuple, NewType

from libra_ray.errors import ConfigError, DataError, quoted

__all__ = [
    "AccountId",
    "BarType",
    "ClientOrderId",
    "InstrumentId",
    "PositionId",
    "StrategyId",
    "TradeId",
    "VenueOrderId",
    "check_instrument_id",
    "instrument_venue",
    "period_ns",
]

InstrumentId = NewType("InstrumentId", str)
ClientOrderId = NewType("ClientOrderId", str)
VenueOrderId = NewType("VenueOrderId", str)
TradeId = NewType("TradeId", str)
PositionId = NewType("PositionId", str)
StrategyId = NewType("StrategyId", str)
AccountId = NewType("AccountId", str)

_FORBIDDEN = re.compile(r"[^A-Za-z0-9._-]")
_PERIOD = re.compile(r"([1-9]\d{0,8})(ms|s|m|h|d|w)", re.ASCII)
_UNIT_NS: Final = {
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3_600 * 10**9,
    "d": 86_400 * 10**9,
    "w": 604_800 * 10**9,
}


def check_instrument_id(text: str) -> InstrumentId:
    """`text` as an instrument id. Raises `DataError` DATA012 where it has another form."""
    found = _FORBIDDEN.search(text)
    if found is not None:
        what = f"instrument id {quoted(text)} contains {quoted(found.group())}"
        raise DataError("DATA012", None, what, "Allowed are letters, digits, '.', '_' and '-'.", text)
    symbol, _, venue = text.rpartition(".")
    if not symbol or not venue or ".." in text or symbol.startswith(".") or "-" in venue:
        what = f"instrument id {quoted(text)} is not SYMBOL.VENUE"
        raise DataError("DATA012", None, what, "Write for example 'EURUSD.SIM'.", text)
    return InstrumentId(text)


def instrument_venue(instrument_id: str) -> str:
    """The venue: what stands after the last dot."""
    return instrument_id.rpartition(".")[2]


def period_ns(period: str) -> int:
    """The length of a bar period such as `1m`, `4h`, `1d` in nanoseconds. Raises `ConfigError` CONF002."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        fix = 'Write for example "1m", "1h" or "1d".'
        raise ConfigError("CONF002", None, f"{quoted(period)} is not a bar period", fix, period)
    return int(match.group(1)) * _UNIT_NS[match.group(2)]


class BarType(NamedTuple):
    """Which bars: of what instrument, how long each. As text `EURUSD.SIM-1h`."""

    instrument_id: InstrumentId
    period: str

    @classmethod
    def parse(cls, text: str) -> "BarType":
        """From its text. Raises `DataError` DATA012 or `ConfigError` CONF002."""
        instrument_id, _, period = text.rpartition("-")
        period_ns(period)
        return cls(check_instrument_id(instrument_id), period)

    def __str__(self) -> str:
        return f"{self.instrument_id}-{self.period}"
