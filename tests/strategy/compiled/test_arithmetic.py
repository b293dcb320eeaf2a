# ruff: noqa: ARG001 - handlers here are declared with all four arguments
"""Numbers of handlers have the same bits compiled and interpreted, and what would differ raises in both."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.strategy import numeric
from libra_ray.strategy.compiled import BarValues, CompiledFunction, Desk, compiled
from libra_ray.strategy.compiled.bridge import RAISED
from libra_ray.strategy.compiled.desk import STAGED, DeskArrays, new_arrays
from libra_ray.strategy.compiled.generation import handler_module, state_arrays

UNIT = 10.0**5
NOTHING = float("inf")


@dataclass(slots=True)
class Numbers:
    """What handlers below have worked out; compared to the last bit."""

    window: list[float]
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    i: int = 0
    j: int = 0
    k: int = 0
    is_so: bool = False


class Given(NamedTuple):
    """Numbers from outside."""

    x: float
    n: int
    m: int


@compiled
def constants(state: Numbers, params: Given, bar: BarValues, orders: Desk) -> None:
    """Functions of constants, which an optimizer would rather work out its own way."""
    close = bar.close_f
    state.a = numeric.power(close, 2.0) + numeric.power(2.0, close * 0.001)
    state.b = numeric.power(close, 0.5) - numeric.power(10.0, params.x * 0.001)
    state.c = numeric.exp(params.x) * numeric.sin(close) / numeric.cos(close)
    state.d = numeric.log(close) if close < NOTHING else 0.0
    state.is_so = state.a > state.b > state.c or not state.d < 1.0


@compiled
def mixed(state: Numbers, params: Given, bar: BarValues, orders: Desk) -> None:
    """Ints and floats, loops, branches and arrays."""
    state.i = (bar.close_raw - params.n) // params.m
    state.j = (bar.close_raw - params.n) % params.m
    state.k = abs(params.n) * 3 - min(params.m, bar.close_raw) + max(params.n, -params.m)
    total = 0.0
    for place in range(len(state.window) - 1, -1, -1):
        state.window[place] = state.window[place - 1] * 0.75 + bar.close_f / (1.0 + place)
        total += state.window[place]
    while total > 10.0:
        total = total * 0.5 - params.x / 3.0
        state.i += 1
        if state.i % 1_000 == 0:
            break
    state.a = min(total, params.x)
    state.b = max(params.x * params.n, total / (1.0 + abs(params.x)))
    state.c = numeric.std(state.window) * float(state.j) + numeric.dot(state.window, state.window)
    state.d = -params.x if state.is_so else params.x + 1
    state.is_so = not state.is_so and total <= params.x


@compiled
def far(state: Numbers, params: Given, bar: BarValues, orders: Desk) -> None:
    """Runs out of bounds for some numbers."""
    state.i = params.n * params.m * 1_000
    state.a = 1.0 / (params.x - 3.0)
    state.b = state.window[params.m]
    for place in range(0, 9, params.m):
        state.k += place
    state.j = numeric.floor(params.x * UNIT * UNIT * UNIT)


@compiled
def asking(state: Numbers, params: Given, bar: BarValues, orders: Desk) -> None:
    """A reference that means no order, and one that was never given."""
    state.is_so = orders.is_open(-1)
    state.i = orders.leaves_raw(-1)
    orders.cancel(-1)
    if params.n > 0:
        state.is_so = orders.is_open(params.n)


def run_both(handler: CompiledFunction[..., Any], params: Given, close_raw: int) -> None:
    """One bar in both forms; the same state, or a raise in both."""
    interpreted = Numbers([1.0, 2.5, -3.0])
    places = state_arrays(interpreted)
    arrays = new_arrays()
    with np.errstate(all="ignore"):
        raised = _raised_by_plain(handler, interpreted, params, close_raw)
        columns = tuple(np.array([close_raw]) for _ in range(5))
        times = (np.zeros(1, np.int64), np.zeros(1, np.int64))
        try:
            handler_module("on_bar", handler).scan(places, tuple(params), arrays, times, columns, (UNIT, 1.0), 0, 1)
        except RAISED:
            return  # the engine then goes on interpreted, so whatever that does is right
    assert not raised
    values = [getattr(interpreted, field.name) for field in fields(interpreted)]
    floats = [value for value in values if isinstance(value, float)]
    ints = [int(value) for value in values if isinstance(value, int)]
    assert np.array(floats).tobytes() == places[0][:-1].tobytes()
    assert ints == places[1][:-1].tolist()
    assert np.array(interpreted.window).tobytes() == places[2].tobytes()
    assert arrays.counts[STAGED] == 0


def _raised_by_plain(handler: CompiledFunction[..., Any], state: Numbers, params: Given, close_raw: int) -> bool:
    close = close_raw / UNIT
    raw = (close_raw, close_raw, close_raw, close_raw, close_raw)
    bar = BarValues(0, 0, *raw, close, close, close, close, float(close_raw))
    desk = cast("Desk", _NoOrders())
    try:
        handler.plain(state, params, bar, desk)
    except RAISED:
        return True
    return False


class _NoOrders(Desk):
    """A desk of no strategy, without orders."""

    def __init__(self) -> None:
        self._orders = []


FINITE = st.floats(-700.0, 700.0)
CLOSES = st.integers(1, 10**8)


@pytest.mark.slow
@given(close_raw=CLOSES, x=FINITE)
def test_functions_of_constants_have_the_same_last_bit(close_raw: int, x: float) -> None:
    run_both(constants, Given(x, 0, 1), close_raw)


@pytest.mark.slow
@given(close_raw=CLOSES, x=FINITE, n=st.integers(-(2**40), 2**40), m=st.integers(-50, 50).filter(bool))
def test_ints_floats_loops_and_arrays_are_the_same(close_raw: int, x: float, n: int, m: int) -> None:
    run_both(mixed, Given(x, n, m), close_raw)


@pytest.mark.slow
@given(x=st.floats(allow_nan=True), n=st.integers(-(2**62), 2**62), m=st.integers(-5, 5))
def test_what_leaves_the_bounds_never_gives_a_number_of_its_own(x: float, n: int, m: int) -> None:
    run_both(far, Given(x, n, m), 110_000)


def test_a_reference_below_zero_means_no_order() -> None:
    run_both(asking, Given(0.0, 0, 0), 1)


def test_a_reference_that_was_never_given_raises_compiled_and_interpreted() -> None:
    state, arrays = Numbers([0.0]), new_arrays()
    columns, times = tuple(np.ones(1, np.int64) for _ in range(5)), (np.zeros(1, np.int64), np.zeros(1, np.int64))

    assert _raised_by_plain(asking, state, Given(0.0, 3, 0), 1)
    with pytest.raises(IndexError):
        _scan(arrays, state, times, columns)


def _scan(arrays: DeskArrays, state: Numbers, times: Any, columns: Any) -> None:  # noqa: ANN401
    handler_module("on_bar", asking).scan(state_arrays(state), (0.0, 3, 0), arrays, times, columns, (UNIT, 1.0), 0, 1)
