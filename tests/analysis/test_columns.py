"""Columns read from Arrow's buffers are what Arrow's own slow way gives."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from libra_ray.analysis.columns import arrow, decimal_sum, floats, integers, is_valid

MONEY = pa.decimal128(38, 18)
amounts = st.decimals(min_value=-(10**14), max_value=10**14, places=9, allow_nan=False)
# One number of places for a whole column, as an instrument has: that is what the fast way looks for.
columns_of_amounts = st.integers(0, 18).flatmap(
    lambda places: st.lists(st.none() | st.integers(-(10**18), 10**18).map(lambda raw: Decimal(raw).scaleb(-places)))
)


@given(columns_of_amounts, st.integers(0, 5))
@example([Decimal("1.730547672")], 0)  # whole part and fraction, each rounded, then added: one unit too high
@example([Decimal("3E-9"), Decimal("-158456325010.081931114")], 0)  # Arrow's own cast of the first is off by one unit
def test_decimals_become_the_nearest_float_whatever_their_places(values: list[Decimal | None], offset: int) -> None:
    column = pa.array(values, MONEY).slice(offset)

    expected = [np.nan if value is None else float(value) for value in values[offset:]]
    np.testing.assert_array_equal(floats(column), expected)


def test_a_thousand_prices_of_each_precision_become_the_nearest_float() -> None:
    rng = np.random.default_rng(1)
    for places in range(19):
        bound = 10 ** min(17, places + 8)  # on both sides of 2**53, beyond which a float has no room for each integer
        raw = rng.integers(-bound, bound, 1_000).tolist()
        values = [Decimal(number).scaleb(-places) for number in raw]

        assert floats(pa.array(values, MONEY)).tolist() == [float(value) for value in values]


@given(st.lists(st.none() | amounts), st.integers(0, 5))
def test_a_sum_of_decimals_is_exact_before_it_is_rounded(values: list[Decimal | None], offset: int) -> None:
    column = pa.chunked_array([pa.array(values, MONEY).slice(offset), pa.array(values, MONEY)])

    kept = [value for value in values[offset:] + values if value is not None]
    assert decimal_sum(column) == float(sum(kept, Decimal(0)))


def test_thirty_dimes_are_three_though_floats_say_otherwise() -> None:
    assert decimal_sum(pa.array([Decimal("0.1")] * 30, MONEY)) == 3.0
    assert sum([0.1] * 30) != 3.0


def test_integers_take_the_given_value_for_null_in_every_chunk() -> None:
    column = pa.chunked_array([pa.array([1, None], pa.int64()), pa.array([None, 4], pa.int64())])

    assert integers(column, null=-1).tolist() == [1, -1, -1, 4]
    assert is_valid(column).tolist() == [True, False, False, True]


def test_other_numeric_types_are_read_as_floats() -> None:
    assert floats(pa.array([1.5, None], pa.float64()))[0] == 1.5
    assert floats(pa.array([3], pa.int32())).tolist() == [3.0]
    assert floats(pa.array([Decimal("2.25")], pa.decimal128(10, 2))).tolist() == [2.25]


def test_arrays_become_columns_with_nulls() -> None:
    values, valid = np.array([1.5, 2.5, 3.5]), np.array([True, False, True])

    assert arrow(values, valid=valid).to_pylist() == [1.5, None, 3.5]
    assert arrow(valid).to_pylist() == [True, False, True]
    assert arrow(np.array([7, 8], np.int32)).type == pa.int32()
