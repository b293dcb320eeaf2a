"""Rows mapped from temporary files are the rows that lie in memory, and take none of it."""

import errno
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pytest

from libra_ray import pair, synth, synth_order_flow
from libra_ray.data import Dataset, Stream, catalog, import_file
from libra_ray.data.mapped_rows import mapped_rows
from libra_ray.errors import DataError
from libra_ray.messages.schemas import BOOK_DELTAS, TRADES
from libra_ray.model.instruments import Instrument

PAIR = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
WIDE_PAIR = pair("WIDE.SIM", base="EUR", quote="USD", tick="0.000000000001", step="1")


def filled(folder: Path, stream: Stream) -> None:
    half = stream.rows // 2
    for table in (stream.table.slice(0, half), stream.table.slice(half)):
        catalog(folder).write(stream.instrument, stream.schema, table, stream.period)


def trades_of(instrument: Instrument) -> Stream:
    numbers = np.arange(1, 5_001)
    columns = {"ts_init_ns": numbers, "price": numbers, "qty": numbers, "aggressor": numbers % 3}
    return Stream(TRADES, instrument, "", TRADES.table(instrument, columns))


@pytest.mark.parametrize("instrument", [PAIR, WIDE_PAIR], ids=["standard", "high precision"])
def test_a_mapped_stream_equals_the_one_in_memory(instrument: Instrument, tmp_path: Path) -> None:
    trades = trades_of(instrument)
    filled(tmp_path, trades)

    mapped = catalog(tmp_path, memory_bytes_max=0).stream(TRADES, instrument.id)

    assert mapped.digest == trades.digest == catalog(tmp_path).stream(TRADES, instrument.id).digest
    assert np.array_equal(mapped.raw("aggressor"), trades.raw("aggressor"))
    assert all(column.num_chunks == 1 for column in mapped.table.columns)


def test_a_range_and_its_codes_are_cut_alike(tmp_path: Path) -> None:
    (deltas,) = (each for each in synth_order_flow(PAIR, events=2_000) if each.schema is BOOK_DELTAS)
    filled(tmp_path, deltas)
    start, end = int(deltas.ts_ns[100]), int(deltas.ts_ns[-100])

    mapped = catalog(tmp_path, memory_bytes_max=0).stream(BOOK_DELTAS, "EURUSD.SIM", start=start, end=end)

    assert mapped.digest == deltas.slice(start, end).digest
    assert mapped.rows_between(7, 90).digest == deltas.slice(start, end).rows_between(7, 90).digest
    assert np.array_equal(mapped.raw("side"), deltas.slice(start, end).raw("side"))


def test_texts_of_sliced_batches_are_joined() -> None:
    schema = pa.schema([pa.field("text", pa.string(), nullable=False)])
    table = pa.table({"text": ["", "a", "bcd", "é", "", "longer"]}, schema=schema)

    made = mapped_rows([table.slice(1, 3), table.slice(4, 0), table.slice(4)], schema, "texts")

    assert made.table.column("text").to_pylist() == ["a", "bcd", "é", "", "longer"]
    assert mapped_rows([], schema, "texts").table.num_rows == 0


def test_nothing_is_left_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = synth("trades", PAIR, rows=5_000, price="1.1")
    filled(tmp_path / "catalog", data.streams[0])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()

    mapped = catalog(tmp_path / "catalog", memory_bytes_max=0).trades("EURUSD.SIM")

    assert list((tmp_path / "spool").iterdir()) == []
    assert mapped.digest == data.digest


def test_a_full_disk_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = synth("trades", PAIR, rows=5_000, price="1.1")
    filled(tmp_path / "catalog", data.streams[0])

    class Full:
        def __enter__(self) -> Any:  # noqa: ANN401
            return self

        def __exit__(self, *_: object) -> None: ...

        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def full() -> IO[bytes]:
        return Full()  # type: ignore[return-value]  # as much of a file as is asked for

    monkeypatch.setattr("libra_ray.data.mapped_rows.tempfile.TemporaryFile", full)
    with pytest.raises(DataError) as caught:
        catalog(tmp_path / "catalog", memory_bytes_max=0).trades("EURUSD.SIM")

    assert caught.value.message == (
        f"DATA007 EURUSD.SIM trades: 2,500 rows do not fit into {tempfile.gettempdir()} (No space left on device). "
        "Set TMPDIR to a folder on a disk with more room."
    )


def test_a_streaming_import_gives_one_mapped_chunk(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ts,price,qty,side\n" + "".join(f"{1_704_067_200_000 + n},1.1,2,buy\n" for n in range(300_000)))

    streamed = import_file(path, PAIR, "trades", streaming=True)
    whole = import_file(path, PAIR, "trades")

    assert streamed.table.column("price").num_chunks == 1
    assert Dataset([streamed.stream]).digest == whole.dataset.digest
    assert np.array_equal(streamed.stream.raw("aggressor"), whole.stream.raw("aggressor"))
    assert set(streamed.wide) == {"aggressor"}


def test_the_order_is_looked_at_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libra_ray.data.dataset.ORDER_BLOCK_ROWS", 3)
    times = np.array([1, 2, 3, 4, 4, 3, 5, 6, 7, 1])
    table = TRADES.table(PAIR, {"ts_init_ns": times, "price": times, "qty": times, "aggressor": times * 0})

    with pytest.raises(DataError, match=r"row 5: .* \(2 such rows\)"):
        Stream(TRADES, PAIR, "", table)


def test_a_large_stream_of_two_files_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    trades = trades_of(PAIR)
    first, second = (Dataset([trades.rows_between(*part)]) for part in ((0, 2_000), (2_000, 5_000)))
    monkeypatch.setattr("libra_ray.data.dataset.MEMORY_BYTES_MAX", trades.nbytes - 1)

    (joined,) = first + second

    assert joined.digest == trades.digest
    assert np.shares_memory(joined.raw("aggressor"), joined.raw("aggressor")), "mapped at full width"
