"""Catalogs read batch by batch: ranges, columns, many streams in one order, places behind URLs, types of one's own."""

from pathlib import Path

import pyarrow.fs as pa_fs
import pytest

from libra_ray.data.catalog_store import RemoteStore
from libra_ray.data.parquet_catalog import Catalog, catalog
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import BARS, TRADES
from tests.data.catalog_rows import EURUSD, GBPUSD, HOUR_NS, bars, hours_of, hours_read


def behind_url(root: Path) -> Catalog:
    """What an object store does, without one: Arrow's own local files."""
    return Catalog(RemoteStore("s3://key:secret@bucket/cat?region=x", pa_fs.LocalFileSystem(), str(root)))


def test_a_scan_gives_the_range_in_batches_over_all_files(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    made.write(EURUSD, BARS, bars(10, 10), "1h")
    made.write(EURUSD, BARS, bars(0, 10), "1h")

    batches = list(made.scan(BARS, "EURUSD.SIM", "1h", start=3 * HOUR_NS, end=17 * HOUR_NS, batch_rows=4))

    assert hours_of(batches) == list(range(3, 17))
    assert all(0 < batch.num_rows <= 4 for batch in batches)
    assert all(batch.schema.equals(BARS.arrow(EURUSD, period="1h")) for batch in batches)


def test_a_scan_reads_the_columns_that_are_asked_for_and_the_time(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    made.write(EURUSD, BARS, bars(0, 3), "1h")

    (batch,) = made.scan(BARS, "EURUSD.SIM", "1h", columns=["volume"])

    assert batch.schema.names == ["ts_init_ns", "volume"]
    assert batch.column("volume").to_pylist() == [0, 1, 2]
    with pytest.raises(ConfigError, match=r"^CONF008 columns: 'volum' is no column\. Did you mean 'volume'\?"):
        made.scan(BARS, "EURUSD.SIM", "1h", columns=["volum"])


def test_what_is_not_there_is_said_before_the_first_batch(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    made.write(EURUSD, BARS, bars(0, 3), "1h")

    with pytest.raises(ConfigError, match="CONF008"):
        made.scan(TRADES, "EURUSD.SIM")


def test_streams_are_merged_by_time_then_by_their_place(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    made.write(EURUSD, BARS, bars(0, 40), "1h")
    made.write(GBPUSD, BARS, bars(20, 40, instrument=GBPUSD), "1h")

    parts = made.merged([(BARS, "GBPUSD.SIM", "1h"), (BARS, "EURUSD.SIM", "1h")], end=50 * HOUR_NS, batch_rows=7)

    found = [(hour, stream) for part in parts for stream, rows in part.runs() for hour in hours_of([rows])]
    assert found == sorted([(hour, 1) for hour in range(40)] + [(hour, 0) for hour in range(20, 50)])


def test_a_place_behind_a_url_holds_what_a_folder_holds(tmp_path: Path) -> None:
    made = behind_url(tmp_path)
    made.write(EURUSD, BARS, bars(0, 5), "1h")
    made.write(EURUSD, BARS, bars(5, 5), "1h")
    made.compact()
    made.write(EURUSD, BARS, bars(20, 5), "1h")

    assert hours_read(made) == [*range(10), *range(20, 25)]
    assert made.check().errors == ()
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*/*")} == {e.file for e in made.ls()}


def test_a_place_behind_a_url_has_one_writer_and_its_errors_show_no_key(tmp_path: Path) -> None:
    made = behind_url(tmp_path)
    made.write(EURUSD, BARS, bars(0, 5), "1h")
    with made.store.writing(), pytest.raises(DataError) as caught:
        made.write(EURUSD, BARS, bars(5, 5), "1h")

    assert caught.value.code == "DATA023"
    assert "secret" not in caught.value.message
    made.write(EURUSD, BARS, bars(5, 5), "1h")


def test_fsspec_opens_what_arrow_does_not() -> None:
    pytest.importorskip("fsspec")
    made = catalog("memory://test_catalog_streams")
    made.write(EURUSD, BARS, bars(0, 5), "1h")

    assert hours_read(catalog("memory://test_catalog_streams")) == [0, 1, 2, 3, 4]
