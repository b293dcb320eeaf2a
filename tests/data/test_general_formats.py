"""Every general format gives the same rows; what a file is, is seen by its content."""

import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as pa_feather
import pytest

from libra_ray.data.importer import Import, import_file, import_table
from libra_ray.errors import ConfigError, DataError
from tests.data.import_files import BTC, HEADER, ROWS, T0, WRITERS

EXPECTED = [
    (T0, Decimal("100.25"), Decimal("1.500"), 1),
    (T0 + 1, Decimal("99.50"), Decimal("0.001"), 2),
    (T0 + 2 * 10**9, Decimal("0.01"), Decimal("7.000"), 1),
]


def rows(made: Import) -> list[tuple[Any, ...]]:
    return [(row["ts_init_ns"], row["price"], row["qty"], row["aggressor"]) for row in made.table.to_pylist()]


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_trades_from_every_format(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)

    made = import_file(tmp_path / name, BTC)

    assert made.schema.name == "trades", "what the file holds is told by its columns"
    assert rows(made) == EXPECTED
    assert made.report.format == (
        "jsonl"
        if "json" in name or name == "lines.zip"
        else "csv"
        if "csv" in name or name in ("t.tsv", "t.zip")
        else "parquet"
        if name in ("t.parquet", "by_content")
        else "feather"
    )


@pytest.mark.parametrize("library", ["pandas", "pandas index", "polars", "polars lazy", "arrow", "batch", "mapping"])
def test_the_same_trades_from_objects_in_memory(library: str) -> None:
    columns = {name: [row[place] for row in ROWS] for place, name in enumerate(HEADER)}
    columns["ts"] = [T0, T0 + 1, T0 + 2 * 10**9]  # type: ignore[list-item]
    frame = pd.DataFrame({**columns, "ts": pd.to_datetime(columns["ts"], utc=True), "qty": [1.5, 0.001, 7]})
    table: Any = {
        "pandas": frame,
        "pandas index": frame.set_index("ts").rename_axis(None),
        "polars": pl.DataFrame(columns),
        "polars lazy": pl.LazyFrame(columns).with_columns(pl.col("qty").cast(pl.Float64)),
        "arrow": pa.table(columns),
        "batch": pa.table(columns).to_batches()[0],
        "mapping": columns,
    }[library]

    made = import_table(table, BTC)

    assert rows(made) == EXPECTED
    assert (made.report.source, made.report.format) == ("table", "table")


def test_not_a_number_in_a_frame_is_no_value() -> None:
    frame = pd.DataFrame({"ts": [T0, T0], "price": [1.5, float("nan")], "qty": [1, 1]})

    with pytest.raises(DataError) as caught:
        import_table(frame, BTC, "trades", name="frame")

    assert caught.value.message == (
        "DATA001 frame row 1: column 'price' has no value. "
        'Drop or fill the row, or use on_null="drop" (dropped rows are counted).'
    )
    assert import_table(frame, BTC, "trades", on_null="drop").report.dropped_null == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_float_that_is_no_number_in_a_file(tmp_path: Path, value: float) -> None:
    path = tmp_path / "t.feather"
    pa_feather.write_feather(pa.table({"ts": [T0], "price": [value], "qty": [1.0]}), path)

    with pytest.raises(DataError) as caught:
        import_file(path, BTC, "trades")

    assert caught.value.code == ("DATA001" if value != value else "DATA009")  # noqa: PLR0124  # only NaN differs from itself


@pytest.mark.parametrize("table", [7, "text", [1, 2], {"ts": [1], "price": [[1], 2]}, {"ts": [1, 2], "price": [1]}])
def test_what_is_no_table_is_refused(table: Any) -> None:  # noqa: ANN401  # anything
    with pytest.raises(DataError, match="DATA011 table: "):
        import_table(table, BTC, "trades")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"ts": 1704067200, "price": "x", "qty": 1}\n',
            "DATA009 t.jsonl:1: column 'price': 'x' is not a finite decimal. Correct the value.",
        ),
        (
            '\n{"ts": 1704067200, "price": 1, "qty": 1}\n\n{"ts": 1704067200, "price": null, "qty": 1}\n',
            (
                "DATA001 t.jsonl:4: column 'price' has no value. "
                'Drop or fill the row, or use on_null="drop" (dropped rows are counted).'
            ),
        ),
        (
            '{"ts": 1704067200, "price": 1, "qty": 1}\n{"ts": 1704067200, "price": 1\n',
            (
                'DATA011 t.jsonl:2: \'{"ts": 1704067200, "price": 1\' is no JSON object (Input data was truncated). '
                "The line is damaged; correct it."
            ),
        ),
        (
            '[{"ts": 1704067200, "price": 1, "qty": 1}]\n',
            (
                'DATA011 t.jsonl:1: \'[{"ts": 1704067200, "price": 1, "qty": 1}]\' is no JSON object. '
                "Write one JSON object a line."
            ),
        ),
        (
            '{"ts": 1704067200, "cost": 1, "qty": 1}\n',
            (
                "DATA004 t.jsonl:1: column 'price' not found; the file has ts, cost, qty. "
                'Map it with columns={"price": "cost"}.'
            ),
        ),
        (
            '{"ts": 1704067200, "price": [1], "qty": 1}\n',
            "DATA009 t.jsonl:1: column 'price': '[1]' is not a finite decimal. Correct the value.",
        ),
    ],
)
def test_faults_of_json_lines_name_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.jsonl").write_text(text)

    with pytest.raises(DataError) as caught:
        import_file(tmp_path / "t.jsonl", BTC, "trades")

    assert caught.value.message == message


