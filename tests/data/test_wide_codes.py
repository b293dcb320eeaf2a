"""Columns of codes are mapped at full width, and read the same however a dataset came to be."""

from pathlib import Path

import numpy as np
import pytest

from libra_ray import pair, synth
from libra_ray.data import Dataset, wide_codes

PAIR = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")


@pytest.fixture
def data() -> Dataset:
    return synth("trades", PAIR, rows=5_000, price="1.1")


def test_what_was_written_reads_as_what_was_there(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_codes, "BLOCK_ROWS", 700)

    mapped = Dataset.open(data.between(data.start_ns + 1).write(tmp_path))

    (before,), (after,) = data.between(data.start_ns + 1), mapped
    assert mapped.digest == data.between(data.start_ns + 1).digest
    assert np.array_equal(after.raw("aggressor"), before.raw("aggressor"))
    assert after.raw("aggressor").dtype == np.int64  # type: ignore[union-attr]  # standard precision: an array
    part = mapped.prefix(1_234).streams[0].rows_between(34, 1_234)
    assert np.array_equal(part.raw("aggressor"), before.raw("aggressor")[34:1_234])


def test_the_wide_column_is_mapped_and_cannot_be_written(data: Dataset, tmp_path: Path) -> None:
    (stream,) = Dataset.open(data.write(tmp_path))

    first, second = stream.raw("aggressor"), stream.raw("aggressor")

    assert isinstance(first, np.ndarray)
    assert np.shares_memory(first, second)
    assert not first.flags.writeable


def test_a_folder_without_the_wide_file_or_with_a_short_one_reads_the_same(data: Dataset, tmp_path: Path) -> None:
    data.write(tmp_path)
    (file,) = tmp_path.glob("*.i64")

    file.write_bytes(file.read_bytes()[:-8])
    short = Dataset.open(tmp_path).streams[0].raw("aggressor")
    file.unlink()
    missing = Dataset.open(tmp_path).streams[0].raw("aggressor")

    (stream,) = data
    assert np.array_equal(short, stream.raw("aggressor"))
    assert np.array_equal(missing, stream.raw("aggressor"))
