"""Many small files become few, with what was counted of them."""

from pathlib import Path

from libra_ray.data.parquet_catalog import catalog
from libra_ray.messages.schemas import BARS
from tests.data.catalog_rows import EURUSD, bars, hours_of, hours_read


def test_neighbours_become_one_file_with_their_counts_and_notes(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    for day in range(4):
        source = f"{day}.csv"
        made.write(
            EURUSD, BARS, bars(24 * day, 24), "1h", source=source, counts={"dropped_null": day}, notes=["stamped"]
        )

    (entry,) = made.compact()

    assert made.ls() == [entry]
    assert hours_read(made) == list(range(96))
    assert (entry.rows, entry.source) == (96, "0.csv, 1.csv, 2.csv, 3.csv")
    assert (entry.counts, entry.notes) == ({"dropped_null": 6}, ("stamped",))
    assert made.check().errors == ()
    assert made.compact() == []


def test_files_stay_below_the_limit(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    for day in range(5):
        made.write(EURUSD, BARS, bars(24 * day, 24), "1h")

    assert [entry.rows for entry in made.compact(rows_max=48)] == [48, 48]
    assert [entry.rows for entry in made.ls()] == [48, 48, 24]


def test_who_reads_meanwhile_is_not_disturbed(tmp_path: Path) -> None:
    made = catalog(tmp_path)
    for day in range(3):
        made.write(EURUSD, BARS, bars(24 * day, 24), "1h")
    scan = made.scan(BARS, "EURUSD.SIM", "1h", batch_rows=24)
    first = next(scan)

    made.compact()
    made.write(EURUSD, BARS, bars(100, 1), "1h")

    assert hours_of([first, *scan]) == list(range(72))
