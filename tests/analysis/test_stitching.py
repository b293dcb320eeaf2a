"""Stretches of a run, and runs joined to one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.analysis import EquityCurve, RunArrays, statistics_from_arrays
from libra_ray.analysis.stitching import stitched
from libra_ray.analysis.stretch import stretch

DAY_NS = 86_400 * 10**9
OPEN_NS = int(np.iinfo(np.int64).max)


def run(start_day: int, equity: list[float], **more: object) -> RunArrays:
    """Equity at noon of the first day, then at the end of each following hour of noon, a day apart."""
    ts_ns = (np.arange(len(equity)) + start_day) * DAY_NS + DAY_NS // 2
    return RunArrays(curve=EquityCurve(ts_ns, np.array(equity, np.float64), "USD"), **more)  # type: ignore[arg-type]


def test_a_second_run_begins_with_what_the_first_ended_with_and_its_amounts_grow_with_it() -> None:
    first = run(0, [100, 110, 150], pnl=np.array([10.0, 40.0]), pnl_currency="USD", fees={"USD": 1.0}, orders=2)
    second = run(
        3, [100, 120], pnl=np.array([20.0]), pnl_currency="USD", fees={"USD": 2.0}, traded_value=10.0, orders=1
    )

    joined = stitched([first, second])

    assert joined.curve.equity.tolist() == [100, 110, 150, 180]
    assert joined.curve.ts_ns.tolist() == [*first.curve.ts_ns.tolist(), int(second.curve.ts_ns[1])]
    assert joined.pnl.tolist() == [10, 40, 30]
    assert (joined.pnl_currency, joined.fees, joined.traded_value, joined.orders) == ("USD", {"USD": 4.0}, 15.0, 3)
    assert statistics_from_arrays(joined)["total_return"] == pytest.approx(0.8)


@given(st.lists(st.lists(st.integers(50, 200).map(float), min_size=2, max_size=6), min_size=1, max_size=5))
def test_returns_compound(curves: list[list[float]]) -> None:
    runs = [run(place * 10, curve) for place, curve in enumerate(curves)]

    growth = np.prod([curve[-1] / curve[0] for curve in curves])
    assert statistics_from_arrays(stitched(runs))["total_return"] == pytest.approx(growth - 1, abs=1e-9)


def test_a_single_run_stays_as_it_is_but_for_what_is_open_at_its_end() -> None:
    alone = run(0, [100, 90], pnl=np.array([-4.0]), opened_ns=np.array([1, 2]), closed_ns=np.array([5, OPEN_NS]))

    joined = stitched([alone])

    assert joined.curve.equity.tolist() == [100, 90]
    assert joined.closed_ns.tolist() == [5, int(alone.curve.ts_ns[-1])]


def test_nothing_comes_of_nothing() -> None:
    joined = stitched([run(0, [100, -20]), run(5, [100, 150], pnl=np.array([50.0]))])

    assert joined.curve.equity.tolist() == [100, -20, 0]
    assert joined.pnl.tolist() == [0]


def test_several_currencies_have_no_curve() -> None:
    other = RunArrays(curve=EquityCurve(np.array([1, 2]), np.array([1.0, 2.0]), "EUR"), pnl=np.array([1.0]))

    joined = stitched([run(0, [100, 110], traded_value=None), other])

    assert (joined.curve.currency, joined.curve.equity.size, joined.traded_value) == (None, 0, None)
    assert joined.pnl.tolist() == [1.0]
    assert stitched([]).curve.equity.size == 0


def test_a_stretch_begins_with_the_equity_before_it_and_keeps_what_was_closed_in_it() -> None:
    whole = run(
        0,
        [100, 110, 120, 90],
        pnl=np.array([10.0, 10.0]),
        opened_ns=np.array([0, DAY_NS, 2 * DAY_NS]),
        closed_ns=np.array([DAY_NS, 2 * DAY_NS, OPEN_NS]),
    )

    part = stretch(whole, 2 * DAY_NS)

    assert part.curve.equity.tolist() == [110, 120, 90]
    assert part.curve.ts_ns.tolist() == [2 * DAY_NS, *whole.curve.ts_ns[2:].tolist()]
    assert part.pnl.tolist() == [10.0]
    assert part.opened_ns.tolist() == [2 * DAY_NS, 2 * DAY_NS]
    assert part.closed_ns.tolist() == [2 * DAY_NS, OPEN_NS]


def test_a_stretch_from_before_the_run_is_the_run() -> None:
    whole = run(3, [100, 110])

    assert stretch(whole, DAY_NS).curve.ts_ns.tolist() == whole.curve.ts_ns.tolist()
    assert stretch(whole, DAY_NS).curve.equity.tolist() == [100, 110]