def test_a_number_of_json_keeps_all_of_its_decimals(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"ts": 1704067200, "price": 1.2500000000000000001, "qty": 33.354}\n')

    with pytest.raises(DataError, match=r"DATA018 t\.jsonl:1: column 'price': '1.2500000000000000001' has more than 2"):
        import_file(tmp_path / "t.jsonl", BTC, "trades")


def test_a_format_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    WRITERS["t.jsonl"](path)

    assert rows(import_file(path, BTC, "trades", format="jsonl")) == EXPECTED
    with pytest.raises(ConfigError) as caught:
        import_file(path, BTC, "trades", format="jsnol")
    assert caught.value.message == "CONF002 format: 'jsnol' is not a format. Did you mean 'jsonl'?"


KINDS = {
    "book_deltas": ("ts,book_side,price,size", "1704067200,bid,1.5,2\n1704067201,a,1.6,0\n", "action", [2, 3]),
    "book_snapshots": ("ts,side,level,price,qty", "1704067200,1,0,1.5,2\n1704067200,2,0,1.6,3\n", "side", [1, 2]),
    "funding_rates": ("time,funding_rate", "1704067200,0.0001\n1704067200,-1e-4\n", "rate", [10**8, -(10**8)]),
    "mark_prices": ("ts,mark_price", "1704067200,1.5\n1704067200,1.6\n", "price", [150, 160]),
    "splits": ("date,split_to,split_from", "2024-01-01Z,7,1\n2024-01-02 00:00Z,1,20\n", "new_shares", [7, 1]),
    "dividends": ("ts,dividend", "1704067200,0.24\n1704067201,1\n", "amount", [24 * 10**10, 10**12]),
    "instrument_status": ("ts,status", "1704067200,trading\n1704067201,Halted\n", "status", [2, 3]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_rows_is_read_from_a_table(tmp_path: Path, kind: str) -> None:
    header, text, column, expected = KINDS[kind]
    (tmp_path / "t.csv").write_text(f"{header}\n{text.replace('2024-01-01Z', '2024-01-01 00:00Z')}")

    made = import_file(tmp_path / "t.csv", BTC)

    assert made.schema.name == kind
    assert list(made.stream.raw(column)) == expected


def test_rows_that_clear_a_book_have_no_price(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "ts,action,side,price,qty,order_id,flags\n1704067200,clear,bid,0,0,0,0\n1704067200,add,bid,1,2,77,1\n"
    )

    made = import_file(tmp_path / "t.csv", BTC, "book_deltas")

    assert [list(made.stream.raw(name)) for name in ("action", "order_id", "flags")] == [[4, 1], [0, 77], [0, 1]]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pa.array([1_704_067_200_123.0]), T0 + 123_000_000),
        (pa.array([1_704_067_200.5]), T0 + 500_000_000),
        (pa.array([1_704_067_200], pa.int32()), T0),
        (pa.array([1_704_067_200_000_000], pa.uint64()), T0),
        (pa.array([1_704_067_200_000], pa.timestamp("ms", "UTC")), T0),
        (pa.array([19_723], pa.date32()), T0),
        (pa.array(["2024-01-01T02:00:00+02:00"], pa.large_string()), T0),
    ],
)
def test_times_of_every_type(times: pa.Array, expected: int) -> None:
    made = import_table({"ts": times, "price": [1], "qty": [1]}, BTC, "trades", tz="UTC")

    assert made.stream.ts_ns.tolist() == [expected]


@pytest.mark.parametrize("name", ["t.parquet", "t.feather"])
def test_a_binary_table_in_an_archive_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    (tmp_path / "packed.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))

    with pytest.raises(DataError) as caught:
        import_file(tmp_path / "packed.gz", BTC)

    assert caught.value.message == (
        "DATA011 packed.gz: is packed (gz); binary tables are packed inside. Unpack the file."
    )


def test_words_of_a_dictionary_that_polars_wrote_are_no_damage(tmp_path: Path) -> None:
    columns = {name: [row[place] for row in ROWS] for place, name in enumerate(HEADER)}
    pl.DataFrame(columns).with_columns(pl.col("side").cast(pl.Categorical)).write_ipc(tmp_path / "t.arrow")

    assert rows(import_file(tmp_path / "t.arrow", BTC)) == EXPECTED


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet", "t.feather"])
def test_one_column_may_be_several_of_ours(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame({"ts": [T0, T0 + 60 * 10**9], "last": ["1.5", "2.25"], "v": [1, 2]})
    writers: dict[str, Callable[[Path], object]] = {
        "t.csv": frame.write_csv,
        "t.jsonl": frame.write_ndjson,
        "t.parquet": frame.write_parquet,
        "t.feather": frame.write_ipc,
    }
    writers[name](tmp_path / name)

    made = import_file(
        tmp_path / name, BTC, "bars", period="1m", columns=dict.fromkeys(["open", "high", "low", "close"], "last")
    )

    assert [(str(row["open"]), str(row["close"]), str(row["volume"])) for row in made.table.to_pylist()] == [
        ("1.50", "1.50", "1.000"),
        ("2.25", "2.25", "2.000"),
    ]
