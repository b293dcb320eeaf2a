"""Numbers as texts, in the signs that were declared and no others."""

import pyarrow as pa
import pytest

from libra_ray.data.arrow_arrays import int64s_of
from libra_ray.data.decimal_texts import decimals_of_texts


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "raw"),
    [
        ("1,234", ".", ",", 123_400),
        ("12,345,678.5", ".", ",", 1_234_567_850),
        ("1'234.25", ".", "'", 123_425),
        ("999", ".", ",", 99_900),
        ("1.234,5", ",", ".", 123_450),
        ("0,125", ".", ",", None),
        ("1,2345", ".", ",", None),
        ("12,34,567", ".", ",", None),
        ("1234,567", ".", ",", None),
        ("0.5000", ",", ".", None),
        ("1.23,5", ",", ".", None),
        ("1.5", ",", ".", None),
    ],
)
def test_only_whole_groups_of_three_are_thousands(text: str, decimal: str, thousands: str, raw: int | None) -> None:
    read = decimals_of_texts(pa.array([text]), 2, decimal=decimal, thousands=thousands)

    assert bool(read.marked[0] or read.malformed[0]) is (raw is None)
    assert int64s_of(read.values).tolist() == [raw or 0]
