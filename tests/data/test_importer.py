"""What an import gives for good input, and what each policy does and counts."""

import gzip
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data import text_tables
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import Import, import_file
from libra_ray.data.time_texts import TimeReader
from libra_ray.errors import DataError, LibraError
from libra_ray.model.instruments import Instrument, pair

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
WIDE = pair("WEI.SIM", base="ETH", quote="BTC", tick="0.000000000001", step="0.000000000000000001")
DAY_NS = 86_400 * 10**9
T0 = 1_704_067_200 * 10**9  # 2024-01-01
BARS = "ts,open,high,low,close,volume\n"
TRADES = "ts,price,qty\n"


def read(folder: Path, text: str, kind: str = "trades", *, instrument: Instrument = BTC, **options: Any) -> Import:  # noqa: ANN401
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return import_file(path, instrument, kind, period="1h" if kind == "bars" else "", **options)


def prices(imported: Import, name: str = "price") -> list[int]:
    return list(imported.stream.raw(name))


def test_trades_are_read_exactly(tmp_path: Path) -> None:
    made = read(tmp_path, "Time,Price,Amount,Side\n1704067200,0.1,0.001,buy\n1704067200,0.07,2,S\n1704067201,3,1,\n")

    assert made.stream.ts_ns.tolist() == [T0, T0, T0 + 10**9]
    assert prices(made) == [10, 7, 300]
    assert prices(made, "qty") == [1, 2_000, 1_000]
    assert prices(made, "aggressor") == [1, 2, 0]
    assert made.report.columns == {"ts": "Time", "price": "Price", "qty": "Amount", "aggressor": "Side"}
    assert (made.report.ts_unit, made.report.rows_read, made.report.rows) == ("s", 3, 3)


def test_a_buyer_who_was_the_maker_means_that_the_seller_crossed(tmp_path: Path) -> None:
    made = read(tmp_path, "ts,price,qty,is_buyer_maker\n1704067200,1,1,true\n1704067200,1,1,False\n")

    assert prices(made, "aggressor") == [2, 1]


def test_quotes_are_read_and_may_show_no_size(tmp_path: Path) -> None:
    made = read(tmp_path, "ts,bid,ask\n1704067200,1.00,1.01\n", "quotes", columns={"bid_qty": "", "ask_qty": ""})

    row = made.table.to_pylist()[0]
    assert (row["bid_px"], row["ask_px"], row["bid_qty"], row["ask_qty"]) == (
        Decimal("1.00"),
        Decimal("1.01"),
        Decimal(0),
        Decimal(0),
    )


def test_a_file_ends_without_a_line_feed_and_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    made = read(tmp_path, "\ufeffts,price,qty\r\n1704067200,1,1\r\n\r\n1704067201,2,1")

    assert prices(made) == [100, 200]


def test_numbers_in_every_form_a_decimal_has(tmp_path: Path) -> None:
    texts = ["+1", " 1.50", "1e2", ".5", "5.", "1E-2", '"7"', "000000000000000000000000000003.10"]

    made = read(tmp_path, TRADES + "".join(f"1704067200,{text},1\n" for text in texts))

    assert prices(made) == [100, 150, 10_000, 50, 500, 1, 700, 310]


def test_a_decimal_comma_and_thousands_points_are_read_when_declared(tmp_path: Path) -> None:
    made = read(tmp_path, "ts;price;qty\n1704067200;1.234.567,89;1\n", decimal=",", thousands=".")

    assert prices(made) == [123_456_789]


def test_integers_of_a_ten_thousandth(tmp_path: Path) -> None:
    text = "ts,price,qty\n1704067200,1674100,5\n1704067200,150,5\n1704067200,-150,5\n"

    made = read(tmp_path, text, price_decimals=4, round="half-even", allow_negative_prices=True)

    assert prices(made) == [16_741, 2, -2]
    assert made.report.rounded_values == 2
    finer = pair("F.SIM", base="BTC", quote="USD", tick="0.00001", step="1")
    assert prices(read(tmp_path, text, price_decimals=4, instrument=finer, allow_negative_prices=True)) == [
        16_741_000,
        1_500,
        -1_500,
    ]


def test_high_precision_is_read_exactly(tmp_path: Path) -> None:
    made = read(tmp_path, f"{TRADES}1704067200,12345678901234567.123456789012,0.000000000000000001\n", instrument=WIDE)

    assert prices(made) == [12_345_678_901_234_567_123_456_789_012]
    assert prices(made, "qty") == [1]


