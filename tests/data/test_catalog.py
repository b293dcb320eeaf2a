"""The Parquet catalog: what is written is read again, whole, by us and by other tools, whatever dies meanwhile."""

import errno
import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from libra_ray.data.importer import import_file
from libra_ray.data.parquet_catalog import Catalog, catalog
from libra_ray.data.synthetic import synth
from libra_ray.data.writer_lock import writer_lock
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import BARS, TRADES
from libra_ray.model.instruments import Instrument, pair

HOUR_NS = 3_600 * 10**9
EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step=1)
WIDE = pair("WEI.SIM", base="ETH", quote="BTC", tick="0.000000000001", step=1)


def bars(first_hour: int, count: int, *, instrument: Instrument = EURUSD) -> pa.Table:
    hours = np.arange(first_hour, first_hour + count)
    columns = dict.fromkeys(("open", "high", "low", "close", "volume"), hours + 110_000)
    return BARS.table(instrument, {"ts_init_ns": hours * HOUR_NS, **columns}, period="1h")


def filled(root: Path) -> Catalog:
    """Ten bars in two files, ten trades."""
    made = catalog(root)
    made.write(EURUSD, BARS, bars(5, 5), "1h")
    made.write(EURUSD, BARS, bars(0, 5), "1h", source="a.csv", counts={"dropped_null": 2, "sorted_rows": 0})
    made.write(EURUSD, TRADES, synth("trades", EURUSD, rows=10, price="1.1").streams[0].table)
    return made


def test_files_of_one_stream_are_read_as_one_in_order_of_time(tmp_path: Path) -> None:
    data = filled(tmp_path).bars("EURUSD.SIM", "1h")

    assert data.streams[0].table.equals(bars(0, 10))
    assert data.instruments == {"EURUSD.SIM": EURUSD}


def test_a_time_range_ends_before_its_end(tmp_path: Path) -> None:
    made = filled(tmp_path)

    assert made.bars("EURUSD.SIM", "1h", start=3 * HOUR_NS, end=7 * HOUR_NS).rows == 4
    assert made.bars("EURUSD.SIM", "1h", start="1970-01-01T07:00:00Z").rows == 3
    assert made.bars("EURUSD.SIM", "1h", end="1970-01-01T02:00:00+01:00").rows == 1


