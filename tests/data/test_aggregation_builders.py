"""Each builder by example, with every number."""

from datetime import UTC, datetime

import pytest

from libra_ray.data.aggregation import BarSpec, make_builder
from libra_ray.errors import ConfigError
from libra_ray.model.instruments import equity
from tests.data.aggregation_rows import (
    ACME,
    BUYER,
    NONE,
    SECOND_NS,
    SELLER,
    bar,
    made_by,
    ohlcv,
    quote,
    stamped,
    trade,
    volumes,
)

DAY_NS = 86_400 * SECOND_NS
S = SECOND_NS


def at(*date_and_time: int) -> int:
    """Nanoseconds UTC of a date."""
    return int(datetime(*date_and_time, tzinfo=UTC).timestamp()) * SECOND_NS  # type: ignore[arg-type,misc]  # numbers


# ---------------------------------------------------------------------- by count


def test_tick_bars_close_with_every_nth_row() -> None:
    rows = [trade(ts, price, 2) for ts, price in enumerate([10, 12, 9, 11, 13, 14, 8], 1)]

    bars, rest_raw = made_by("ACME.SIM-3-TICK-LAST", rows)

    assert stamped(bars) == [(3, (10, 12, 9, 9, 6)), (6, (11, 14, 11, 14, 6))]
    assert rest_raw == 2
    assert [(one.ts_event_ns, one.period, one.instrument_id) for one in bars[:1]] == [(2, "3-TICK-LAST", "ACME.SIM")]


def test_a_trade_that_overshoots_is_split_as_often_as_needed() -> None:
    bars, rest_raw = made_by("ACME.SIM-10-VOLUME-LAST", [trade(1, 100, 4), trade(2, 110, 3), trade(3, 105, 27)])

    assert stamped(bars) == [
        (3, (100, 110, 100, 105, 10)),
        (3, (105, 105, 105, 105, 10)),
        (3, (105, 105, 105, 105, 10)),
    ]
    assert rest_raw == 4


def test_a_trade_that_fits_exactly_opens_no_next_bar() -> None:
    bars, rest_raw = made_by("ACME.SIM-10-VOLUME-LAST", [trade(1, 100, 10), trade(2, 90, 10)])

    assert stamped(bars) == [(1, (100, 100, 100, 100, 10)), (2, (90, 90, 90, 90, 10))]
    assert rest_raw == 0


def test_value_is_reached_at_the_next_size_step() -> None:
    """100.00 USD at 30.00: 4 shares are 120, the first multiple at or past the step; then 4 again, 3 left."""
    bars, rest_raw = made_by("ACME.SIM-100-VALUE-LAST", [trade(1, 3_000, 11)])

    assert volumes(bars) == [4, 4]
    assert rest_raw == 3


def test_value_sums_over_trades_and_the_next_bar_begins_at_zero() -> None:
    """30 + 50 USD, then 40.00 x 5: one share is enough to pass 100; of the four left, three make 120."""
    bars, rest_raw = made_by("ACME.SIM-100-VALUE-LAST", [trade(1, 3_000, 1), trade(2, 5_000, 1), trade(3, 4_000, 5)])

    assert stamped(bars) == [(3, (3_000, 5_000, 3_000, 4_000, 3)), (3, (4_000, 4_000, 4_000, 4_000, 3))]
    assert rest_raw == 1


def test_a_size_off_the_grid_closes_with_all_of_it() -> None:
    """103 USD at 100.00 needs 1.03, on the grid of 0.10 that is 1.10; the trade has 1.05, which is enough."""
    coarse = equity("ACME.SIM", quote="USD", tick="0.01", step="0.10")

    bars, rest_raw = made_by("ACME.SIM-103-VALUE-LAST", [trade(1, 10_000, 105)], coarse)

    assert (volumes(bars), rest_raw) == ([105], 0)


def test_a_price_of_zero_reaches_no_value() -> None:
    assert made_by("ACME.SIM-1-VALUE-LAST", [trade(1, 0, 50)]) == ([], 50)


# ---------------------------------------------------------------------- by side


def test_imbalance_closes_at_n_either_way_and_starts_at_zero() -> None:
    sides = [BUYER, SELLER, BUYER, NONE, BUYER, SELLER, SELLER]
    rows = [trade(ts, 100 + ts, 1, side) for ts, side in enumerate(sides, 1)]

    bars, rest_raw = made_by("ACME.SIM-2-IMBALANCE-LAST", rows)

    assert stamped(bars) == [(5, (101, 105, 101, 105, 5)), (7, (106, 107, 106, 107, 2))]
    assert rest_raw == 0


