"""What is asked of rows beside each other: gaps, bars of one time, crossed quotes, opens, and rows out of order."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data import row_checks, sorted_rows, text_tables
from libra_ray.data.column_names import is_open_time
from libra_ray.data.importer import Import, import_file, open_import
from libra_ray.errors import DataError
from tests.data.import_files import BTC, T0

HOUR = 3_600 * 10**9
BARS = "ts,open,high,low,close,volume\n"
QUOTES = "ts,bid,ask,bid_qty,ask_qty\n"


def bars(folder: Path, hours: list[int], **options: Any) -> Import:  # noqa: ANN401  # as import_file
    path = folder / "bars.csv"
    rows = [
        f"{1_704_067_200 + 3_600 * hour},{1 + place},{1 + place},{1 + place},{1 + place},{place}\n"
        for place, hour in enumerate(hours)
    ]
    path.write_text(BARS + "".join(rows))
    return import_file(path, BTC, "bars", period="1h", **options)


def hours(made: Import) -> list[int]:
    return [(ts_ns - T0) // HOUR for ts_ns in made.stream.ts_ns.tolist()]


def test_gaps_are_counted_and_kept(tmp_path: Path) -> None:
    made = bars(tmp_path, [1, 2, 5, 6, 8])

    report = made.report
    assert hours(made) == [1, 2, 5, 6, 8]
    assert (report.gaps, report.missing_bars, report.longest_gap, report.filled_bars) == (2, 3, 2, 0)
    assert report.changes == {"gaps": 2, "missing_bars": 3, "longest_gap": 2}


@pytest.mark.parametrize(
    ("hour", "gaps"), [(2, {}), (3, {"gaps": 1, "missing_bars": 1, "longest_gap": 1, "filled_bars": 1})]
)
def test_bars_of_a_shorter_period_than_was_said_are_counted(tmp_path: Path, hour: int, gaps: dict[str, int]) -> None:
    minutes = [0, 1, 2, 2, 60 * hour, 60 * hour + 30]
    lines = [f"{1_704_067_200 + 60 * minute},1,1,1,1,1\n" for minute in minutes]
    (tmp_path / "b.csv").write_text(BARS + "".join(lines))

    made = import_file(tmp_path / "b.csv", BTC, "bars", period="1h", dedup="first", on_gap="fill")

    assert made.report.changes == {"early_bars": 3, "dropped_duplicates": 1, **gaps}


def test_gaps_are_filled_with_the_close_before_them_and_counted(tmp_path: Path) -> None:
    made = bars(tmp_path, [1, 2, 5, 6, 8], on_gap="fill")

    assert hours(made) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert list(made.stream.raw("close")) == [100, 200, 200, 200, 300, 400, 400, 500]
    assert list(made.stream.raw("open")) == list(made.stream.raw("close"))
    assert list(made.stream.raw("volume")) == [0, 1_000, 0, 0, 2_000, 3_000, 0, 4_000]
    assert (made.report.filled_bars, made.report.rows_read, made.report.rows) == (3, 5, 8)


def test_gaps_are_an_error_where_that_is_the_policy(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        bars(tmp_path, [1, 2, 5, 6, 8], on_gap="error", wording="command")

    assert caught.value.message == (
        "DATA021 bars.csv:4: 2 bars are missing between 2024-01-01T02:00:00Z and 2024-01-01T05:00:00Z (2 such rows). "
        "Use --on-gap keep or --on-gap fill (filled bars are counted)."
    )


def test_a_fill_that_is_larger_than_a_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"DATA007 bars\.csv: "):
        bars(tmp_path, [1, 10_000], on_gap="fill", max_batch_bytes=8_000)


def test_a_day_of_a_local_clock_is_no_gap_but_a_missing_one_beside_it_is(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    days = [
        "2024-03-08",
        "2024-03-09",
        "2024-03-10",
        "2024-03-12",
        "2024-11-01",
        "2024-11-02",
        "2024-11-04",
        "2024-11-05",
    ]
    path.write_text(BARS + "".join(f"{day},1,1,1,1,1\n" for day in days))

    report = import_file(path, BTC, "bars", period="1d", tz="America/New_York", stamp="open").report

    # 2024-03-11, the days from 2024-03-13 to 2024-10-31, and 2024-11-03, which has 25 hours.
    assert (report.gaps, report.missing_bars) == (3, 1 + 233 + 1)


@pytest.mark.parametrize(
    ("limit", "count"), [(None, 3), (0.75, 3), (0.5, None)], ids=["counted", "allowed", "too many"]
)
def test_crossed_and_locked_quotes(tmp_path: Path, limit: float | None, count: int | None) -> None:
    path = tmp_path / "q.csv"
    path.write_text(f"{QUOTES}1704067200,1,2,1,1\n1704067200,2,2,1,1\n1704067200,2,1.5,1,1\n1704067200,3,1,1,1\n")
    if count is None:
        with pytest.raises(DataError) as caught:
            import_file(path, BTC, "quotes", max_crossed_fraction=limit)
        assert caught.value.message == (
            "DATA022 q.csv:3: bid 2.00 is at or above ask 2.00: 75.00% of 4 rows, the limit is 50.00% (3 such rows). "
            "Correct the file or raise data.max_crossed_fraction."
        )
        return
    report = import_file(path, BTC, "quotes", max_crossed_fraction=limit).report

    assert (report.crossed_rows, report.locked_rows, report.changes) == (2, 1, {"crossed_rows": 2, "locked_rows": 1})


def test_times_that_are_called_opens_must_be_declared(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("open_time,open,high,low,close,volume\n1704067200,1,1,1,1,1\n")
    given: dict[str, Any] = {"period": "1h", "columns": {"ts": "open_time"}, "wording": "command"}

    with pytest.raises(DataError) as caught:
        import_file(path, BTC, "bars", **given)

    assert caught.value.message == (
        "DATA004 b.csv:1: column 'open_time' is the open of a bar, and bars carry their close. "
        "Use --stamp open to move it by the period, or --stamp close."
    )
    assert import_file(path, BTC, "bars", stamp="open", **given).stream.ts_ns.tolist() == [T0 + HOUR]
    assert import_file(path, BTC, "bars", stamp="close", **given).stream.ts_ns.tolist() == [T0]


@pytest.mark.parametrize(
    ("name", "is_open"),
    [
        ("Open time", True),
        ("window_start", True),
        ("startTime", True),
        ("periodBegin", True),
        ("OPENTIME", True),
        ("bar_start_utc", True),
        ("close_time", False),
        ("timestamp", False),
        ("restarted", False),
        ("end", False),
    ],
)
def test_what_a_time_of_opens_is_called(name: str, *, is_open: bool) -> None:
    assert is_open_time(name) is is_open


def naive(rows: list[tuple[int, int]], *, sort: bool, dedup: str, fill: bool) -> tuple[Any, ...]:
    """The policies as loops: bars of (hour, close)."""
    moved = sum(now[0] < before[0] for before, now in pairwise(rows))
    if moved and not sort:
        return ("DATA002",)
    kept: list[tuple[int, int]] = []
    for row in sorted(rows, key=lambda row: row[0]):
        if kept and kept[-1][0] == row[0]:
            if dedup == "error":
                return ("DATA003",)
            kept[-1] = row if dedup == "last" else kept[-1]
        else:
            kept.append(row)
    made: list[tuple[int, int]] = []
    filled = 0
    for row in kept:
        while fill and made and made[-1][0] + 1 < row[0]:
            made.append((made[-1][0] + 1, made[-1][1]))
            filled += 1
        made.append(row)
    return made, moved, len(rows) - len(kept), filled


@pytest.mark.slow
@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=14),
    switches=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    dedup=st.sampled_from(["error", "first", "last"]),
    block=st.integers(20, 120),
)
def test_policies_do_the_same_as_loops_however_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int]],
    switches: tuple[bool, bool, bool],
    dedup: str,
    block: int,
) -> None:
    path = tmp_path_factory.mktemp("policies") / "b.csv"
    sort, fill, streaming = switches
    path.write_text(BARS + "".join(f"{1_704_067_200 + 3_600 * hour},{c},{c},{c},{c},1\n" for hour, c in rows))
    options: dict[str, Any] = {
        "sort": sort,
        "dedup": dedup,
        "on_gap": "fill" if fill else "keep",
        "streaming": streaming,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_tables, "BLOCK_BYTES", block)
        patch.setattr(sorted_rows, "STRETCH_ROWS", 3)
        patch.setattr(row_checks, "FILLED_ROWS", 2)
        try:
            made = import_file(path, BTC, "bars", period="1h", **options)
        except DataError as error:
            outcome: tuple[Any, ...] = (error.code,)
        else:
            closes = [raw // 100 for raw in made.stream.raw("close")]
            report = made.report
            counts = (report.sorted_rows, report.dropped_duplicates, report.filled_bars)
            outcome = (list(zip(hours(made), closes, strict=True)), *counts)

    assert outcome == naive(rows, sort=sort, dedup=dedup, fill=fill)


def test_a_stream_gives_tables_and_then_its_report(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ts,price,qty\n1704067200,1,1\n1704067201,2,1\n")
    stream = open_import(path, BTC, "trades")

    with pytest.raises(ValueError, match="not finished"):
        _ = stream.report
    tables = list(stream)

    assert [table.num_rows for table in tables] == [2]
    assert np.array_equal(tables[0].column("ts_init_ns").to_numpy(), [T0, T0 + 10**9])
    assert stream.report.rows == 2