@pytest.mark.parametrize("kind", ["text", "float", "int", "decimal", "dictionary", "large"])
def test_parquet_columns_of_all_types_give_the_same_rows(tmp_path: Path, kind: str) -> None:
    arrays = {
        "text": pa.array(["1", "20"]),
        "float": pa.array([1.0, 20.0]),
        "int": pa.array([1, 20], pa.uint16()),
        "decimal": pa.array([Decimal("1.000"), Decimal("20.000")], pa.decimal128(20, 3)),
        "dictionary": pa.array(["1", "20"]).dictionary_encode(),
        "large": pa.array(["1", "20"], pa.large_string()),
    }
    times = pa.array([T0, T0 + 1], pa.timestamp("ns", "Europe/Paris"))
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"ts": times, "price": arrays[kind], "qty": [1, 2]}), path)

    made = import_file(path, BTC, "trades")

    assert prices(made) == [100, 2_000]
    assert made.stream.ts_ns.tolist() == [T0, T0 + 1]


def test_a_float_stands_for_its_shortest_text(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"ts": [T0], "price": [0.1], "qty": [33.35399601000002]}), path)

    made = import_file(path, BTC, "trades", round="half-even")

    assert (prices(made), prices(made, "qty"), made.report.rounded_values) == ([10], [33_354], 1)


def test_policies_drop_and_count(tmp_path: Path) -> None:
    good, missing = "1704067200,1,1,1,1,1\n", "1704070800,,1,1,1,1\n1704074400,5,6,4,5,\n"
    text = f"{BARS}{good}{missing}1704074400,1,2,3,1,1\n1704078000,5,6,4,5,0\n"

    made = read(tmp_path, text, "bars", on_null="drop", on_bad_bar="drop")

    assert made.stream.ts_ns.tolist() == [T0, T0 + 3 * 3_600 * 10**9]
    assert (made.report.dropped_null, made.report.dropped_bad_bars, made.report.rows_read) == (2, 1, 5)


@pytest.mark.parametrize(("dedup", "closes"), [("first", [1, 2, 5]), ("last", [4, 3, 5])])
def test_one_bar_of_each_time_stays(tmp_path: Path, dedup: str, closes: list[int]) -> None:
    rows = [(3_600, 1), (7_200, 2), (7_200, 3), (3_600, 4), (10_800, 5)]
    text = BARS + "".join(f"{1_704_067_200 + at},{close},{close},{close},{close},1\n" for at, close in rows)

    made = read(tmp_path, text, "bars", sort=True, dedup=dedup)

    assert prices(made, "close") == [100 * close for close in closes]
    assert (made.report.sorted_rows, made.report.dropped_duplicates) == (1, 2)


def test_trades_of_one_time_keep_their_order(tmp_path: Path) -> None:
    made = read(tmp_path, TRADES + "1704067201,3,1\n1704067200,1,1\n1704067200,2,1\n1704067201,4,1\n", sort=True)

    assert prices(made) == [100, 200, 300, 400]


def test_prices_off_the_tick_are_kept_and_counted_on_request(tmp_path: Path) -> None:
    quarter = pair("ES.SIM", base="EUR", quote="USD", tick="0.25", step=1)

    made = read(tmp_path, f"{TRADES}1704067200,1.30,1\n1704067200,1.25,1\n", instrument=quarter, off_tick="keep")

    assert (prices(made), made.report.off_tick_rows) == ([130, 125], 1)


def test_negative_prices_where_the_instrument_has_them(tmp_path: Path) -> None:
    oil = pair("CL.SIM", base="EUR", quote="USD", tick="0.01", step=1, negative_prices=True)

    assert prices(read(tmp_path, f"{TRADES}1704067200,-37.63,1\n1704067200,0,1\n", instrument=oil)) == [-3_763, 0]


def test_bars_stamped_with_their_open_are_moved_to_their_close(tmp_path: Path) -> None:
    made = read(tmp_path, f"{BARS}1704067200,1,1,1,1,1\n", "bars", stamp="open")

    assert made.stream.ts_ns.tolist() == [T0 + 3_600 * 10**9]
    assert list(made.stream.raw("ts_event_ns")) == [T0 + 3_600 * 10**9]