def test_runs_keep_the_count_and_the_volume_of_a_side_that_was_interrupted() -> None:
    """Buyers 4, sellers 3, buyers 7 by quantity: a change of side neither resets the count nor drops volume."""
    rows = [trade(1, 10, 4, BUYER), trade(2, 11, 3, SELLER), trade(3, 12, 1, NONE), trade(4, 13, 7, BUYER)]

    bars, rest_raw = made_by("ACME.SIM-2-RUNS-LAST", rows)

    assert stamped(bars) == [(4, (10, 13, 10, 13, 15))]
    assert rest_raw == 0


def test_runs_count_both_sides_anew_after_a_bar() -> None:
    sides = [BUYER, SELLER, BUYER, SELLER, SELLER]

    bars, _ = made_by("ACME.SIM-2-RUNS-LAST", [trade(ts, 10, 1, side) for ts, side in enumerate(sides, 1)])

    assert [one.ts_ns for one in bars] == [3, 5]


# ---------------------------------------------------------------------- by price


def test_the_first_brick_of_a_trade_carries_the_volume_and_the_others_none() -> None:
    bars, rest_raw = made_by("ACME.SIM-5-RENKO-LAST", [trade(1, 100, 3), trade(2, 103, 2), trade(3, 116, 4)])

    assert stamped(bars) == [
        (3, (100, 105, 100, 105, 9)),
        (3, (105, 110, 105, 110, 0)),
        (3, (110, 115, 110, 115, 0)),
    ]
    assert rest_raw == 0


def test_bricks_turn_at_one_height_below_the_last() -> None:
    bars, rest_raw = made_by("ACME.SIM-5-RENKO-LAST", [trade(1, 100), trade(2, 105), trade(3, 100), trade(4, 96)])

    assert stamped(bars) == [(2, (100, 105, 100, 105, 2)), (3, (105, 105, 100, 100, 1))]
    assert rest_raw == 1


# ---------------------------------------------------------------------- by time


def test_a_row_at_the_end_of_a_window_is_in_it() -> None:
    rows = [quote(ts * S, 90_000 + ts, 90_010 + ts, 100) for ts in (1, 2, 3, 4, 5, 9)]

    bars, rest_raw = made_by("ACME.SIM-2s-BID", rows)

    assert stamped(bars) == [
        (2 * S, (90_001, 90_002, 90_001, 90_002, 200)),
        (4 * S, (90_003, 90_004, 90_003, 90_004, 200)),
        (6 * S, (90_005, 90_005, 90_005, 90_005, 100)),
        (8 * S, (90_005, 90_005, 90_005, 90_005, 0)),
    ]
    assert rest_raw == 100


def test_an_empty_bar_stands_at_the_last_close_whatever_the_range_was() -> None:
    rows = [trade(1, 10), trade(2, 14), trade(3, 6), trade(4, 11), trade(5 * S, 12)]

    bars, _ = made_by("ACME.SIM-2s-LAST", rows)

    assert stamped(bars) == [(2 * S, (10, 14, 6, 11, 4)), (4 * S, (11, 11, 11, 11, 0))]


def test_without_empty_bars_the_next_window_is_that_of_the_next_row() -> None:
    spec = BarSpec("ACME.SIM", "SECOND", 2, "LAST", build_empty=False)

    bars, _ = made_by(spec, [trade(1 * S, 10), trade(9 * S, 11), trade(11 * S, 12)])

    assert stamped(bars) == [(2 * S, (10, 10, 10, 10, 1)), (10 * S, (11, 11, 11, 11, 1))]


@pytest.mark.parametrize(("first_ns", "closes_s"), [(1, [2, 4]), (2, [4]), (2 * S, [4])])
def test_a_first_window_that_began_before_the_rows_can_be_skipped(first_ns: int, closes_s: list[int]) -> None:
    spec = BarSpec("ACME.SIM", "SECOND", 2, "LAST", skip_partial_first=True)

    bars, _ = made_by(spec, [trade(first_ns, 10), trade(3 * S, 11), trade(5 * S, 12)])

    assert [one.ts_ns for one in bars] == [second * S for second in closes_s]


def test_after_a_skipped_window_an_empty_one_stands_at_its_close() -> None:
    spec = BarSpec("ACME.SIM", "SECOND", 2, "LAST", skip_partial_first=True)

    bars, _ = made_by(spec, [trade(1 * S, 10, 7), trade(5 * S, 12)])

    assert stamped(bars) == [(4 * S, (10, 10, 10, 10, 0))]


def test_a_mid_price_is_half_even_and_its_size_rounds_down() -> None:
    rows = [quote(1, 100, 101, 3, 4), quote(2, 101, 102, 1, 2), quote(3, -3, -2, 1, 1)]

    bars, _ = made_by("ACME.SIM-1-TICK-MID", rows)

    assert [(one.close_raw, one.volume_raw) for one in bars] == [(100, 3), (102, 1), (-2, 1)]


