"""Rows of a time range that the catalog has: refused, kept, or replaced."""

from pathlib import Path

import pytest

from libra_ray.data.parquet_catalog import Catalog, catalog
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import BARS
from tests.data.catalog_rows import EURUSD, bars, hours_read


def two_files(root: Path) -> Catalog:
    made = catalog(root)
    made.write(EURUSD, BARS, bars(0, 5), "1h")
    made.write(EURUSD, BARS, bars(10, 5), "1h")
    return made


def prices(made: Catalog) -> list[int]:
    return list(made.bars("EURUSD.SIM", "1h").streams[0].raw("close"))


def test_an_overlap_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    made = two_files(tmp_path)
    before = made.ls()

    with pytest.raises(DataError, match=r"^DATA013 "):
        made.write(EURUSD, BARS, bars(4, 3), "1h")

    assert made.ls() == before


def test_rows_are_replaced_from_the_first_to_the_last_new_one(tmp_path: Path) -> None:
    made = two_files(tmp_path)

    entry = made.write(EURUSD, BARS, bars(3, 9, price=120_000), "1h", on_overlap="replace")

    assert hours_read(made) == list(range(15))
    assert prices(made) == [110_000] * 3 + [120_000] * 9 + [110_000] * 3
    assert entry.counts == {"overlap_replaced": 4}
    assert made.ls() == [entry]


def test_rows_of_the_catalog_are_kept_and_holes_filled(tmp_path: Path) -> None:
    made = two_files(tmp_path)

    entry = made.write(EURUSD, BARS, bars(3, 15, price=120_000), "1h", on_overlap="keep")

    assert hours_read(made) == list(range(18))
    assert prices(made) == [110_000] * 5 + [120_000] * 5 + [110_000] * 5 + [120_000] * 3
    assert entry.counts == {"overlap_kept": 7}


def test_a_policy_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^CONF002 on_overlap: 'merge' is no policy"):
        catalog(tmp_path).write(EURUSD, BARS, bars(0, 1), "1h", on_overlap="merge")  # type: ignore[arg-type]
