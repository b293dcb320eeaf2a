"""Bars of whole columns are the bars that come row by row."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.aggregation import BarSpec, aggregate
from libra_ray.data.aggregation.batches import batch_bars
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import QUOTES, TRADES, Quote, Row, Trade, raw_column
from libra_ray.model.instruments import Instrument, equity, pair
from tests.data.aggregation_rows import Ohlcv, maker_of, played, quote, trade

S = 10**9
DAY = 86_400 * S
ACME = equity("ACME.SIM", quote="USD", tick="0.01", step="1")
FINE = pair("ACME.SIM", base="ETH", quote="USD", tick="0.000000000001", step="0.000000000001")
OF_TRADES = (
    *("ACME.SIM-2s-LAST", "ACME.SIM-500ms-LAST", "ACME.SIM-1mo-LAST", "ACME.SIM-1d-LAST", "ACME.SIM-1w-LAST"),
    *("ACME.SIM-1-TICK-LAST", "ACME.SIM-7-TICK-LAST", "ACME.SIM-250000us-LAST", "ACME.SIM-100000000ns-LAST"),
    *("ACME.SIM-1-VOLUME-LAST", "ACME.SIM-13-VOLUME-LAST", "ACME.SIM-60-VOLUME-LAST"),
    *("ACME.SIM-0.5-VALUE-LAST", "ACME.SIM-11-VALUE-LAST", "ACME.SIM-900-VALUE-LAST"),
    *("ACME.SIM-1-IMBALANCE-LAST", "ACME.SIM-3-IMBALANCE-LAST", "ACME.SIM-1-RUNS-LAST", "ACME.SIM-4-RUNS-LAST"),
    *("ACME.SIM-1-RENKO-LAST", "ACME.SIM-20-RENKO-LAST"),
)
OF_BARS = (
    *("ACME.SIM-2s-500ms-LAST", "ACME.SIM-3-TICK-500ms-LAST", "ACME.SIM-40-VOLUME-500ms-LAST"),
    *("ACME.SIM-30-VALUE-7-TICK-LAST", "ACME.SIM-2-RENKO-7-TICK-LAST"),
)
OF_QUOTES = ("ACME.SIM-1s-BID", "ACME.SIM-3-TICK-ASK", "ACME.SIM-11-VOLUME-MID", "ACME.SIM-2-RENKO-MID")
LARGE_VALUES = ("ACME.SIM", "VALUE", 10**24, "LAST")
SESSIONS = ((1 * S, 4 * S), (6 * S, 11 * S), (11 * S, 13 * S))

times = st.integers(0, 20 * S)
trades = st.lists(
    st.builds(trade, times, st.integers(-20, 400), st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=50
).map(lambda rows: sorted(rows, key=lambda row: row.ts_ns))
quotes = st.lists(
    st.builds(quote, times, st.integers(-20, 400), st.integers(401, 420), st.integers(0, 60), st.integers(0, 60)),
    min_size=1,
    max_size=40,
).map(lambda rows: sorted(rows, key=lambda row: row.ts_ns))


def dataset(ticks: Sequence[Trade], tops: Sequence[Quote] = (), instrument: Instrument = ACME) -> Dataset:
    streams = []
    for schema, rows in ((TRADES, ticks), (QUOTES, tops)):
        facts: Sequence[Row] = rows
        columns = {
            field.name: [getattr(row, "ts_ns" if field.name == "ts_init_ns" else field.raw_name) for row in facts]
            for field in schema.fields
        }
        if rows:
            streams.append(Stream(schema, instrument, "", schema.table(instrument, columns)))
    return Dataset(streams)


def numbers(table: pa.Table) -> list[tuple[int, int, Ohlcv]]:
    columns = [list(map(int, raw_column(table, name))) for name in table.column_names]
    return [(ts, ts_event, (o, h, low, c, v)) for ts, ts_event, o, h, low, c, v in zip(*columns, strict=True)]


def row_by_row(specs: Sequence[BarSpec], data: Dataset, until_ns: int) -> dict[str, list[tuple[int, int, Ohlcv]]]:
    """What a run's maker gives for the same rows."""
    topics = [stream.topic for stream in data.streams]
    maker = maker_of(*specs, topics=topics)
    merged = sorted(
        (row.ts_ns, place, number, stream.topic, row)
        for place, stream in enumerate(data.streams)
        for number, row in enumerate(stream.schema.rows(ROW_SPEC, stream.table))
    )
    made: dict[str, list[tuple[int, int, Ohlcv]]] = {str(spec): [] for spec in specs}
    names = {spec.name: str(spec) for spec in specs}
    for bar in played(maker, [(topic, row) for *_, topic, row in merged], until_ns):
        prices = (bar.open_raw, bar.high_raw, bar.low_raw, bar.close_raw, bar.volume_raw)
        made[names[bar.period]].append((bar.ts_ns, bar.ts_event_ns, prices))
    return made


