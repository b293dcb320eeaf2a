"""What is left out of a picture is nothing that could be seen in it."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis.candles import MARKER_KINDS, candles, markers
from libra_ray.analysis.decimation import m4_rows
from tests.analysis.result_tables import BARS, Book


def bars(rows: list[tuple[float, float, float, float]]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "ts_event_ns": 10 * (place + 1),
                "open": o,
                "high": h,
                "low": low,
                "close": c,
                "volume": 1.0,
                "instrument_id": "A.SIM",
            }
            for place, (o, h, low, c) in enumerate(rows)
        ],
        schema=BARS,
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(-1e6, 1e6)), min_size=1, max_size=400), st.integers(1, 20))
def test_every_column_keeps_its_first_last_lowest_and_highest_row(steps: list[tuple[int, float]], columns: int) -> None:
    x = np.cumsum(np.array([step for step, _ in steps], np.int64))
    y = np.array([value for _, value in steps])

    rows = m4_rows(x, y, columns_max=columns)

    width = max(1, -(-(int(x[-1] - x[0]) + 1) // columns))
    column = (x - x[0]) // width
    assert rows.size <= max(4 * columns, 0) or rows.size == x.size <= 4 * columns
    assert np.all(np.diff(rows) > 0)
    for place in np.unique(column):
        inside, kept = np.flatnonzero(column == place), rows[column[rows] == place]
        assert (kept[0], kept[-1]) == (inside[0], inside[-1])
        assert (y[kept].min(), y[kept].max()) == (y[inside].min(), y[inside].max())


def test_candles_join_equally_many_bars() -> None:
    shown = candles(bars([(1, 3, 0.5, 2), (2, 9, 1, 4), (4, 5, 4, 5), (5, 6, 0.1, 1), (1, 2, 1, 2)]), count_max=3)

    assert (shown.bars_each, shown.bars_count, shown.ts_ns.tolist()) == (2, 5, [20, 40, 50])
    assert (shown.open.tolist(), shown.close.tolist()) == ([1, 4, 1], [4, 1, 2])
    assert (shown.high.tolist(), shown.low.tolist()) == ([9, 6, 2], [0.5, 0.1, 1])


def test_trades_of_one_kind_in_one_candle_are_one_mark_at_their_mean_price(book: Book) -> None:
    shown = candles(bars([(1, 1, 1, 1)] * 4), count_max=2)
    for opened, price in ((5, "10"), (20, "30"), (21, "7")):
        book.position("1", opened, opened + 20, avg_px_open=Decimal(price), avg_px_close=Decimal(8))
    book.position("-1", 35, None, entry_side="SHORT", avg_px_open=Decimal(9))

    marks = markers(book.tables()["positions"], shown, lines_max=3)

    found = list(
        zip(marks.candle.tolist(), marks.kind.tolist(), marks.price.tolist(), marks.count.tolist(), strict=True)
    )
    assert [MARKER_KINDS[kind] for _, kind, _, _ in found] == ["long entry", "long entry", "short entry", "long exit"]
    assert found == [(0, 0, 20.0, 2), (1, 0, 7.0, 1), (1, 1, 9.0, 1), (1, 2, 8.0, 3)]
    assert marks.lines == [[0, 10.0, 1, 8.0, 1], [0, 30.0, 1, 8.0, 1], [1, 7.0, 1, 8.0, 1]]


def test_more_trades_than_can_be_told_apart_have_no_lines(book: Book) -> None:
    for _ in range(4):
        book.position("1", 5, 25)

    assert markers(book.tables()["positions"], candles(bars([(1, 1, 1, 1)] * 4), count_max=4), lines_max=3).lines == []