def test_each_side_of_a_quote_has_its_own_price_and_size() -> None:
    rows = [quote(1, 100, 101, 3, 4)]

    assert [ohlcv(made_by(f"ACME.SIM-1-TICK-{side}", rows)[0][0])[3:] for side in ("BID", "ASK")] == [
        (100, 3),
        (101, 4),
    ]


def test_weeks_end_on_monday_and_months_on_the_first() -> None:
    rows = [
        trade(at(2024, 2, 28), 10),
        trade(at(2024, 3, 1), 11),
        trade(at(2024, 3, 1) + 1, 12),
        trade(at(2025, 1, 2), 9),
    ]

    months, _ = made_by("ACME.SIM-1mo-LAST", rows)
    weeks, _ = made_by("ACME.SIM-1w-LAST", rows[:3])
    quarters, _ = made_by("ACME.SIM-3mo-LAST", rows)

    assert stamped(months[:2]) == [(at(2024, 3, 1), (10, 11, 10, 11, 2)), (at(2024, 4, 1), (12, 12, 12, 12, 1))]
    assert (months[-1].ts_ns, len(months)) == (at(2025, 1, 1), 11)
    assert weeks == []
    assert [one.ts_ns for one in quarters] == [at(2024, 4, 1), at(2024, 7, 1), at(2024, 10, 1), at(2025, 1, 1)]


@pytest.mark.parametrize(
    ("spec", "ts_ns", "close_ns"),
    [
        (BarSpec("ACME.SIM", "WEEK", 1, "LAST"), at(2024, 2, 28), at(2024, 3, 4)),
        (BarSpec("ACME.SIM", "WEEK", 1, "LAST"), at(2024, 3, 4), at(2024, 3, 4)),
        (BarSpec("ACME.SIM", "DAY", 7, "LAST"), at(2024, 2, 28), at(2024, 3, 4)),
        (BarSpec("ACME.SIM", "DAY", 1, "LAST", offset_ns=22 * 3_600 * S), at(2024, 2, 28, 22) + 1, at(2024, 2, 29, 22)),
        (BarSpec("ACME.SIM", "DAY", 1, "LAST", offset_ns=-2 * 3_600 * S), at(2024, 2, 28, 22), at(2024, 2, 28, 22)),
        (BarSpec("ACME.SIM", "MINUTE", 1, "LAST", offset_ns=-1), at(2024, 2, 28), at(2024, 2, 28, 0, 1) - 1),
        (BarSpec("ACME.SIM", "MONTH", 1, "LAST", offset_ns=DAY_NS), at(2024, 3, 2), at(2024, 3, 2)),
        (BarSpec("ACME.SIM", "MONTH", 12, "LAST"), at(1969, 12, 31), at(1970, 1, 1)),
        (BarSpec("ACME.SIM", "HOUR", 4, "LAST"), at(1969, 12, 31, 21), at(1970, 1, 1)),
    ],
)
def test_windows_stand_on_the_calendar(spec: BarSpec, ts_ns: int, close_ns: int) -> None:
    builder = make_builder(spec, ACME)

    builder.on_row(trade(ts_ns, 10))

    assert builder.next_close_ns == close_ns  # type: ignore[union-attr]  # a builder of time


def test_a_row_past_an_open_window_and_an_early_close_are_our_bugs() -> None:
    builder = make_builder(BarSpec.parse("ACME.SIM-2s-LAST"), ACME)
    builder.on_row(trade(1 * S, 10))

    with pytest.raises(ValueError, match="is past the window that ends at 2000000000"):
        builder.on_row(trade(3 * S, 10))
    with pytest.raises(ValueError, match="closed at 1, not at 2000000000"):
        builder.close(1)  # type: ignore[union-attr]  # a builder of time


# ---------------------------------------------------------------------- of bars


def test_larger_bars_keep_the_range_of_smaller_ones() -> None:
    rows = [bar(60 * S, 10, 15, 9, 12, 100), bar(120 * S, 12, 13, 5, 6, 50), bar(180 * S, 6, 7, 6, 7, 1)]

    bars, _ = made_by("ACME.SIM-2m-1m", rows)

    assert stamped(bars) == [(120 * S, (10, 15, 5, 6, 150))]


def test_a_smaller_bar_that_overshoots_shows_its_range_once() -> None:
    bars, rest_raw = made_by("ACME.SIM-100-VOLUME-1m", [bar(60 * S, 10, 15, 9, 12, 250)])

    assert stamped(bars) == [(60 * S, (10, 15, 9, 12, 100)), (60 * S, (12, 12, 12, 12, 100))]
    assert rest_raw == 50


def test_a_step_finer_than_the_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"step '0\.5' of ACME\.SIM has more than 0 decimals"):
        make_builder(BarSpec.parse("ACME.SIM-0.5-VOLUME-LAST"), ACME)
