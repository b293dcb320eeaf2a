"""The merged order of several streams."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.merge import Run, merged_runs

sorted_times = st.lists(st.integers(-20, 20), max_size=40).map(sorted)


def test_equal_times_go_by_the_order_of_the_streams() -> None:
    times = [np.array([1, 2, 2, 5]), np.array([2, 3, 5])]

    assert list(merged_runs(times)) == [Run(0, 0, 3), Run(1, 0, 2), Run(0, 3, 4), Run(1, 2, 3)]


def test_one_stream_is_one_run() -> None:
    assert list(merged_runs([np.arange(1_000_000)])) == [Run(0, 0, 1_000_000)]


def test_no_row_is_no_run() -> None:
    assert list(merged_runs([])) == []
    assert list(merged_runs([np.empty(0, np.int64), np.empty(0, np.int64)])) == []


@given(streams=st.lists(sorted_times, max_size=5), window_rows=st.integers(1, 50))
def test_runs_are_the_sorted_rows_whatever_the_window(streams: list[list[int]], window_rows: int) -> None:
    expected = sorted((ts, stream, row) for stream, times in enumerate(streams) for row, ts in enumerate(times))

    runs = list(merged_runs([np.array(times, np.int64) for times in streams], window_rows=window_rows))

    merged = [(streams[run.stream][row], run.stream, row) for run in runs for row in range(run.start, run.stop)]
    assert merged == expected
    assert all(left.stream != right.stream for left, right in pairwise(runs))
