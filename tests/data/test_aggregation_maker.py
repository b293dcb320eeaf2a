"""All bars of a run together: their order, bars of bars, and what a run cannot make."""

import pytest

from libra_ray.data.aggregation import BarMaker, BarSpec
from libra_ray.errors import ConfigError
from libra_ray.model.instruments import equity
from libra_ray.runtime import NEVER_NS
from tests.data.aggregation_rows import ACME, QUOTES, SECOND_NS, TRADES, bar, maker_of, named, played, quote, trade

S = SECOND_NS
ZINC = equity("ZINC.SIM", quote="USD")
MINUTES = "data.bars.ACME.SIM-1m"
HAS = "It has data.trades.SIM.ACME, data.bars.ACME.SIM-1m."


def periods(maker: BarMaker, *rows: tuple[str, int], until_ns: int = 0) -> list[tuple[str, int]]:
    """(name, ts) of what trades at these times make."""
    bars = played(maker, [(topic, trade(ts_ns, 10)) for topic, ts_ns in rows], until_ns)
    return [(f"{made.instrument_id}-{made.period}", made.ts_ns) for made in bars]


def test_nothing_is_due_without_bars_of_time_or_before_a_row() -> None:
    assert maker_of().next_close_ns == NEVER_NS
    assert maker_of("ACME.SIM-5-TICK-LAST").next_close_ns == NEVER_NS
    maker = maker_of("ACME.SIM-2s-LAST")
    assert maker.next_close_ns == NEVER_NS

    maker.before_row(TRADES, trade(1, 10))

    assert maker.next_close_ns == 2 * S


def test_it_takes_the_rows_that_bars_are_made_of_and_no_others() -> None:
    maker = maker_of("ACME.SIM-2s-BID", "ACME.SIM-4s-2s-BID")

    assert [topic in maker.sources for topic in (QUOTES, TRADES, "data.bars.ACME.SIM-2s-BID")] == [True, False, True]
    assert maker.before_row(TRADES, trade(1, 10)) == []
    assert maker.next_close_ns == NEVER_NS


def test_windows_that_end_together_go_by_instrument_rank_and_name() -> None:
    specs = [BarSpec.parse(text) for text in ("ACME.SIM-2s-LAST", "ZINC.SIM-2s-LAST", "ZINC.SIM-1s-LAST")]
    zinc_trades = "data.trades.SIM.ZINC"
    maker = BarMaker(specs, {ZINC.id: ZINC, ACME.id: ACME}, [TRADES, zinc_trades])

    made = periods(maker, (TRADES, S + 1), (zinc_trades, S + 2), until_ns=2 * S)

    assert made == [("ZINC.SIM-1s-LAST", 2 * S), ("ZINC.SIM-2s-LAST", 2 * S), ("ACME.SIM-2s-LAST", 2 * S)]


def test_a_larger_window_has_the_smaller_bar_of_its_end_whatever_their_order() -> None:
    """By name the larger one is delivered first: "10s" is before "5s"."""
    maker = maker_of("ACME.SIM-5s-LAST", "ACME.SIM-10s-5s-LAST")
    rows = [(TRADES, trade(4 * S, 10, 1)), (TRADES, trade(9 * S, 12, 2))]

    assert named(played(maker, rows, until_ns=10 * S)) == [
        ("5s-LAST", 5 * S, (10, 10, 10, 10, 1)),
        ("10s-5s-LAST", 10 * S, (10, 12, 10, 12, 3)),
        ("5s-LAST", 10 * S, (12, 12, 12, 12, 2)),
    ]


def test_a_first_smaller_bar_at_the_end_of_a_larger_window_closes_it_too() -> None:
    maker = maker_of("ACME.SIM-5s-LAST", "ACME.SIM-10s-5s-LAST")

    assert periods(maker, (TRADES, 9 * S), until_ns=10 * S) == [
        ("ACME.SIM-10s-5s-LAST", 10 * S),
        ("ACME.SIM-5s-LAST", 10 * S),
    ]


def test_what_a_bar_of_ours_closes_comes_just_before_it() -> None:
    maker = maker_of("ACME.SIM-1s-LAST", "ACME.SIM-2-TICK-1s-LAST", "ACME.SIM-1-TICK-2-TICK-1s-LAST")

    made = periods(maker, (TRADES, 1), (TRADES, S + 1), until_ns=2 * S)

    assert [name.removeprefix("ACME.SIM-") for name, _ in made] == [
        *("1s-LAST", "1-TICK-2-TICK-1s-LAST", "2-TICK-1s-LAST", "1s-LAST"),
    ]


def test_an_empty_bar_of_ours_is_in_no_larger_bar() -> None:
    """It would open the larger one at a price that nobody paid in that time."""
    maker = maker_of("ACME.SIM-1s-LAST", "ACME.SIM-2s-1s-LAST")
    rows = [(TRADES, trade(2 * S, 10)), (TRADES, trade(4 * S, 12))]

    made = [one for one in named(played(maker, rows, until_ns=6 * S)) if one[0] == "2s-1s-LAST"]

    assert [numbers for _, _, numbers in made] == [(10, 10, 10, 10, 1), (12, 12, 12, 12, 1), (12, 12, 12, 12, 0)]


