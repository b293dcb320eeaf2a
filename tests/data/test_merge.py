"""The merged order of several streams."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data.merge import Run, merge_batches, merged_rows, merged_runs

sorted_times = st.lists(st.integers(-20, 20), max_size=40).map(sorted)
streams_of_times = st.lists(sorted_times, max_size=5)


def ordered(streams: list[list[int]]) -> list[tuple[int, int, int]]:
    return sorted((ts, stream, row) for stream, times in enumerate(streams) for row, ts in enumerate(times))


def batch(times: list[int], first_row: int = 0) -> pa.RecordBatch:
    ts = pa.array(times, pa.int64())
    return pa.record_batch({"ts_init_ns": ts, "row": pa.array(range(first_row, first_row + len(times)), pa.int64())})


def test_equal_times_go_by_the_order_of_the_streams() -> None:
    times = [np.array([1, 2, 2, 5]), np.array([2, 3, 5])]

    assert list(merged_runs(times)) == [Run(0, 0, 3), Run(1, 0, 2), Run(0, 3, 4), Run(1, 2, 3)]


def test_one_stream_is_one_run() -> None:
    assert list(merged_runs([np.arange(1_000_000)])) == [Run(0, 0, 1_000_000)]


def test_no_row_is_no_run() -> None:
    assert list(merged_runs([])) == []
    assert list(merged_runs([np.empty(0, np.int64), np.empty(0, np.int64)])) == []
    assert list(merge_batches([iter([batch([])]), iter([])])) == []


@given(streams=streams_of_times, window_rows=st.integers(1, 50))
def test_runs_are_the_sorted_rows_whatever_the_window(streams: list[list[int]], window_rows: int) -> None:
    runs = list(merged_runs([np.array(times, np.int64) for times in streams], window_rows=window_rows))

    merged = [(streams[run.stream][row], run.stream, row) for run in runs for row in range(run.start, run.stop)]
    assert merged == ordered(streams)
    assert all(left.stream != right.stream for left, right in pairwise(runs))


@given(streams=streams_of_times, window_rows=st.integers(1, 50))
def test_arrays_are_the_sorted_rows_whatever_the_window(streams: list[list[int]], window_rows: int) -> None:
    parts = list(merged_rows([np.array(times, np.int64) for times in streams], window_rows=window_rows))

    places = [place for part in parts for place in zip(part.streams.tolist(), part.rows.tolist(), strict=True)]
    assert [(streams[stream][row], stream, row) for stream, row in places] == ordered(streams)
    assert all(0 < len(part.rows) <= window_rows * len(streams) for part in parts)


@given(streams=streams_of_times, batch_rows=st.lists(st.integers(1, 12), min_size=5, max_size=5))
def test_batches_give_the_sorted_rows_wherever_they_are_cut(streams: list[list[int]], batch_rows: list[int]) -> None:
    cut = [
        iter([batch(times[at : at + rows], at) for at in range(0, len(times), rows)])
        for times, rows in zip(streams, batch_rows, strict=False)
    ]

    merged, by_runs = [], []
    for part in merge_batches(cut):
        columns = {at: each.to_pydict() for at, each in enumerate(part.batches) if each is not None}
        for stream, row in zip(part.streams.tolist(), part.rows.tolist(), strict=True):
            merged.append((columns[stream]["ts_init_ns"][row], stream, columns[stream]["row"][row]))
        for stream, rows in part.runs():
            by_runs += [(row["ts_init_ns"], stream, row["row"]) for row in rows.to_pylist()]
    assert merged == ordered(streams)
    assert by_runs == merged
