"""The texts of bad input: code, place, value and fix, as the command line shows them."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from libra_ray.data.importer import import_file
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.instruments import Instrument, pair

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
QUARTER = pair("ES.SIM", base="EUR", quote="USD", tick="0.25", step=1)
BARS = "ts,open,high,low,close,volume\n"
TRADES = "ts,price,qty\n"
GOOD_TRADE = "2024-01-01T00:00:00Z,100,1"
GOOD_BAR = "2024-01-01T00:00:00Z,100,101,99,100,5"


def refused(path: Path, kind: str, *, instrument: Instrument = BTC, **options: Any) -> str:  # noqa: ANN401  # as import_file
    period = "1h" if kind == "bars" else ""
    before = sorted(path.parent.iterdir())
    with pytest.raises((DataError, ConfigError)) as caught:
        import_file(path, instrument, kind, period=period, **{"wording": "command", **options})
    assert sorted(path.parent.iterdir()) == before, "a refused import writes nothing"
    return caught.value.message


def csv(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def trades_with(line: int, row: str) -> str:
    """A trades file whose line `line` is `row`, the last one."""
    rows = [f"2024-01-01T00:{number // 60:02d}:{number % 60:02d}Z,100.5,1" for number in range(line - 2)]
    return TRADES + "\n".join([*rows, row]) + "\n"


def test_a_missing_price(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", trades_with(1042, "2024-01-01T12:00:05Z,,1"))

    assert refused(path, "trades") == (
        "DATA001 trades.csv:1042: column 'price' has no value. "
        "Drop or fill the row, or use --on-null drop (dropped rows are counted)."
    )


@pytest.mark.parametrize("value", ["nan", "NaN", "NULL", "None", "N/A", "<NA>"])
def test_a_text_that_says_that_there_is_no_value(tmp_path: Path, value: str) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}2024-01-01T00:00:00Z,1,{value}\n")

    assert refused(path, "trades") == (
        "DATA001 t.csv:2: column 'qty' has no value. "
        "Drop or fill the row, or use --on-null drop (dropped rows are counted)."
    )


def test_unsorted_times(tmp_path: Path) -> None:
    falling = "2024-01-01T12:00:05Z,1,1\n2024-01-01T12:00:01Z,1,1\n"
    path = csv(tmp_path, "trades.csv", trades_with(85, "2024-01-01T11:00:00Z,1,1") + falling * 17)

    assert refused(path, "trades") == (
        "DATA002 trades.csv:87: time 2024-01-01T12:00:01Z is earlier than 2024-01-01T12:00:05Z before it "
        "(17 such rows). Sort the file or use --sort."
    )


def test_a_second_bar_of_a_time(tmp_path: Path) -> None:
    bars = [f"2023-12-{1 + number // 24:02d}T{number % 24:02d}:00:00Z,1,1,1,1,1\n" for number in range(87)]
    path = csv(tmp_path, "bars.csv", BARS + "".join(bars) + f"{GOOD_BAR}\n{GOOD_BAR}\n")

    assert refused(path, "bars") == (
        "DATA003 bars.csv:90: second bar for 2024-01-01T00:00:00Z (1 such row). "
        "Use --dedup first, --dedup last or remove it."
    )


def test_a_missing_column(tmp_path: Path) -> None:
    path = csv(tmp_path, "bars.csv", "ts,open,last\n2024-01-01T00:00:00Z,1,1\n")

    assert refused(path, "bars") == (
        "DATA004 bars.csv:1: column 'close' not found; the file has ts, open, last. Map it with --column close=last."
    )


def test_a_column_twice(tmp_path: Path) -> None:
    path = csv(tmp_path, "bars.csv", "ts,open,high,low,close,close,volume\n1,1,1,1,1,1,1\n")

    assert refused(path, "bars") == "DATA004 bars.csv:1: column 'close' appears 2 times. Rename one."


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        (
            "time,timestamp,price,qty",
            {},
            "column 'ts' could be 'time' or 'timestamp'. Map it with --column ts=time.",
        ),
        (
            "ts,price,qty",
            {"columns": {"qty": "qtty"}},
            "column 'qtty' not found; the file has ts, price, qty. Did you mean 'qty'?",
        ),
        (
            "ts,price,qty",
            {"columns": {"prise": "price"}},
            "column 'prise' is not known for trades. Did you mean 'price'?",
        ),
        ("ts,cost,qty", {}, "column 'price' not found; the file has ts, cost, qty. Map it with --column price=cost."),
        ("a,b", {}, "column 'ts' not found; the file has a, b. Map it with --column ts=NAME."),
        (
            "sip_timestamp,trf_timestamp,price,qty",
            {},
            (
                "column 'ts' not found; the file has sip_timestamp, trf_timestamp, price, qty. "
                "Map it with --column ts=sip_timestamp or --column ts=trf_timestamp."
            ),
        ),
        (
            "https://www.example.com/ohlc/,,,,",
            {},
            (
                "column 'ts' not found; the file has https://www.example.com/ohlc/, , , , . "
                "Declare lines above the header with --skip-lines N, or --delimiter CHAR."
            ),
        ),
        (
            "Local time,price,qty",
            {},
            "column 'ts' not found; the file has Local time, price, qty. Map it with --column 'ts=Local time'.",
        ),
        (
            "1381095255,122.0,0.1",
            {},
            (
                "column 'ts' not found; the file has 1381095255, 122.0, 0.1. "
                "The first line is no header: name all columns, such as with --column-names ts,price,qty."
            ),
        ),
        (
            "2012-02-01T00:00:00Z,1.3,1.4,1.2,1.3,1e-5,",
            {},
            (
                "column 'ts' not found; the file has 2012-02-01T00:00:00Z, 1.3, 1.4, 1.2, 1.3, 1e-5, . "
                "The first line is no header: name all columns, "
                "such as with --column-names ts,open,high,low,close,volume,x7."
            ),
        ),
    ],
)
def test_columns_that_cannot_be_told(tmp_path: Path, header: str, options: dict[str, Any], message: str) -> None:
    path = csv(tmp_path, "t.csv", f"{header}\n1,1,1,1\n")

    assert refused(path, "trades", **options) == f"DATA004 t.csv:1: {message}"


def test_a_price_that_is_not_positive(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", trades_with(12, "2024-01-01T12:00:05Z,-5.0,1"))

    assert refused(path, "trades") == (
        "DATA005 trades.csv:12: price -5.0 is not positive for BTCUSDT.SIM. "
        "Use --allow-negative-prices if the instrument can have it."
    )


def test_a_traded_quantity_of_zero(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", trades_with(2, "2024-01-01T12:00:05Z,5,0"))

    assert refused(path, "trades", allow_negative_prices=True) == (
        "DATA005 trades.csv:2: qty 0 is not positive for BTCUSDT.SIM. Correct or remove the row."
    )


@pytest.mark.parametrize("offset", ["+02:00", "Z"])
def test_times_with_and_without_an_offset(tmp_path: Path, offset: str) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01 12:00:00{offset},1,1\n2024-01-01 12:00:00,1,1\n")

    assert refused(path, "trades") == (
        f"DATA006 trades.csv:3: time '2024-01-01 12:00:00' has no UTC offset while row 2 has {offset}. Use --tz NAME."
    )


def test_times_without_any_offset(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01 12:00:00,1,1\n")

    assert refused(path, "trades") == (
        "DATA006 trades.csv:2: time '2024-01-01 12:00:00' has no UTC offset. Use --tz NAME."
    )


@pytest.mark.parametrize("moment", ["2024-11-03 01:30:00", "2024-03-10 02:30:00"])
def test_a_local_time_that_the_clock_shows_twice_or_never(tmp_path: Path, moment: str) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}{moment},1,1\n")

    assert refused(path, "trades", tz="America/New_York") == (
        f"DATA006 trades.csv:2: time '{moment}' occurs twice or never in America/New_York. "
        "Write times with a UTC offset."
    )


@pytest.mark.slow
def test_too_many_rows_for_a_batch(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    ones = pa.repeat(pa.scalar(1_704_067_200, pa.int64()), 20_000_000)
    pq.write_table(pa.table({"ts": ones, "price": ones, "qty": ones}), path)

    assert refused(path, "trades") == (
        "DATA007 b.parquet: 20,000,000 rows x 8 bytes = 160,000,000 bytes "
        "exceed the limit of 67,108,864 for one batch. Use --streaming or raise data.max_batch_bytes."
    )


@pytest.mark.parametrize("text", ["", "\n\n", TRADES, f"{TRADES}\n\n"])
def test_no_rows(tmp_path: Path, text: str) -> None:
    path = csv(tmp_path, "trades.csv", text)

    assert refused(path, "trades") == "DATA008 trades.csv: 0 data rows. Check the file or the date range."


def test_all_rows_dropped(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01T00:00:00Z,,1\n")

    assert refused(path, "trades", on_null="drop") == (
        "DATA008 trades.csv: 0 data rows. Check the file or the date range."
    )


@pytest.mark.parametrize("value", ["abc", "inf", "-Infinity", "1e400", "0x10", "1_000", "1.2.3", "--1", "٣"])
def test_text_in_a_number(tmp_path: Path, value: str) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01T00:00:00Z,{value},1\n")

    assert refused(path, "trades") == (
        f"DATA009 trades.csv:2: column 'price': '{value}' is not a finite decimal. Correct the value."
    )


def test_a_number_of_more_digits_than_64_bits_hold(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01T00:00:00Z,12345678901234567,1\n")

    assert refused(path, "trades") == (
        "DATA009 trades.csv:2: column 'price': '12345678901234567' is too large for 2 decimals. Correct the value."
    )


@pytest.mark.parametrize("value", ["noon", "2024-13-01T00:00:00Z", "1", "9999-01-01T00:00:00Z"])
def test_text_that_is_no_time(tmp_path: Path, value: str) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}{value},1,1\n")

    assert refused(path, "trades", tz="UTC") == (
        f"DATA009 trades.csv:2: column 'ts': '{value}' is not a time. "
        "Correct the value or declare its form with --ts-format FORMAT or --ts-unit UNIT."
    )


def test_a_long_value_is_cut_and_its_control_characters_are_shown(tmp_path: Path) -> None:
    path = csv(tmp_path, "trades.csv", f"{TRADES}2024-01-01T00:00:00Z,\x07{'9x' * 60},1\n")

    assert refused(path, "trades") == (
        f"DATA009 trades.csv:2: column 'price': '\\x07{'9x' * 28}...' is not a finite decimal. Correct the value."
    )


@pytest.mark.parametrize(
    ("prices", "what"),
    [
        ("100,99,101,100", "high 99 is below low 101"),
        ("100,101,99,102", "close 102 is outside low 99 - high 101"),
        ("98.50,101,99,100", "open 98.50 is outside low 99 - high 101"),
    ],
)
def test_an_impossible_bar(tmp_path: Path, prices: str, what: str) -> None:
    rows = [f"{1_704_067_200 + 3_600 * number},1,1,1,1,1\n" for number in range(75)]
    path = csv(tmp_path, "bars.csv", BARS + "".join(rows) + f"1714067200,{prices},5\n")

    assert refused(path, "bars") == (f"DATA010 bars.csv:77: {what}. Correct or drop the row with --on-bad-bar drop.")


def test_a_path_in_an_instrument_id() -> None:
    with pytest.raises(DataError) as caught:
        pair("../../etc/x", base="BTC", quote="USD", tick=1, step=1)

    assert caught.value.message == (
        "DATA012 instrument id '../../etc/x' contains '/'. Allowed are letters, digits, '.', '_' and '-'."
    )


@pytest.mark.parametrize(
    ("first", "second", "unit"),
    [
        ("1704067200", "1704067201000", "s"),
        ("1704067200000", "1704067201", "ms"),
        ("1704067200000000", "1704067201000000000", "us"),
        ("1704067200000000000", "1704067201000000", "ns"),
    ],
)
def test_units_that_differ_in_a_column(tmp_path: Path, first: str, second: str, unit: str) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}{first},1,1\n{second},1,1\n{second},1,1\n")

    assert refused(path, "trades") == (
        f"DATA014 t.csv:3: column 'ts': '{second}' is not in {unit} like the times before it (2 such rows). "
        "Give one unit to the whole column."
    )


@pytest.mark.parametrize("value", ["1,5", "1.234,5", "1,234.5", "12'000", "1 000"])
def test_separators_that_were_not_declared(tmp_path: Path, value: str) -> None:
    path = csv(tmp_path, "t.csv", f"ts;price;qty\n2024-01-01T00:00:00Z;{value};1\n")

    assert refused(path, "trades") == (
        f"DATA016 t.csv:2: column 'price': '{value}' has a decimal comma or thousands separators. "
        "Declare them with --decimal , or --thousands ,."
    )


def test_values_with_more_decimals_than_the_instrument(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}2024-01-01T00:00:00Z,1.005,1\n2024-01-01T00:00:00Z,1.0050001,1\n")

    assert refused(path, "trades") == (
        "DATA018 t.csv:2: column 'price': '1.005' has more than 2 decimals (2 such rows). "
        "Define the instrument with a finer --tick, or use --round half-even (rounded values are counted)."
    )


def test_prices_off_the_tick(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}2024-01-01T00:00:00Z,1.25,1\n2024-01-01T00:00:00Z,1.30,1\n")

    assert refused(path, "trades", instrument=QUARTER) == (
        "DATA018 t.csv:3: column 'price': '1.30' is not a multiple of the tick 0.25. "
        "Use --off-tick keep (kept rows are counted)."
    )


def test_a_side_that_is_none(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", "ts,price,qty,side\n2024-01-01T00:00:00Z,1,1,up\n")

    assert refused(path, "trades") == "DATA009 t.csv:2: column 'side': 'up' is not a side. Write buy or sell."


def test_rows_of_a_parquet_file_are_counted_from_zero(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    prices = ["1.5"] * 1_041 + ["x"]
    pq.write_table(pa.table({"ts": [1_704_067_200] * 1_042, "price": prices, "qty": [1] * 1_042}), path)

    assert refused(path, "trades") == (
        "DATA009 b.parquet row 1,041: column 'price': 'x' is not a finite decimal. Correct the value."
    )


def test_a_parquet_column_of_a_useless_type(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({"ts": [1_704_067_200], "price": [[1.0]], "qty": [1]}), path)

    assert refused(path, "trades") == (
        "DATA009 b.parquet row 0: column 'price' of type list<element: double> is not a number. Map another column."
    )


@pytest.mark.parametrize(
    ("wording", "fix"),
    [("command", "--on-null drop"), ("python", 'on_null="drop"'), ("file", 'on_null = "drop"')],
)
def test_a_fix_speaks_the_language_of_its_caller(tmp_path: Path, wording: str, fix: str) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}2024-01-01T00:00:00Z,,1\n")

    assert refused(path, "trades", wording=wording) == (
        f"DATA001 t.csv:2: column 'price' has no value. Drop or fill the row, or use {fix} (dropped rows are counted)."
    )


def test_the_first_error_goes_by_the_check_and_it_carries_the_others(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", f"{TRADES}1704067200,abc,1\n1704067200,,1\n1704067200,-1,1\n1704067100,1,1\n")

    with pytest.raises(DataError) as caught:
        import_file(path, BTC, "trades", wording="command")

    assert [caught.value.code, *(other.code for other in caught.value.more)] == ["DATA001", "DATA009", "DATA005"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_nul": "drop"}, "CONF001 on_nul: unknown key. Did you mean 'on_null'?"),
        (
            {"on_null": "fill"},
            "CONF002 on_null: 'fill' is not allowed (Input should be 'error' or 'drop'). Correct the value.",
        ),
        (
            {"tz": "Mars/Phobos"},
            "CONF002 tz: 'Mars/Phobos' is not a time zone. Write for example UTC, America/New_York or -05:00.",
        ),
        ({"day": "yesterday"}, "CONF002 day: 'yesterday' is not a day. Write for example 2024-01-31."),
    ],
)
def test_wrong_options(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    path = csv(tmp_path, "t.csv", TRADES + GOOD_TRADE)

    with pytest.raises(ConfigError) as caught:
        import_file(path, BTC, "trades", **options)

    assert caught.value.message == message


def test_wrong_kinds_and_periods(tmp_path: Path) -> None:
    path = csv(tmp_path, "t.csv", TRADES + GOOD_TRADE)
    for kind, period, message in [
        ("trade", "", "CONF002 kind: 'trade' is not importable. Did you mean 'trades'?"),
        ("trades", "1h", "CONF002 period: trades have no period. Leave it out."),
        ("bars", "hour", 'CONF002 \'hour\' is not a bar period. Write for example "1m", "1h" or "1d".'),
    ]:
        with pytest.raises(ConfigError) as caught:
            import_file(path, BTC, kind, period=period)
        assert caught.value.message == message