def test_only_row_groups_of_the_range_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libra_ray.data.catalog_writer.ROW_GROUP_ROWS", 10)
    made = catalog(tmp_path)
    made.write(EURUSD, BARS, bars(0, 100), "1h")
    groups: list[list[int]] = []
    read = pq.ParquetFile.read_row_groups

    def noted(file: Any, chosen: list[int], **more: Any) -> Any:  # noqa: ANN401  # as the method it stands for
        groups.append(chosen)
        return read(file, chosen, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", noted)

    assert made.bars("EURUSD.SIM", "1h", start=15 * HOUR_NS, end=30 * HOUR_NS).rows == 15
    assert groups == [[1, 2]]


def test_the_list_says_what_each_file_holds(tmp_path: Path) -> None:
    first, second, trades = filled(tmp_path).ls()

    assert (first.start_ns, first.end_ns, first.rows, first.source, first.counts) == (
        0,
        4 * HOUR_NS,
        5,
        "a.csv",
        {"dropped_null": 2},
    )
    assert (second.type, second.instrument_id, second.period) == ("bars", "EURUSD.SIM", "1h")
    assert (trades.type, trades.period, trades.rows) == ("trades", "", 10)
    assert (tmp_path / first.file).stat().st_size == first.bytes


def test_an_import_is_written_with_its_counts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("ts,price,qty\n1704067200,1.1,1\n1704067200,,1\n")
    made = catalog(tmp_path / "data")

    entry = made.add(import_file(tmp_path / "t.csv", EURUSD, "trades", on_null="drop"))

    assert (entry.source, entry.rows, entry.counts) == ("t.csv", 1, {"dropped_null": 1})
    assert made.trades("EURUSD.SIM").streams[0].table.to_pylist()[0]["price"] == Decimal("1.10000")


def test_an_overlap_in_time_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    made = filled(tmp_path)
    before = made.ls()

    with pytest.raises(DataError) as caught:
        made.write(EURUSD, BARS, bars(9, 3), "1h", source="b.csv")

    assert caught.value.message == (
        "DATA013 b.csv: 1970-01-01T09:00:00Z to 1970-01-01T11:00:00Z overlaps "
        "bars/EURUSD.SIM-1h/18000000000000-32400000000000.parquet, "
        "1970-01-01T05:00:00Z to 1970-01-01T09:00:00Z, of EURUSD.SIM bars 1h. Import each time range once, "
        "or say with on-overlap which rows stay."
    )
    assert made.ls() == before
    assert made.check().errors == ()
    made.write(EURUSD, BARS, bars(9, 3), "5m")


def test_falling_times_are_refused_over_chunks(tmp_path: Path) -> None:
    table = pa.concat_tables([bars(5, 2), bars(6, 2), bars(3, 2)])

    with pytest.raises(DataError) as caught:
        catalog(tmp_path).write(EURUSD, BARS, table, "1h", source="x.csv")

    assert caught.value.message == (
        "DATA002 x.csv row 4: time 1970-01-01T03:00:00Z is earlier than 1970-01-01T07:00:00Z before it. Sort the rows."
    )


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^DATA008 bars: 0 data rows\."):
        catalog(tmp_path).write(EURUSD, BARS, bars(0, 0), "1h")


def test_another_definition_of_an_instrument_is_refused(tmp_path: Path) -> None:
    made = filled(tmp_path)
    other = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.0001", step=1)

    with pytest.raises(ConfigError) as caught:
        made.write(other, BARS, bars(20, 3, instrument=other), "1h")

    assert caught.value.message == (
        f"CONF007 {tmp_path}: instrument 'EURUSD.SIM' is in the catalog with another definition. "
        "Use that one, or another folder."
    )


@pytest.mark.parametrize(
    ("instrument_id", "period", "start", "message"),
    [
        ("EURUSDX.SIM", "1h", None, "instrument 'EURUSDX.SIM' is not in the catalog. Did you mean 'EURUSD.SIM'?"),
        ("EURUSD.SIM", "1d", None, "EURUSD.SIM bars 1d is not in the catalog. It holds bars 1h, trades."),
        (
            "EURUSD.SIM",
            "1h",
            "2024-01-01",
            (
                "EURUSD.SIM bars 1h has no rows in the time range; it has "
                "1970-01-01T00:00:00Z to 1970-01-01T09:00:00Z. Check the date range."
            ),
        ),
    ],
)
def test_what_is_not_there_is_an_error(
    tmp_path: Path, instrument_id: str, period: str, start: str | None, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        filled(tmp_path).bars(instrument_id, period, start=start)

    assert caught.value.message == f"CONF008 {tmp_path}: {message}"


def test_a_catalog_that_was_never_written_is_empty(tmp_path: Path) -> None:
    made = catalog(tmp_path / "none")

    assert made.ls() == []
    with pytest.raises(ConfigError, match="CONF008"):
        made.quotes("EURUSD.SIM")
    assert not (tmp_path / "none").exists()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    made = filled(tmp_path)
    with writer_lock(tmp_path / "catalog.lock"), pytest.raises(DataError) as caught:
        made.write(EURUSD, BARS, bars(20, 3), "1h")

    assert caught.value.code == "DATA023"
    assert caught.value.what.startswith("another writer holds the dataset, pid ")
    made.write(EURUSD, BARS, bars(20, 3), "1h")


def test_a_lock_whose_folder_was_taken_back_meanwhile_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tries = tmp_path / "new" / "catalog.lock", []

    def lock_late(file: int) -> None:
        tries.append(file)
        if len(tries) == 1:
            path.unlink()
            path.parent.rmdir()

    monkeypatch.setattr("libra_ray.data.writer_lock._lock", lock_late)
    with writer_lock(path):
        assert path.exists()
    assert len(tries) == 2


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = catalog(tmp_path / "new")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("libra_ray.data.catalog_store.HashedFile.write", full)
        with pytest.raises(DataError) as caught:
            made.write(EURUSD, BARS, bars(0, 3), "1h")

    assert caught.value.message == (
        f"DATA011 {tmp_path / 'new'}: cannot be written (No space left on device). "
        "Check the room and your rights there; nothing was added."
    )
    assert not (tmp_path / "new").exists()


def test_a_manifest_that_something_else_changed_is_refused(tmp_path: Path) -> None:
    made = filled(tmp_path)
    path = tmp_path / "catalog.json"
    stored = json.loads(path.read_text())
    stored["content"]["entries"][0]["rows"] = 6
    path.write_text(json.dumps(stored))

    with pytest.raises(DataError) as caught:
        made.ls()

    assert caught.value.message == (
        f"DATA023 {path}: the manifest's hash differs from its content. Restore the file, or import the data again."
    )
    path.write_text("{")
    with pytest.raises(DataError, match="DATA011"):
        made.ls()


def test_a_check_finds_files_that_were_changed_or_removed_and_gaps(tmp_path: Path) -> None:
    made = filled(tmp_path)
    made.write(EURUSD, BARS, bars(12, 2), "1h")
    first, second, third, trades = made.ls()
    assert [(gap.after_ns, gap.before_ns, gap.missing) for gap in made.check().gaps] == [(9 * HOUR_NS, 12 * HOUR_NS, 2)]

    content = bytearray((tmp_path / second.file).read_bytes())
    content[100] ^= 1
    (tmp_path / second.file).write_bytes(content)
    (tmp_path / trades.file).unlink()

    found = made.check()
    assert (found.entries, found.rows) == (4, first.rows + second.rows + third.rows + trades.rows)
    fix = "Restore the file, or import the data again."
    assert [error.message for error in found.errors] == [
        f"DATA023 {second.file}: the file's hash differs from the manifest's. {fix}",
        f"DATA023 {trades.file}: the file that the manifest names is not there. {fix}",
    ]


def test_other_tools_read_decimals_as_decimals(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    path = str(tmp_path / made.write(EURUSD, BARS, bars(0, 3), "1h").file)
    wide = str(tmp_path / made.write(WIDE, BARS, bars(0, 3, instrument=WIDE), "1h").file)
    exact = [Decimal("1.10000"), Decimal("1.10001"), Decimal("1.10002")]

    assert pq.ParquetFile(path).schema.column(2).physical_type == "INT64"
    with duckdb.connect() as connection:
        described = connection.execute("describe select close from read_parquet(?)", [path]).fetchall()
        assert described[0][1] == "DECIMAL(18,5)"
        rows = connection.execute("select close from read_parquet(?)", [path]).fetchall()
    assert [row[0] for row in rows] == exact
    assert pl.read_parquet(path)["close"].to_list() == exact
    assert pl.read_parquet(path).schema["close"] == pl.Decimal(18, 5)
    assert pl.read_parquet(wide)["close"].to_list() == [Decimal(110_000 + hour).scaleb(-12) for hour in range(3)]


def test_pandas_reads_decimals_as_decimals(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    made = catalog(tmp_path)
    path = tmp_path / made.write(EURUSD, BARS, bars(0, 2), "1h").file

    assert pandas.read_parquet(path)["close"].tolist() == [Decimal("1.10000"), Decimal("1.10001")]


KILLER = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_catalog import BARS, EURUSD, bars, catalog

def die_at(step, root):
    def count(event, arguments):
        nonlocal step
        touches = event in ("open", "os.rename", "os.remove", "os.mkdir") and str(root) in str(arguments[0])
        if touches or event == "fsync":
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    synced = os.fsync
    def fsync(file):
        count("fsync", ())
        synced(file)
        count("fsync", ())
    os.fsync = fsync
    sys.addaudithook(count)

for step in range(1, 100):
    root = Path({root!r}) / str(step)
    shutil.copytree({template!r}, root)
    child = os.fork()
    if child == 0:
        die_at(step, root)
        catalog(root).write(EURUSD, BARS, bars(10, 5), "1h")
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
        break
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_step_leaves_the_catalog_readable(tmp_path: Path) -> None:
    filled(tmp_path / "template")
    (tmp_path / "killed").mkdir()
    names = {
        "tests": str(Path(__file__).parent),
        "root": str(tmp_path / "killed"),
        "template": str(tmp_path / "template"),
    }

    subprocess.run([sys.executable, "-c", KILLER.format(**names)], check=True)

    killed = sorted((tmp_path / "killed").iterdir(), key=lambda folder: int(folder.name))
    rows = [catalog(folder).bars("EURUSD.SIM", "1h").rows for folder in killed]
    assert len(rows) > 15
    # Old until the step that replaced the manifest, new from there on, and never between.
    assert rows == [10] * rows.count(10) + [15] * rows.count(15)
    assert rows.count(10) > 10
    assert rows.count(15) > 1
    for folder in killed:
        made = catalog(folder)
        assert made.check().errors == ()
        made.write(EURUSD, BARS, bars(20, 5), "1h")
        found = {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}
        assert found == {entry.file for entry in made.ls()}


def test_times_are_given_as_text_or_nanoseconds(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) // 3_600
    made.write(EURUSD, BARS, bars(start, 48), "1h")

    assert made.bars("EURUSD.SIM", "1h", start="2024-01-01T12:00:00.000000001", end="2024-01-02").rows == 11
    with pytest.raises(ConfigError, match=r"^CONF002 'tomorrow' is not a time\. Write for example 2024-01-31"):
        made.bars("EURUSD.SIM", "1h", start="tomorrow")
