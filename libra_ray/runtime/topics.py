"""Topics: dot-separated text, their patterns, and the names of those that carry market data."""

import re
from typing import Final

__all__ = [
    "MARKET_DATA_PREFIX",
    "bars_topic",
    "book_topic",
    "check_pattern",
    "check_topic",
    "custom_topic",
    "quotes_topic",
    "signal_topic",
    "state_topic",
    "trades_topic",
]

MARKET_DATA_PREFIX: Final = "data."
"""Topics that begin so are market data: rank orders their handlers, not priority."""

_CHARS_MAX: Final = 256
_TOPIC = re.compile(rf"[A-Za-z0-9_.:/-]{{1,{_CHARS_MAX}}}", re.ASCII)
_PATTERN = re.compile(rf"[A-Za-z0-9_.:/*?-]{{1,{_CHARS_MAX}}}", re.ASCII)


def check_topic(topic: str) -> None:
    """Raises `ValueError` unless `topic` is 1 to 256 of `[A-Za-z0-9_.:/-]`. Endpoints are named by the same rule."""
    if not isinstance(topic, str):
        raise TypeError(f"a topic is text, not {topic!r}")
    if _TOPIC.fullmatch(topic) is None:
        raise ValueError(f"{topic!r} is no topic: 1 to {_CHARS_MAX} letters, digits and '_.:/-'")


def check_pattern(pattern: str) -> None:
    """Raises `ValueError` unless `pattern` is a topic in which `*` and `?` may stand."""
    if not isinstance(pattern, str):
        raise TypeError(f"a pattern is text, not {pattern!r}")
    if _PATTERN.fullmatch(pattern) is None:
        raise ValueError(f"{pattern!r} is no pattern: 1 to {_CHARS_MAX} letters, digits and '_.:/-*?'")


def bars_topic(instrument_id: str, period: str) -> str:
    """`data.bars.EURUSD.SIM-1h`."""
    return f"data.bars.{instrument_id}-{period}"


def quotes_topic(instrument_id: str) -> str:
    """`data.quotes.SIM.EURUSD`."""
    return f"data.quotes.{_venue_first(instrument_id)}"


def trades_topic(instrument_id: str) -> str:
    """`data.trades.SIM.EURUSD`."""
    return f"data.trades.{_venue_first(instrument_id)}"


def book_topic(instrument_id: str) -> str:
    """`data.book.deltas.SIM.EURUSD`."""
    return f"data.book.deltas.{_venue_first(instrument_id)}"


def custom_topic(name: str) -> str:
    """`data.custom.{name}`."""
    return f"data.custom.{name}"


def signal_topic(name: str) -> str:
    """`signals.{name}`."""
    return f"signals.{name}"


def state_topic(actor_id: str) -> str:
    """`events.system.{actor_id}`, where lifecycle events go."""
    return f"events.system.{actor_id}"


def _venue_first(instrument_id: str) -> str:
    """`EURUSD.SIM` as `SIM.EURUSD`. Raises `ValueError` where there is no venue."""
    if not isinstance(instrument_id, str):
        raise TypeError(f"an instrument id is text, not {instrument_id!r}")
    symbol, _, venue = instrument_id.rpartition(".")
    if not symbol or not venue:
        raise ValueError(f"instrument id {instrument_id!r} is not SYMBOL.VENUE")
    return f"{venue}.{symbol}"
