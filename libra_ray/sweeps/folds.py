"""How data is divided into what parameters are chosen on and what they are then tried on.

Times are nanoseconds UTC, spans half-open. Windows follow each other in time; k-folds take the tests from all over the
data, and so need purging and an embargo (Lopez de Prado, M. (2018), "Advances in Financial Machine Learning", chapter
7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.errors import ConfigError

__all__ = ["FOLDS_MAX", "Fold", "Span", "k_folds", "purged_k_fold", "windows"]

Times = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
FOLDS_MAX: Final = 10_000
FOLDS_MIN: Final = 2
DAY_NS: Final = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Span:
    """`start_ns <= ts < end_ns`."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True)
class Fold:
    """One choice of parameters: made on the spans of `train`, tried on `test`. `number` counts from 1 in time."""

    number: int
    train: tuple[Span, ...]
    test: Span


def windows(
    start_ns: int,
    end_ns: int,
    *,
    train_ns: int,
    test_ns: int,
    step_ns: int | None = None,
    purge_ns: int = 0,
    is_anchored: bool = False,
) -> list[Fold]:
    """Training spans that are each followed by their test, moving on through [`start_ns`, `end_ns`).

    Args:
        start_ns: of the data.
        end_ns: of the data, not included.
        train_ns: length of the training.
        test_ns: length of the test. The last test ends with the data and may be shorter.
        step_ns: from one window to the next; None for `test_ns`, with which the tests tile the data without a gap.
        purge_ns: left out between training and test: a trade that was opened in training may still be open then.
        is_anchored: every training span begins at `start_ns`, and `train_ns` is the length of the first.

    Raises `ConfigError` CONF002 for lengths that are not positive, a negative purge, a step shorter than a test (the
    tests would overlap), no room for one window, or more than 10,000.
    """
    step_ns = test_ns if step_ns is None else step_ns
    for name, length_ns in (("train", train_ns), ("test", test_ns), ("step", step_ns)):
        _refuse_below(name, length_ns, 1)
    _refuse_below("purge", purge_ns, 0)
    if step_ns < test_ns:
        what = f"{_days(step_ns)} is shorter than the test of {_days(test_ns)}, so tests would overlap"
        raise ConfigError("CONF002", "walk_forward.step", what, "Give at least the length of a test.", _days(step_ns))
    first_ns = start_ns + train_ns + purge_ns
    if first_ns >= end_ns:
        what = f"training of {_days(train_ns)} leaves nothing to test in data of {_days(end_ns - start_ns)}"
        raise ConfigError("CONF002", "walk_forward.train", what, "Give more data or a shorter span.", _days(train_ns))
    count = -(-(end_ns - first_ns) // step_ns)
    _refuse_more(count)
    folds = []
    for place in range(count):
        moved_ns = place * step_ns
        train = Span(start_ns if is_anchored else start_ns + moved_ns, start_ns + train_ns + moved_ns)
        test_start_ns = first_ns + moved_ns
        folds.append(Fold(place + 1, (train,), Span(test_start_ns, min(test_start_ns + test_ns, end_ns))))
    return folds


def k_folds(start_ns: int, end_ns: int, *, folds: int, purge_ns: int = 0, embargo_ns: int = 0) -> list[Fold]:
    """`folds` tests of equal length that tile [`start_ns`, `end_ns`), each with all the rest to train on.

    `purge_ns`, the longest time that a trade stays open, is left out on both sides of a test, and `embargo_ns` on top
    of it behind the test: what is measured there still remembers the test. A test may have training on both sides of
    it; each side is a span of its own. Raises `ConfigError` CONF002 for fewer than 2 folds or more than 10,000, for
    negative spans, and where a test leaves nothing to train on.
    """
    _refuse_below("folds", folds, FOLDS_MIN)
    _refuse_more(folds)
    _refuse_below("purge", purge_ns, 0)
    _refuse_below("embargo", embargo_ns, 0)
    length_ns = end_ns - start_ns
    edges = [start_ns + length_ns * place // folds for place in range(folds + 1)]
    made = []
    for place in range(folds):
        test = Span(edges[place], edges[place + 1])
        sides = (Span(start_ns, test.start_ns - purge_ns), Span(test.end_ns + purge_ns + embargo_ns, end_ns))
        train = tuple(side for side in sides if side.length_ns > 0)
        if not train or test.length_ns <= 0:
            what = f"{folds} folds with purge and embargo leave nothing to train on in data of {_days(length_ns)}"
            raise ConfigError("CONF002", "walk_forward.folds", what, "Give fewer folds or more data.", str(folds))
        made.append(Fold(place + 1, train, test))
    return made


def purged_k_fold(
    label_start_ns: Times, label_end_ns: Times, *, folds: int, embargo_rows: int = 0
) -> Iterator[tuple[Rows, Rows]]:
    """Row numbers to train on and to test on, for observations that each look at a span of time.

    Observation i is made at `label_start_ns[i]` (never falling) and decided at `label_end_ns[i]`. The test takes
    consecutive observations, as equal in number as can be, earlier folds larger. Training keeps those that are decided
    by the time the test begins, and from those behind the test the ones made when the test's last is decided or later,
    without the first `embargo_rows`. Lopez de Prado (2018), snippets 7.1 to 7.3. Raises `ValueError` for fewer than 2
    folds, more folds than rows, ends before starts, or starts that fall.
    """
    count = len(label_start_ns)
    if not FOLDS_MIN <= folds <= count:
        raise ValueError(f"{folds} folds of {count} rows")
    if len(label_end_ns) != count or embargo_rows < 0:
        raise ValueError(f"{len(label_end_ns)} ends of {count} rows, embargo {embargo_rows}")
    if np.any(label_end_ns < label_start_ns) or np.any(label_start_ns[1:] < label_start_ns[:-1]):
        raise ValueError("labels end before they start, or do not come in order of time")
    rows = np.arange(count)
    for test in np.array_split(rows, folds):
        before = rows[: test[0]]
        resumed = int(np.searchsorted(label_start_ns, label_end_ns[test].max(), side="left"))
        after = rows[max(resumed, int(test[-1]) + 1) + embargo_rows :]
        decided = before[label_end_ns[before] <= label_start_ns[test[0]]]
        yield np.concatenate((decided, after)), test


def _refuse_below(name: str, value: int, least: int) -> None:
    if value < least:
        fix = f"Give at least {least}." if name == "folds" else "Give a positive length of time."
        if name in ("purge", "embargo"):
            fix = "Give 0 or more."
        raise ConfigError("CONF002", f"walk_forward.{name}", f"{value} is below {least}", fix, str(value))


def _refuse_more(count: int) -> None:
    if count > FOLDS_MAX:
        what = f"{count:,} windows exceed the limit of {FOLDS_MAX:,}"
        raise ConfigError("CONF002", "walk_forward", what, "Give longer windows.", str(count))


def _days(length_ns: int) -> str:
    """`2.5 d`: a length of time as days, for messages."""
    return f"{length_ns / DAY_NS:g} d"
