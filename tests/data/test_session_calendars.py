"""Sessions of real exchanges: holidays, early closes, breaks at noon and summer time."""

import sys

import pytest

from libra_ray.data.session_calendars import trading_sessions
from libra_ray.data.times import time_text
from libra_ray.errors import ConfigError


def texts(exchange: str, start: str, end: str) -> list[tuple[str, str]]:
    return [(time_text(opens), time_text(closes)) for opens, closes in trading_sessions(exchange, start, end)]


@pytest.mark.slow
def test_the_week_of_independence_day_has_a_holiday_and_a_short_day() -> None:
    assert texts("XNYS", "2024-07-01", "2024-07-08") == [
        ("2024-07-01T13:30:00Z", "2024-07-01T20:00:00Z"),
        ("2024-07-02T13:30:00Z", "2024-07-02T20:00:00Z"),
        ("2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z"),
        ("2024-07-05T13:30:00Z", "2024-07-05T20:00:00Z"),
    ]


def test_summer_time_moves_the_open() -> None:
    assert [opens for opens, _ in texts("XNYS", "2024-03-08", "2024-03-12")] == [
        "2024-03-08T14:30:00Z",
        "2024-03-11T13:30:00Z",
    ]


def test_a_break_at_noon_makes_two_sessions() -> None:
    assert texts("XHKG", "2024-07-02", "2024-07-03") == [
        ("2024-07-02T01:30:00Z", "2024-07-02T04:00:00Z"),
        ("2024-07-02T05:00:00Z", "2024-07-02T08:00:00Z"),
    ]


def test_a_session_that_opens_the_evening_before_counts_by_its_open() -> None:
    assert texts("CMES", "2024-07-01T22:00:00Z", "2024-07-02T22:00:00Z") == [
        ("2024-07-01T22:00:00Z", "2024-07-02T22:00:00Z")
    ]


def test_a_range_without_a_session_has_none() -> None:
    assert texts("XNYS", "2024-07-06", "2024-07-07") == []


@pytest.mark.parametrize(
    ("exchange", "start", "end", "message"),
    [
        (
            "XNYZ",
            "2024-07-01",
            "2024-07-08",
            "CONF008 exchange: 'XNYZ' is no exchange with a calendar. Did you mean 'XNZE'?",
        ),
        (
            "XNYS",
            "2024-07-08",
            "2024-07-01",
            "CONF002 start: 2024-07-08T00:00:00Z is not before 2024-07-01T00:00:00Z. Give an earlier start.",
        ),
    ],
)
def test_what_no_calendar_has(exchange: str, start: str, end: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        trading_sessions(exchange, start, end)

    assert caught.value.message == message


def test_without_the_package_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    with pytest.raises(ConfigError, match=r"CONF008.*pip install libra-ray\[calendars\]"):
        trading_sessions("XNYS", "2024-07-01", "2024-07-08")
