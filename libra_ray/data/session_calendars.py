"""When real exchanges are open: their calendars of sessions, holidays and early closes left out."""

import warnings
from typing import Final

from libra_ray.data.times import instant_ns, time_text
from libra_ray.errors import ConfigError, did_you_mean, quoted

__all__ = ["trading_sessions"]

PACKAGE: Final = "exchange_calendars"
DAY_NS: Final = 86_400 * 10**9


def trading_sessions(exchange: str, start: str | int, end: str | int) -> tuple[tuple[int, int], ...]:
    """The (open, close) times of an exchange's sessions that open from `start` on and before `end`, nanoseconds UTC.

        venue = system.add_venue("XNYS", sessions=lr.trading_sessions("XNYS", "2024-01-01", "2025-01-01"), ...)
        lr.BarSpec("SPY.XNYS", "HOUR", 1, "LAST", sessions=lr.trading_sessions("XNYS", "2024-01-01", "2025-01-01"))

    `exchange` is an ISO 10383 code such as XNYS, XLON, XHKG; times are text or nanoseconds. A break at noon makes two
    sessions of a day. From the package exchange-calendars (extra `calendars`): its history and its holidays ahead.

    Raises `ConfigError`: CONF008 without the package or for an unknown exchange, CONF002 for a range that it does not
    cover or that is empty.
    """
    try:
        import exchange_calendars
    except ImportError:
        fix = "Install it: pip install libra-ray[calendars]"
        raise ConfigError("CONF008", None, f"sessions of exchanges need the package {PACKAGE}", fix) from None
    start_ns, end_ns = (instant_ns(each) if isinstance(each, str) else each for each in (start, end))
    if start_ns >= end_ns:
        what = f"{time_text(start_ns)} is not before {time_text(end_ns)}"
        raise ConfigError("CONF002", "start", what, "Give an earlier start.", str(start))
    known = exchange_calendars.get_calendar_names(include_aliases=False)
    if exchange not in known:
        what = f"{quoted(exchange)} is no exchange with a calendar"
        raise ConfigError("CONF008", "exchange", what, did_you_mean(exchange, known), exchange)
    import pandas as pd

    # A session may open on the UTC day before its date: one day more, then by the opens themselves.
    dates = [pd.Timestamp(each, tz="UTC").tz_localize(None).normalize() for each in (start_ns - DAY_NS, end_ns)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pandas, about how the package uses it
            last = dates[1] + pd.Timedelta(days=1)
            schedule = exchange_calendars.get_calendar(exchange, start=dates[0], end=last).schedule
    except ValueError as error:
        raise ConfigError("CONF002", "start", f"{exchange}: {error}", "Give another range.", exchange) from None
    spans: list[tuple[int, int]] = []
    for opens, break_start, break_end, closes in schedule.itertuples(index=False):
        if pd.isna(break_start):
            spans.append((opens.value, closes.value))
        else:
            spans += [(opens.value, break_start.value), (break_end.value, closes.value)]
    return tuple((int(opens), int(closes)) for opens, closes in spans if start_ns <= opens < end_ns)