ROW_SPEC = trade(0, 0).spec


@given(rows=trades, tops=quotes, later_ns=st.integers(0, 5 * S))
def test_a_batch_gives_the_bars_of_a_run(rows: list[Trade], tops: list[Quote], later_ns: int) -> None:
    data = dataset(rows, tops)
    specs = [BarSpec.parse(text) for text in (*OF_TRADES, *OF_BARS, *OF_QUOTES)]
    until_ns = max(rows[-1].ts_ns, tops[-1].ts_ns) + later_ns

    made = aggregate(data, *specs, until_ns=until_ns)

    assert {text: numbers(table) for text, table in made.items()} == row_by_row(specs, data, until_ns)


@given(
    rows=trades,
    build_empty=st.booleans(),
    skip_partial_first=st.booleans(),
    offset_ns=st.integers(-S, S),
    of_sessions=st.booleans(),
    aggregation=st.sampled_from(["SECOND", "DAY", "WEEK"]),
)
def test_so_it_does_for_every_option_of_time(
    rows: list[Trade],
    build_empty: bool,  # noqa: FBT001
    skip_partial_first: bool,  # noqa: FBT001
    offset_ns: int,
    of_sessions: bool,  # noqa: FBT001
    aggregation: str,
) -> None:
    data = dataset(rows)
    spec = BarSpec(
        "ACME.SIM",
        aggregation,
        2,
        "LAST",
        build_empty=build_empty,
        skip_partial_first=skip_partial_first,
        offset_ns=0 if of_sessions else offset_ns,
        sessions=SESSIONS if of_sessions else (),
    )
    until_ns = rows[-1].ts_ns

    made = aggregate(data, spec)

    assert {text: numbers(table) for text, table in made.items()} == row_by_row([spec], data, until_ns)


@given(rows=trades, text=st.sampled_from(OF_TRADES))
def test_bars_and_what_is_left_hold_what_was_traded(rows: list[Trade], text: str) -> None:
    for instrument in (ACME, FINE):
        spec, (stream,) = BarSpec.parse(text), dataset(rows, (), instrument).streams
        made = batch_bars(spec, instrument, TRADES, stream.table, until_ns=rows[-1].ts_ns)

        in_bars = sum(number[-1] for *_, number in numbers(made.table))
        assert in_bars + made.rest_raw + made.outside_raw == sum(row.qty_raw for row in rows)


@given(rows=trades)
def test_bars_of_sessions_and_what_is_outside_hold_what_was_traded(rows: list[Trade]) -> None:
    (stream,) = dataset(rows).streams
    for aggregation in ("MILLISECOND", "DAY", "WEEK", "MONTH"):
        spec = BarSpec("ACME.SIM", aggregation, 1, "LAST", sessions=SESSIONS)

        made = batch_bars(spec, ACME, TRADES, stream.table, until_ns=20 * S)

        in_bars = sum(number[-1] for *_, number in numbers(made.table))
        outside = sum(row.qty_raw for row in rows if not any(o <= row.ts_ns <= c for o, c in SESSIONS))
        assert (in_bars + made.rest_raw, made.outside_raw) == (sum(row.qty_raw for row in rows) - outside, outside)


@given(rows=trades)
def test_high_precision_gives_the_same_numbers_row_by_row(rows: list[Trade]) -> None:
    """One raw number more or less of a tick decides nothing: only values and bricks know what a tick is."""
    specs = ["ACME.SIM-2s-LAST", "ACME.SIM-7-TICK-LAST", "ACME.SIM-2-RUNS-LAST", "ACME.SIM-2s-500ms-LAST"]
    specs.append("ACME.SIM-500ms-LAST")

    coarse, fine = aggregate(dataset(rows), *specs), aggregate(dataset(rows, (), FINE), *specs)

    assert [numbers(table) for table in coarse.values()] == [numbers(table) for table in fine.values()]


def test_values_beyond_64_bits_are_made_row_by_row() -> None:
    large = 10**14
    data, spec = dataset([trade(second * S, 3 * large, large) for second in range(4)]), BarSpec(*LARGE_VALUES)

    made = {text: numbers(table) for text, table in aggregate(data, spec).items()}

    assert len(made[str(spec)]) == 1_199
    assert made == row_by_row([spec], data, 4 * S)