def test_a_day_of_a_local_clock_ends_at_the_next_local_midnight(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(f"{BARS}2024-03-09,1,1,1,1,1\n2024-03-10,1,1,1,1,1\n")

    made = import_file(path, BTC, "bars", period="1d", tz="America/New_York", stamp="open")

    midnights = [datetime(2024, 3, 10, 5, tzinfo=UTC), datetime(2024, 3, 11, 4, tzinfo=UTC)]
    assert made.stream.ts_ns.tolist() == [int(moment.timestamp()) * 10**9 for moment in midnights]


@pytest.mark.parametrize(
    ("text", "options", "expected_ns"),
    [
        ("2024-01-01", {"tz": "UTC"}, T0),
        ("20240101", {"tz": "UTC"}, T0),
        ("2024-01-01T00:00:00.123456789Z", {}, T0 + 123_456_789),
        ("2024-01-01 02:00:00+02:00", {}, T0),
        ("2024-01-01 02:00+0200", {}, T0),
        ("2024-01-01 00:00:00 UTC", {}, T0),
        ("2023-12-31 19:00", {"tz": "America/New_York"}, T0),
        ("2023-12-31 19:00", {"tz": "-05:00"}, T0),
        ("2023-12-31 19:00", {"tz": "UTC-05"}, T0),
        ("2024-01-01T00:00:00Z", {"tz": "Asia/Tokyo"}, T0),
        ("1704067200", {}, T0),
        ("1704067200.5", {}, T0 + 500_000_000),
        ("1704067200123", {}, T0 + 123_000_000),
        ("1704067200123456", {}, T0 + 123_456_000),
        ("1704067200123456789", {}, T0 + 123_456_789),
        ("1000", {"ts_unit": "ms"}, 10**9),
        ("-252288000", {}, -252_288_000 * 10**9),
        ("-5", {"ts_unit": "s"}, -5 * 10**9),
        ("18000000", {"ts_unit": "ms", "day": "2023-12-31", "tz": "America/New_York"}, T0 - 14 * 3_600 * 10**9),
        ("20240101 00:00", {"ts_format": "%Y%m%d %H:%M", "tz": "UTC"}, T0),
        ("01.01.2024 00:00:00.125", {"ts_format": "%d.%m.%Y %H:%M:%S.%f", "tz": "UTC"}, T0 + 125_000_000),
        ("31.01.2024 00:00:00", {"ts_format": "%d.%m.%Y %H:%M:%S.%f", "tz": "UTC"}, T0 + 30 * DAY_NS),
        ("2024-01-31 02:00:00.5 +0200", {"ts_format": "%Y-%m-%d %H:%M:%S.%f %z"}, T0 + 30 * DAY_NS + 500_000_000),
        ("01/31/24", {"ts_format": "%m/%d/%y", "tz": "UTC"}, T0 + 30 * DAY_NS),
        ("20240101 000000250", {"ts_format": "%Y%m%d %H%M%S%f", "tz": "UTC"}, T0 + 250_000_000),
        ("31 Dec 2023 19:00 EST", {"ts_format": "%d %b %Y %H:%M %Z", "tz": "America/New_York"}, T0),
    ],
)
def test_times_in_their_forms(tmp_path: Path, text: str, options: dict[str, Any], expected_ns: int) -> None:
    assert read(tmp_path, f"{TRADES}{text},1,1\n", **options).stream.ts_ns.tolist() == [expected_ns]


def test_the_name_of_a_zone_is_no_offset(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"DATA006 file\.csv:2: time '31 Dec 2023 19:00 EST' has no UTC offset"):
        read(tmp_path, f"{TRADES}31 Dec 2023 19:00 EST,1,1\n", ts_format="%d %b %Y %H:%M %Z")


def test_a_zone_applies_to_times_without_an_offset_only(tmp_path: Path) -> None:
    text = f"{TRADES}2024-01-01 00:00:00Z,1,1\n2023-12-31 19:00:01,1,1\n"

    assert read(tmp_path, text, tz="America/New_York").stream.ts_ns.tolist() == [T0, T0 + 10**9]


def test_the_time_of_arrival_orders_the_replay(tmp_path: Path) -> None:
    made = read(tmp_path, "ts,ts_recv,price,qty\n1704067205,1704067206,1,1\n1704067200,1704067207,1,1\n")

    assert made.stream.ts_ns.tolist() == [T0 + 6 * 10**9, T0 + 7 * 10**9]
    assert list(made.stream.raw("ts_event_ns")) == [T0 + 5 * 10**9, T0]


def test_a_column_that_a_file_may_lack_can_be_left_out(tmp_path: Path) -> None:
    text = "time,price,amount,direction\n1704067200,7,1,sell\n1704067200,7,1,buy\n"

    assert read(tmp_path, text).table.column("aggressor").to_pylist() == [2, 1]
    assert read(tmp_path, text, columns={"aggressor": ""}).table.column("aggressor").to_pylist() == [0, 0]


def test_a_file_without_a_header_is_read_by_declared_names(tmp_path: Path) -> None:
    made = read(tmp_path, "1704067200,7,1\n1704067201,8,1", column_names=("ts", "price", "qty"))

    assert prices(made) == [700, 800]


@pytest.mark.parametrize(
    ("above", "header", "options"),
    [
        ("sep=;", "ts;price;qty", {"skip_lines": 1}),
        ("# made by\n\n# somebody", "ts;price;qty", {"skip_lines": 3}),
        ("", "ts;price;qty", {"skip_lines": 1}),
        ("Price;Close\nTicker;AAPL", "Date;;", {"skip_lines": 3, "column_names": ("ts", "price", "qty")}),
        ("\ufeffhttps://www.example.com", "", {"skip_lines": 2, "column_names": ("ts", "price", "qty")}),
    ],
)
@pytest.mark.parametrize("is_compiled", [True, False])
def test_lines_above_the_rows_are_skipped_and_counted_as_lines(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    above: str,
    header: str,
    options: dict[str, Any],
    *,
    is_compiled: bool,
) -> None:
    monkeypatch.setattr(text_tables, "_compiled_from", lambda: 0 if is_compiled else 1 << 40)
    text = f"{above}\n{header}\n1704067200;7;1\n\n1704067201;8;1\n"

    made = read(tmp_path, text, **options)

    assert (prices(made), made.report.rows_read) == ([700, 800], 2)
    with pytest.raises(DataError, match=rf"^DATA009 file\.csv:{text.count(chr(10)) + 1}: column 'price': 'x' is not"):
        read(tmp_path, f"{text}1704067202;x;1\n", **options)


def test_a_file_of_fewer_lines_than_are_skipped_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^DATA008 file\.csv: 0 data rows"):
        read(tmp_path, f"{TRADES}1704067200,7,1\n", skip_lines=3)


@pytest.mark.parametrize("packing", ["gz", "zip"])
def test_packed_files_are_read(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"t.csv.{packing}"
    text = f"{TRADES}1704067200,7,1\n"
    if packing == "gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("t.csv", text)

    assert prices(import_file(path, BTC, "trades")) == [700]


def test_streaming_reads_more_than_a_batch_and_gives_the_same_rows(tmp_path: Path) -> None:
    text = TRADES + "".join(f"1704067200,{1 + number % 7},1\n" for number in range(1_000))

    with pytest.raises(DataError, match="DATA007"):
        read(tmp_path, text, max_batch_bytes=7_999)
    streamed = read(tmp_path, text, max_batch_bytes=7_999, streaming=True)

    assert streamed.stream.digest == read(tmp_path, text, max_batch_bytes=8_000).stream.digest


@pytest.mark.slow
def test_batches_of_a_large_file_join_without_a_seam(tmp_path: Path) -> None:
    rows = 1_000_000  # 22 MB of text are three blocks
    path = tmp_path / "t.csv"
    path.write_text(
        TRADES + "".join(f"{1_704_067_200_000 + number},{1 + number % 997}.25,1\n" for number in range(rows))
    )

    made = import_file(path, BTC, "trades")

    assert np.array_equal(made.stream.ts_ns, T0 + np.arange(rows) * 10**6)
    assert np.array_equal(made.stream.raw("price"), (1 + np.arange(rows) % 997) * 100 + 25)


@pytest.mark.slow
@given(
    raws=st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1, max_size=20),
    precision=st.integers(0, 9),
)
def test_any_price_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, raws: list[int], precision: int
) -> None:
    unit = f"0.{'1'.rjust(precision, '0')}" if precision else "1"
    instrument = pair("A.SIM", base="BTC", quote="USD", tick=unit, step=1)
    texts = [f"{Decimal(raw).scaleb(-precision):f}" for raw in raws]

    made = read(
        tmp_path_factory.mktemp("price"),
        TRADES + "".join(f"1704067200,{text},1\n" for text in texts),
        instrument=instrument,
        allow_negative_prices=True,
    )

    assert prices(made) == raws