def test_bars_that_one_row_closes_go_by_name() -> None:
    maker = maker_of("ACME.SIM-5-VOLUME-LAST", "ACME.SIM-1-TICK-LAST", "ACME.SIM-10-VOLUME-LAST")

    assert named(maker.before_row(TRADES, trade(7, 100, 12))) == [
        ("1-TICK-LAST", 7, (100, 100, 100, 100, 12)),
        ("10-VOLUME-LAST", 7, (100, 100, 100, 100, 10)),
        ("5-VOLUME-LAST", 7, (100, 100, 100, 100, 5)),
        ("5-VOLUME-LAST", 7, (100, 100, 100, 100, 5)),
    ]


def test_bars_of_the_data_make_larger_ones() -> None:
    maker = maker_of("ACME.SIM-2m-1m", topics=[MINUTES])
    rows = [(MINUTES, bar(60 * S, 10, 15, 9, 12, 100)), (MINUTES, bar(120 * S, 12, 13, 5, 6, 50))]

    assert named(played(maker, rows, until_ns=120 * S)) == [("2m-1m", 120 * S, (10, 15, 5, 6, 150))]


@pytest.mark.parametrize(("first_s", "closes_s"), [(60, [120, 240]), (120, [240])])
def test_a_smaller_bar_covers_the_time_before_it_when_a_first_window_is_judged(
    first_s: int, closes_s: list[int]
) -> None:
    maker = maker_of(BarSpec("ACME.SIM", "MINUTE", 2, "1m", skip_partial_first=True), topics=[MINUTES])

    made = played(maker, [(MINUTES, bar(first_s * S, 1, 1, 1, 1, 1))], until_ns=240 * S)

    assert [one.ts_ns for one in made] == [second * S for second in closes_s]


@pytest.mark.parametrize(("skips", "first_ns", "closes_s"), [(False, 5, [4]), (True, 5, [4]), (True, 0, [2, 4])])
def test_a_first_bar_of_ours_covers_its_window_only_where_partial_ones_are_skipped(
    skips: bool,  # noqa: FBT001 - a parameter of the test
    first_ns: int,
    closes_s: list[int],
) -> None:
    """A row at 0 s is of the second before, which then is left out: the bars after it cover all of two seconds."""
    maker = maker_of(
        BarSpec("ACME.SIM", "SECOND", 1, "LAST", skip_partial_first=skips),
        BarSpec("ACME.SIM", "SECOND", 2, "1s-LAST", skip_partial_first=True),
    )

    made = played(maker, [(TRADES, trade(ts, 10)) for ts in (first_ns, 6, 3 * S)], until_ns=4 * S)

    assert [one.ts_ns // S for one in made if one.period == "2s-1s-LAST"] == closes_s


def test_one_row_serves_bars_of_all_prices() -> None:
    maker = maker_of("ACME.SIM-1-TICK-ASK", "ACME.SIM-1-TICK-BID", "ACME.SIM-1-TICK-MID")

    made = maker.before_row(QUOTES, quote(1, 100, 103))

    assert [(one.period, one.close_raw) for one in made] == [
        *(("1-TICK-ASK", 103), ("1-TICK-BID", 100), ("1-TICK-MID", 102)),
    ]


def test_a_long_pause_gives_every_empty_bar_in_order_of_time() -> None:
    maker = maker_of("ACME.SIM-1s-LAST", "ACME.SIM-2s-LAST")
    maker.before_row(TRADES, trade(1, 10))

    made = maker.close_due(4 * S)

    assert [(one.period, one.ts_ns // S) for one in made] == [
        *(("1s-LAST", 1), ("1s-LAST", 2), ("2s-LAST", 2), ("1s-LAST", 3), ("1s-LAST", 4), ("2s-LAST", 4)),
    ]


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (
            ["EMU.SIM-2s-BID"],
            "CONF008 bars: bars 'EMU.SIM-2s-BID' are of an instrument that is not loaded. Loaded are ACME.SIM.",
        ),
        (
            ["ACME.SIM-2s-1s"],
            "CONF008 bars: bars 'ACME.SIM-2s-1s' are made of 'data.bars.ACME.SIM-1s', which the data does not have. "
            + HAS,
        ),
        (
            ["ACME.SIM-2s-BID"],
            "CONF008 bars: bars 'ACME.SIM-2s-BID' are made of 'data.quotes.SIM.ACME', which the data does not have. "
            + HAS,
        ),
        (
            ["ACME.SIM-2s-LAST", "ACME.SIM-2s-LAST"],
            "CONF007 bars: bars 'ACME.SIM-2s-LAST' are given 2 times. Give one of them a name of its own.",
        ),
        (
            [BarSpec("ACME.SIM", "MINUTE", 1, "LAST", name="1m")],
            "CONF007 bars: bars 'ACME.SIM-1m' are given 2 times. Give one of them a name of its own.",
        ),
        (
            [BarSpec("ACME.SIM", "TICK", 2, "b", name="a"), BarSpec("ACME.SIM", "TICK", 2, "a", name="b")],
            "CONF002 bars: bars 'ACME.SIM-a' are made of themselves. Make them of ticks or of smaller bars.",
        ),
    ],
)
def test_bars_that_a_run_cannot_make_are_refused(specs: list[str | BarSpec], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        maker_of(*specs, topics=[TRADES, MINUTES])

    assert caught.value.message == message
