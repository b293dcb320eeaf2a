"""A table of several instruments gives each of them its own rows, and never those of another."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from libra_ray.data.file_survey import survey_file
from libra_ray.data.importer import import_file, import_table
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.instruments import Instrument, equity, pair
from tests.data.import_files import T0

AAA, BBB = equity("AAA.XNYS", quote="USD", tick="0.01"), equity("BBB.XNYS", quote="USD", tick="0.01")
COLUMNS: dict[str, list[Any]] = {
    "ts": [T0, T0 + 1, T0 + 2, T0 + 3],
    "ticker": ["AAA", "BBB", "BBB", "AAA"],
    "price": ["1.5", "20.5", "20.25", "1.75"],
    "size": [1, 2, 3, 4],
}
FRAME = pl.DataFrame(COLUMNS)
WRITERS: dict[str, Callable[[Path], object]] = {
    "t.csv": FRAME.write_csv,
    "t.jsonl": FRAME.write_ndjson,
    "t.parquet": FRAME.write_parquet,
    "t.feather": lambda path: FRAME.with_columns(pl.col("ticker").cast(pl.Categorical)).write_ipc(path),
}


def trades(table: pa.Table) -> list[tuple[int, str, str]]:
    return [(row["ts_init_ns"] - T0, str(row["price"]), str(row["qty"])) for row in table.to_pylist()]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("streaming", [False, True])
def test_each_instrument_gets_its_own_rows_and_the_others_are_counted(
    tmp_path: Path, name: str, *, streaming: bool
) -> None:
    WRITERS[name](tmp_path / name)

    first, second = (import_file(tmp_path / name, each, streaming=streaming) for each in (AAA, BBB))

    assert trades(first.table) == [(0, "1.50", "1"), (3, "1.75", "4")]
    assert trades(second.table) == [(1, "20.50", "2"), (2, "20.25", "3")]
    assert first.report.counts == second.report.counts == {"rows_of_other_symbols": 2}


def test_rows_of_a_frame_in_memory_too() -> None:
    assert trades(import_table(pd.DataFrame(COLUMNS), BBB).table) == [(1, "20.50", "2"), (2, "20.25", "3")]


def test_a_symbol_that_the_file_does_not_have_is_refused_with_those_it_has(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "t.csv")

    with pytest.raises(ConfigError) as caught:
        import_file(tmp_path / "t.csv", equity("CCC.XNYS", quote="USD", tick="0.01"))
    assert caught.value.message == (
        "CONF008 t.csv: the file holds AAA, BBB, not CCC. "
        'Give an instrument of one of these symbols, or use columns={"symbol": ""} if all rows are of one.'
    )
    with pytest.raises(ConfigError) as caught:
        survey_file(tmp_path / "t.csv")
    assert caught.value.what == "the file holds AAA, BBB"
    (seen,) = survey_file(tmp_path / "t.csv", instrument=BBB)
    assert (seen.rows, seen.start_ns, seen.end_ns, seen.disorder) == (2, T0 + 1, T0 + 2, 0)


def test_a_fault_of_another_instrument_is_none_of_this_one_and_places_are_those_of_the_file(tmp_path: Path) -> None:
    FRAME.with_columns(pl.Series("price", ["1.5", "20.5", "no", "1.75"])).write_csv(tmp_path / "t.csv")

    assert import_file(tmp_path / "t.csv", AAA).report.rows == 2
    with pytest.raises(DataError, match=r"DATA009 t.csv:4: column 'price': 'no'"):
        import_file(tmp_path / "t.csv", BBB)


@pytest.mark.parametrize(
    ("header", "columns", "rows"),
    [
        ("instrument_name", {}, 2),
        ("Symbol", {"symbol": ""}, 4),
        ("market", {}, 4),
        ("market", {"symbol": "market"}, 2),
    ],
)
def test_the_column_may_be_named_or_declared_absent(
    tmp_path: Path, header: str, columns: dict[str, str], rows: int
) -> None:
    FRAME.rename({"ticker": header}).write_csv(tmp_path / "t.csv")

    assert import_file(tmp_path / "t.csv", AAA, columns=columns).report.rows == rows


def test_one_symbol_is_no_choice_whatever_it_is(tmp_path: Path) -> None:
    FRAME.with_columns(ticker=pl.lit("AAA US Equity")).write_csv(tmp_path / "t.csv")

    made = import_file(tmp_path / "t.csv", AAA)

    assert (made.report.rows, made.report.counts) == (4, {})


@pytest.mark.parametrize("instrument_id", ["BTCUSDT.SIM", "BTC-USDT.SIM"])
def test_symbols_are_known_with_and_without_a_slash(tmp_path: Path, instrument_id: str) -> None:
    raw = "BTC/USDT" if instrument_id == "BTCUSDT.SIM" else "BTC-USDT"
    lines = [{"ts": T0 + n, "symbol": each, "price": 1.5, "amount": n + 1} for n, each in enumerate((raw, "ETH/USDT"))]
    (tmp_path / "t.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    instrument: Instrument = pair(instrument_id, base="BTC", quote="USDT", tick="0.01", step="1")

    assert trades(import_file(tmp_path / "t.jsonl", instrument).table) == [(0, "1.50", "1")]


def test_a_column_that_is_not_there_is_no_symbol(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "t.csv")

    with pytest.raises(DataError) as caught:
        import_file(tmp_path / "t.csv", AAA, columns={"symbol": "tickr"})
    assert caught.value.message == "DATA004 t.csv:1: column 'tickr' not found. Did you mean 'ticker'?"


def test_a_file_of_very_many_symbols_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"ts": [T0] * 140_000, "sym": range(140_000), "price": 1, "size": 1}).write_parquet(tmp_path / "t.pq")

    with pytest.raises(DataError, match=r"DATA017 t\.pq: column 'sym' has more than 131,072 different values, or"):
        import_file(tmp_path / "t.pq", AAA)


def test_long_texts_are_no_symbols(tmp_path: Path) -> None:
    texts = [f"{number}{'x' * 60_000}" for number in range(300)]
    pl.DataFrame({"ts": [T0] * 300, "sym": texts, "price": 1, "size": 1}).write_parquet(tmp_path / "t.pq")

    with pytest.raises(DataError, match=r"DATA017 t\.pq: column 'sym' has more than"):
        import_file(tmp_path / "t.pq", AAA)
