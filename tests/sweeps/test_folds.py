"""Windows and folds: what is tried was never trained on, and nothing is tried twice."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.errors import ConfigError
from libra_ray.sweeps.folds import Fold, Span, k_folds, purged_k_fold, windows

LENGTHS = st.integers(1, 50)


def test_rolling_windows_of_ten_and_three_move_by_three_and_the_last_test_ends_with_the_data() -> None:
    assert windows(0, 18, train_ns=10, test_ns=3) == [
        Fold(1, (Span(0, 10),), Span(10, 13)),
        Fold(2, (Span(3, 13),), Span(13, 16)),
        Fold(3, (Span(6, 16),), Span(16, 18)),
    ]


def test_anchored_windows_keep_their_start_and_grow() -> None:
    assert windows(5, 20, train_ns=6, test_ns=4, purge_ns=1, is_anchored=True) == [
        Fold(1, (Span(5, 11),), Span(12, 16)),
        Fold(2, (Span(5, 15),), Span(16, 20)),
    ]


@given(start=st.integers(-100, 100), length=st.integers(2, 400), train=LENGTHS, test=LENGTHS, anchored=st.booleans())
def test_tests_tile_the_data_behind_the_first_training(
    start: int, length: int, train: int, test: int, *, anchored: bool
) -> None:
    end = start + length
    if train >= length:
        with pytest.raises(ConfigError, match=r"^CONF002 walk_forward\.train: training of"):
            windows(start, end, train_ns=train, test_ns=test, is_anchored=anchored)
        return

    folds = windows(start, end, train_ns=train, test_ns=test, is_anchored=anchored)

    edges = [fold.test.start_ns for fold in folds] + [folds[-1].test.end_ns]
    assert (edges[0], edges[-1]) == (start + train, end)
    assert [fold.test.end_ns for fold in folds] == edges[1:]
    assert [fold.number for fold in folds] == list(range(1, len(folds) + 1))


@given(
    length=st.integers(2, 400), train=LENGTHS, test=LENGTHS, extra=st.integers(0, 9), purge=st.integers(0, 9),
    anchored=st.booleans(),
)  # fmt: skip
def test_training_ends_before_its_test_by_the_purge(
    length: int, train: int, test: int, extra: int, purge: int, *, anchored: bool
) -> None:
    if train + purge >= length:
        return
    folds = windows(0, length, train_ns=train, test_ns=test, step_ns=test + extra, purge_ns=purge, is_anchored=anchored)

    for fold in folds:
        (span,) = fold.train
        assert span.end_ns + purge == fold.test.start_ns < fold.test.end_ns <= length
        assert span.start_ns == (0 if anchored else (fold.number - 1) * (test + extra))
    assert all(early.test.end_ns <= late.test.start_ns for early, late in pairwise(folds))


def test_k_folds_leave_out_the_purge_on_both_sides_and_the_embargo_behind() -> None:
    assert k_folds(0, 100, folds=4, purge_ns=2, embargo_ns=3) == [
        Fold(1, (Span(30, 100),), Span(0, 25)),
        Fold(2, (Span(0, 23), Span(55, 100)), Span(25, 50)),
        Fold(3, (Span(0, 48), Span(80, 100)), Span(50, 75)),
        Fold(4, (Span(0, 73),), Span(75, 100)),
    ]


@given(
    start=st.integers(-50, 50), length=st.integers(20, 500), folds=st.integers(2, 8), purge=st.integers(0, 4),
    embargo=st.integers(0, 4),
)  # fmt: skip
def test_k_folds_tile_the_data_and_train_on_all_that_is_far_enough(
    start: int, length: int, folds: int, purge: int, embargo: int
) -> None:
    made = k_folds(start, start + length, folds=folds, purge_ns=purge, embargo_ns=embargo)

    covered = [ts for fold in made for ts in range(fold.test.start_ns, fold.test.end_ns)]
    assert covered == list(range(start, start + length))
    for fold in made:
        trained = {ts for span in fold.train for ts in range(span.start_ns, span.end_ns)}
        near = range(fold.test.start_ns - purge, fold.test.end_ns + purge + embargo)
        assert trained == set(range(start, start + length)) - set(near)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"train_ns": 0, "test_ns": 3}, "CONF002 walk_forward.train: 0 is below 1. Give a positive length of time."),
        ({"train_ns": 5, "test_ns": -1}, "CONF002 walk_forward.test: -1 is below 1. Give a positive length of time."),
        ({"train_ns": 5, "test_ns": 1, "purge_ns": -1}, "CONF002 walk_forward.purge: -1 is below 0. Give 0 or more."),
        (
            {"train_ns": 5, "test_ns": 2 * 86_400 * 10**9, "step_ns": 86_400 * 10**9},
            (
                "CONF002 walk_forward.step: 1 d is shorter than the test of 2 d, so tests would overlap. "
                "Give at least the length of a test."
            ),
        ),
        (
            {"train_ns": 1, "test_ns": 1},
            "CONF002 walk_forward: 863,999,999,999,999 windows exceed the limit of 10,000. Give longer windows.",
        ),
    ],
)
def test_lengths_that_make_no_windows_are_refused(arguments: dict[str, int], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        windows(0, 10 * 86_400 * 10**9, **arguments)  # type: ignore[arg-type]  # lengths alone

    assert str(caught.value) == text


def test_one_fold_or_folds_without_training_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"CONF002 walk_forward\.folds: 1 is below 2"):
        k_folds(0, 100, folds=1)
    with pytest.raises(ConfigError, match="leave nothing to train on"):
        k_folds(0, 100, folds=2, purge_ns=60)


def test_observations_that_overlap_the_test_are_purged() -> None:
    # Ten observations a unit apart, each decided two units later; the middle test is rows 4 to 6 (4 + 3 + 3 rows).
    made_at = np.arange(10)
    splits = [(train.tolist(), test.tolist()) for train, test in purged_k_fold(made_at, made_at + 2, folds=3)]

    # Test rows 0-3 are decided by 5: training resumes at 5. Test rows 4-6 begin at 4: rows up to 2 are decided by
    # then, and row 6 is decided at 8.
    assert splits == [
        ([5, 6, 7, 8, 9], [0, 1, 2, 3]),
        ([0, 1, 2, 8, 9], [4, 5, 6]),
        ([0, 1, 2, 3, 4, 5], [7, 8, 9]),
    ]


def test_the_embargo_drops_rows_behind_the_test_only() -> None:
    made_at = np.arange(10)
    splits = [train.tolist() for train, _ in purged_k_fold(made_at, made_at, folds=2, embargo_rows=2)]

    assert splits == [[7, 8, 9], [0, 1, 2, 3, 4]]


@given(
    gaps=st.lists(st.integers(0, 3), min_size=4, max_size=40), spans=st.lists(st.integers(0, 6), min_size=40),
    folds=st.integers(2, 4), embargo=st.integers(0, 3),
)  # fmt: skip
def test_no_observation_in_training_overlaps_one_in_the_test(
    gaps: list[int], spans: list[int], folds: int, embargo: int
) -> None:
    made_at = np.cumsum(np.array(gaps))
    decided_at = made_at + np.array(spans[: len(gaps)])

    seen: list[int] = []
    for train, test in purged_k_fold(made_at, decided_at, folds=folds, embargo_rows=embargo):
        begins, ends = made_at[test[0]], decided_at[test].max()
        assert np.all((decided_at[train] <= begins) | (made_at[train] >= ends))
        assert not set(train.tolist()) & set(test.tolist())
        seen += test.tolist()
    assert seen == list(range(len(gaps)))


def test_labels_out_of_order_are_refused() -> None:
    up, down = np.arange(4), np.arange(4)[::-1].copy()
    with pytest.raises(ValueError, match="do not come in order"):
        list(purged_k_fold(down, down, folds=2))
    with pytest.raises(ValueError, match="5 folds of 4 rows"):
        list(purged_k_fold(up, up, folds=5))