def test_a_bar_that_no_column_can_hold_is_refused() -> None:
    rows = [trade(second * S, 7, 10**18 - 1) for second in range(12)]

    with pytest.raises(ConfigError) as caught:
        aggregate(dataset(rows), "ACME.SIM-10-TICK-LAST")

    assert caught.value.message == (
        "CONF011 bars: a bar of ACME.SIM-10-TICK-LAST holds 9999999999999999990, more digits than a column."
        " Make shorter bars, or give the instrument fewer decimals."
    )


def test_a_window_of_a_session_ends_at_its_close() -> None:
    rows = [trade(1 * S, 10, 1), trade(4 * S, 11, 2), trade(4 * S + 1, 99, 50), trade(6 * S + 1, 12, 4)]
    spec = BarSpec("ACME.SIM", "SECOND", 2, "LAST", sessions=SESSIONS)

    made = numbers(aggregate(dataset(rows), spec, until_ns=8 * S)[str(spec)])

    assert made == [
        (3 * S, 3 * S, (10, 10, 10, 10, 1)),
        (4 * S, 4 * S, (11, 11, 11, 11, 2)),
        (8 * S, 8 * S, (12, 12, 12, 12, 4)),
    ]


def test_a_day_of_sessions_is_one_session_and_a_week_those_that_close_in_it() -> None:
    sessions = tuple((day * DAY + 9 * 3_600 * S, day * DAY + 17 * 3_600 * S) for day in range(4, 14))
    rows = [trade(opens + 1, 10 + number, 1) for number, (opens, _) in enumerate(sessions)]
    data = dataset(rows)

    day, two, week = (
        aggregate(data, BarSpec("ACME.SIM", unit, step, "LAST", sessions=sessions), until_ns=20 * DAY)
        for unit, step in (("DAY", 1), ("DAY", 3), ("WEEK", 1))
    )

    assert [ts for ts, *_ in numbers(day["ACME.SIM-1d-LAST"])] == [closes for _, closes in sessions]
    assert [row[-1][-1] for row in numbers(two["ACME.SIM-3d-LAST"])] == [3, 3, 3, 1]
    assert [(row[0], row[-1][-1]) for row in numbers(week["ACME.SIM-1w-LAST"])] == [
        (sessions[6][1], 7),
        (sessions[9][1], 3),
    ]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"sessions": ((5, 4),)}, "sessions overlap or are out of order"),
        ({"sessions": ((1, 4), (3, 6))}, "sessions overlap or are out of order"),
        ({"sessions": ((1, 4),), "offset_ns": 1}, "windows of sessions begin at their opens"),
        ({"sessions": ((1, 4),), "aggregation": "TICK"}, "TICK has no windows of time"),
    ],
)
def test_sessions_that_cannot_be(options: dict[str, object], what: str) -> None:
    with pytest.raises(ConfigError, match=what):
        BarSpec(**{"instrument_id": "ACME.SIM", "aggregation": "SECOND", "step": 2, "source": "LAST", **options})  # type: ignore[arg-type]


def test_what_a_run_refuses_a_batch_refuses() -> None:
    with pytest.raises(ConfigError, match="CONF008"):
        aggregate(dataset([trade(1, 1)]), "ACME.SIM-1s-BID")
    with pytest.raises(DataError, match="DATA008"):
        aggregate(
            Dataset([Stream(TRADES, ACME, "", dataset([trade(1, 1)]).streams[0].table.slice(0, 0))]), "ACME.SIM-1s-LAST"
        )


@pytest.mark.slow
def test_thousands_of_trades_of_every_rule_are_the_bars_of_a_run() -> None:
    generator = np.random.Generator(np.random.Philox(5))
    count = 3_000
    rows = [
        trade(int(ts), int(price), int(qty), int(side))
        for ts, price, qty, side in zip(
            np.cumsum(generator.integers(0, 50_000_000, count)),
            1_000 + np.cumsum(generator.integers(-2, 3, count)),
            generator.integers(0, 90, count),
            generator.integers(0, 3, count),
            strict=True,
        )
    ]
    data, specs = dataset(rows), [BarSpec.parse(text) for text in (*OF_TRADES, *OF_BARS)]

    made = aggregate(data, *specs)

    assert {text: numbers(table) for text, table in made.items()} == row_by_row(specs, data, rows[-1].ts_ns)