ANY_BYTES = st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode))
HEADS = [b"", b"ts,price,qty\n", b"PAR1", b"\x1f\x8b", b"PK\x03\x04", b"ts,price,qty\n1704067200,1,"]


@pytest.mark.slow
@given(data=ANY_BYTES, head=st.sampled_from(HEADS), suffix=st.sampled_from(["csv", "parquet", "gz", "zip"]))
def test_arbitrary_bytes_are_an_error_of_ours_or_a_table(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / f"x.{suffix}"
    path.write_bytes(head + data)
    try:
        rows = import_file(path, BTC, "trades", tz="UTC").table.num_rows
    except LibraError as refusal:  # what else it may raise fails the test
        error = refusal
    else:
        assert rows > 0
        return
    assert error.family == "DATA"
    assert "\n" not in error.message


TIMES = ["1704067200", "2024-01-01", "20240101", "", "x", "1704067200000", "2024-01-01 00:00Z", "1e9", "NaT"]
PRICES = ["1", "-1", "", "1e400", "1,5", "abc", "0.001", "99999999999999999999", "nan", " 2 "]
CELLS = st.tuples(st.sampled_from(TIMES), st.sampled_from(PRICES), st.sampled_from(["1", "0", "-0", "", "1e-9", "inf"]))


@pytest.mark.slow
@given(cells=st.lists(CELLS, min_size=1, max_size=12), split=st.integers(1, 12))
def test_the_first_error_does_not_depend_on_the_batches(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str, str]], split: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    columns = [list(column) for column in zip(*cells, strict=True)]
    table = pa.table(dict(zip(("ts", "price", "qty"), columns, strict=True)))
    outcomes = []
    for name, group in (("whole", 100), ("cut", split)):
        (folder / name).mkdir()
        path = folder / name / "t.parquet"
        pq.write_table(table, path, row_group_size=group)
        try:
            outcomes.append([import_file(path, BTC, "trades", tz="UTC").stream.digest])
        except DataError as error:
            outcomes.append([error.message, *(other.message for other in error.more)])

    assert outcomes[0] == outcomes[1]


