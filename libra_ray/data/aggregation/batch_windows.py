"""Bars of time from whole columns: every row's window at once, and the empty windows between."""

from itertools import pairwise

import numpy as np

from libra_ray.data.aggregation.batch_parts import BatchBars, bars_table, grouped
from libra_ray.data.aggregation.specs import PRICE_SOURCES, BarSpec
from libra_ray.data.aggregation.windows import FixedWindows, SessionWindows, Windows, windows_of
from libra_ray.data.arrow_arrays import Int64s
from libra_ray.model.instruments import Instrument

__all__ = ["time_bars_of"]


def time_bars_of(
    spec: BarSpec,
    instrument: Instrument,
    ts_ns: Int64s,
    pieces: tuple[Int64s, ...],
    *,
    until_ns: int,
    covers_ns: int | None,
) -> BatchBars:
    """The bars of a spec whose aggregation is of time, with those of empty windows."""
    windows, outside_raw = windows_of(spec), 0
    if isinstance(windows, SessionWindows):
        held = windows.held(ts_ns, is_bar=spec.source not in PRICE_SOURCES)
        outside_raw = int(pieces[4][~held].sum())
        ts_ns, pieces = ts_ns[held], tuple(piece[held] for piece in pieces)
    window_of_row = windows.ends_ns(ts_ns)
    firsts = np.flatnonzero(np.diff(window_of_row, prepend=window_of_row[:1] - 1))
    lasts = np.append(firsts[1:] - 1, len(ts_ns) - 1)[: len(firsts)]
    closes_ns = window_of_row[firsts]
    whole = int(np.searchsorted(closes_ns, until_ns, side="right"))
    rows_in_bars = int(lasts[whole - 1]) + 1 if whole else 0
    rest_raw = int(pieces[4][rows_in_bars:].sum())
    if not whole:
        return BatchBars(bars_table(spec, instrument, *([closes_ns[:0]] * 7)), np.zeros(0, bool), rest_raw, outside_raw)
    closes_ns, firsts, lasts = closes_ns[:whole], firsts[:whole], lasts[:whole]
    numbers = grouped(tuple(piece[:rows_in_bars] for piece in pieces), firsts, lasts)
    is_empty = np.zeros(whole, bool)
    if spec.build_empty:
        next_ns = int(window_of_row[rows_in_bars]) if rows_in_bars < len(ts_ns) else None
        between = [_between(windows, int(one), int(other)) for one, other in pairwise(closes_ns)]
        between.append(_until(windows, int(closes_ns[-1]), next_ns, until_ns))
        counts = np.array([len(some) for some in between])
        places = np.repeat(np.arange(1, whole + 1), counts)
        previous = numbers[3][np.repeat(np.arange(whole), counts)]
        closes_ns = np.insert(closes_ns, places, np.concatenate(between))
        numbers = (*(np.insert(column, places, previous) for column in numbers[:4]), np.insert(numbers[4], places, 0))
        is_empty = np.insert(is_empty, places, True)
    skipped_raw = 0
    if spec.skip_partial_first and int(ts_ns[0]) - (covers_ns or 1) > windows.start_ns(int(closes_ns[0])):
        skipped_raw = int(numbers[4][0])
        closes_ns, is_empty = closes_ns[1:], is_empty[1:]
        numbers = tuple(column[1:] for column in numbers)
    table = bars_table(spec, instrument, closes_ns, closes_ns, *numbers)
    return BatchBars(table, is_empty, rest_raw, outside_raw, skipped_raw)


def _between(windows: Windows, one_ns: int, other_ns: int) -> Int64s:
    """The ends of the windows after the one that ends at `one_ns` and before the one that ends at `other_ns`."""
    if isinstance(windows, FixedWindows):
        length_ns = one_ns - windows.start_ns(one_ns)
        return np.arange(one_ns + length_ns, other_ns, length_ns, dtype=np.int64)
    ends: list[int] = []
    end_ns = windows.end_ns(one_ns + 1)
    while end_ns < other_ns:
        ends.append(end_ns)
        end_ns = windows.end_ns(end_ns + 1)
    return np.array(ends, np.int64)


def _until(windows: Windows, last_ns: int, next_ns: int | None, until_ns: int) -> Int64s:
    """The ends of the empty windows after the last bar: before one that rows have begun, and up to `until_ns`."""
    end_ns = until_ns + 1 if next_ns is None else min(next_ns, until_ns + 1)
    return _between(windows, last_ns, end_ns)