def test_a_reader_of_times_remembers_the_unit_of_its_first_batch() -> None:
    reader = TimeReader(ImportOptions())
    reader.read(pa.array(["1704067200000"]))

    assert reader.read(pa.array(["1704067200", "1704067201000"])).other_unit.tolist() == [True, False]


def test_a_date_and_a_time_in_two_columns_are_joined(tmp_path: Path) -> None:
    text = "<DATE>\t<TIME>\t<LAST>\t<VOLUME>\n2024.01.02\t00:00:01\t7\t1\n2024.01.02\t00:00:02\t8\t2\n"
    columns = {"ts": "<DATE>+<TIME>", "price": "<LAST>"}

    made = read(tmp_path, text, columns=columns, ts_format="%Y.%m.%d %H:%M:%S", tz="UTC")

    assert made.stream.ts_ns.tolist() == [T0 + DAY_NS + 10**9, T0 + DAY_NS + 2 * 10**9]
    assert prices(made) == [700, 800]
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert caught.value.message == (
        "DATA004 file.csv:1: column 'ts' could be '<DATE>' or '<TIME>'. Map it with "
        'columns={"ts": "<DATE>+<TIME>"}.'
    )
    with pytest.raises(DataError, match=r"DATA001 file\.csv:3: column '<DATE>\+<TIME>' has no value"):
        read(tmp_path, text.replace("00:00:02", ""), columns=columns, ts_format="%Y.%m.%d %H:%M:%S", tz="UTC")


@pytest.mark.parametrize("text", ["202401020304", "20240102030405"])
def test_a_date_and_a_time_in_digits_are_not_taken_for_an_epoch(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=rf"DATA009 file\.csv:2: column 'ts': '{text}' is not a time"):
        read(tmp_path, f"{TRADES}{text},1,1\n", tz="UTC")

    form = "%Y%m%d%H%M%S"[: 10 if len(text) == 12 else 12]
    made = read(tmp_path, f"{TRADES}{text},1,1\n", tz="UTC", ts_format=form)
    assert datetime.fromtimestamp(int(made.stream.ts_ns[0]) // 10**9, UTC).strftime(form) == text
