"""Compiled handlers give what interpreted ones give: orders, fills, positions, money, to the hash."""

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_actors.strategies import Breakout, EmaCross, MeanReversion, TwoSidedQuoter
from libra_ray.data import Dataset
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import LAST_IN_MESSAGE
from libra_ray.strategy.compiled import CompiledStrategy
from tests.strategy.compiled.handlers import Mix

PAIR = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00005", step="10")


def data(kind: str, rows: int, seed: int) -> Dataset:
    period = "1m" if kind == "bars" else ""
    return lr.synth(kind, PAIR, rows=rows, seed=seed, period=period, price="1.1", process=lr.Gbm(0.0004))


def system(strategy: lr.Strategy, **venue: Any) -> lr.System:  # noqa: ANN401  # settings of a venue
    made = lr.System("engines", seed=1)
    made.add_venue("SIM", **{"account": "margin", "balances": ["100_000 USD"], **venue})
    made.add(strategy)
    return made


def assert_alike(made: lr.System, dataset: Dataset) -> lr.BacktestResult:
    event, compiled = (lr.backtest(made, data=dataset, engine=engine) for engine in ("event", "compiled"))
    assert compiled.run_hash == event.run_hash
    assert (compiled.counts, compiled.stats) == (event.counts, event.stats)
    assert [str(fault.to_error()) for fault in compiled.faults] == [str(fault.to_error()) for fault in event.faults]
    for table in ("orders", "fills", "positions", "equity", "accounts"):
        assert getattr(compiled, table).equals(getattr(event, table))
    return compiled


@settings(max_examples=25)
@given(
    kind=st.sampled_from(["bars", "quotes", "trades"]),
    seed=st.integers(0, 99),
    length=st.integers(1, 9),
    weight=st.floats(0.01, 1.0),
    goes_short=st.booleans(),
    account=st.sampled_from(["margin", "cash"]),
    fees=st.sampled_from([None, lr.MakerTaker("-0.0001", "0.0005"), lr.FixedFee(amount="0.3")]),
    bar_fill=st.sampled_from(["next_open", "this_close"]),
    latency=st.sampled_from([None, lr.LatencySettings(insert="70")]),
)
def test_any_parameters_on_any_data(
    kind: str,
    seed: int,
    length: int,
    weight: float,
    goes_short: bool,  # noqa: FBT001
    account: str,
    fees: Any,  # noqa: ANN401
    bar_fill: str,
    latency: Any,  # noqa: ANN401
) -> None:
    strategy = Mix(kind=kind, length=length, weight=weight, goes_short=goes_short)
    venue = {"account": account, "bar_fill": bar_fill}
    venue |= {} if fees is None else {"fees": fees}
    venue |= {} if latency is None else {"latency": latency}

    assert_alike(system(strategy, **venue), data(kind, 300, seed))


@settings(max_examples=15)
@given(
    seed=st.integers(0, 99),
    length=st.integers(1, 9),
    weight=st.floats(0.01, 1.0),
    by=st.sampled_from(["L2", "L3"]),
    book=st.sampled_from(["L1", "L2", "L3"]),
    latency=st.sampled_from([None, lr.LatencySettings(insert="70")]),
    is_alone=st.booleans(),
)
def test_any_parameters_on_any_book(
    seed: int,
    length: int,
    weight: float,
    by: Literal["L2", "L3"],
    book: str,
    latency: Any,  # noqa: ANN401
    is_alone: bool,  # noqa: FBT001
) -> None:
    """At a venue with and without depth; with the flow's own quotes and trades between its messages, or alone."""
    whole = lr.synth_order_flow(PAIR, events=400, price="1.10000", seed=seed, book=by)
    dataset = Dataset([s for s in whole.streams if s.schema.name == "book_deltas"]) if is_alone else whole
    venue = {"book": book if (by, book) != ("L2", "L3") else "L2"} | ({} if latency is None else {"latency": latency})

    assert_alike(system(Mix(kind="book", length=length, weight=weight, unit_raw=1_000), **venue), dataset)


@pytest.mark.parametrize("seed", range(2))
def test_a_book_that_is_empty_on_a_side_now_and_then_and_longer_than_a_look_ahead(seed: int) -> None:
    """Two prices a side, all actions, messages of one row and of many: the handler sees two-sided tops only."""
    from libra_ray.messages.schemas import BOOK_DELTAS

    rows, chance = 70_000, np.random.default_rng(seed)
    side = chance.choice([-1, 1], rows)
    columns = {
        "ts_init_ns": np.cumsum(chance.integers(0, 2, rows)) * 10**8,
        "action": chance.choice([1, 2, 3, 4], rows, p=[0.35, 0.2, 0.42, 0.03]),
        "side": side,
        "price": 110_000 - 5 * side * chance.integers(1, 3, rows),
        "qty": chance.integers(1, 50, rows) * 1_000,
        "order_id": np.zeros(rows, np.int64),
        "flags": chance.choice([0, 1], rows, p=[0.3, 0.7]) * LAST_IN_MESSAGE,
    }
    stream = lr.Stream(BOOK_DELTAS, PAIR, "", BOOK_DELTAS.table(PAIR, columns))

    result = assert_alike(system(Mix(kind="book", length=3, unit_raw=1_000), book="L2"), Dataset([stream]))

    assert result.counts["fills"] > 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (EmaCross(instrument="EURUSD.SIM", bars="1m", fast=5, slow=12, quantity="1000"), "bars"),
        (MeanReversion(instrument="EURUSD.SIM", bars="1m", period=7, multiplier=1.3, quantity="1000"), "bars"),
        (Breakout(instrument="EURUSD.SIM", bars="1m", entry=9, exit=4, quantity="1000"), "bars"),
        (
            TwoSidedQuoter(
                instrument="EURUSD.SIM", quantity="1000", half_spread_ticks=3, interval_ms=3_000, inventory_max="4000"
            ),
            "quotes",
        ),
    ],
)
def test_the_ready_made_strategies(strategy: CompiledStrategy, kind: str) -> None:
    result = assert_alike(system(strategy), data(kind, 5_000, 3))

    assert result.counts["fills"] > 50


def test_a_book_of_orders_is_quoted_alike() -> None:
    dataset = lr.synth_order_flow(PAIR, events=4_000, price="1.10000", seed=5)
    strategy = TwoSidedQuoter(
        instrument="EURUSD.SIM", quantity="10", half_spread_ticks=1, interval_ms=400, inventory_max="100"
    )

    result = assert_alike(system(strategy, book="L2"), dataset)

    assert result.counts["fills"] > 10


def test_an_int_beyond_64_bits_goes_on_interpreted() -> None:
    """Products of this unit leave 64 bits; Python's do not, and the order is then denied in both engines."""
    result = assert_alike(system(Mix(unit_raw=2**62)), data("bars", 120, 1))

    assert result.counts["denied"] > 0


def test_high_precision_runs_interpreted() -> None:
    fine = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.000000000001", step="0.000000000001")
    rows = [1_100_000_000_000 + 7_000_000 * ((17 * row) % 23 - 11) for row in range(200)]
    from libra_ray.messages.schemas import TRADES

    columns = {"ts_init_ns": range(0, 200 * 10**9, 10**9), "price": rows, "qty": [10**15] * 200, "aggressor": [0] * 200}
    dataset = Dataset([lr.Stream(TRADES, fine, "", TRADES.table(fine, columns))])

    result = assert_alike(system(Mix(kind="trades", unit_raw=10**12)), dataset)

    assert result.counts["fills"] > 5


def test_automatic_is_compiled_where_there_are_compiled_strategies_and_plain_elsewhere() -> None:
    class Idle(lr.Strategy):
        pass

    dataset = data("bars", 100, 1)

    assert lr.backtest(system(Idle()), data=dataset, engine="auto").counts["orders"] == 0
    assert lr.backtest(system(Mix()), data=dataset, engine="auto").counts["orders"] > 0


def test_a_system_without_compiled_handlers_is_refused() -> None:
    class Idle(lr.Strategy):
        pass

    with pytest.raises(ConfigError) as caught:
        lr.backtest(system(Idle()), data=data("bars", 10, 1), engine="compiled")

    assert caught.value.message == (
        "CONF002 engine: no strategy of the system has compiled handlers."
        ' Give engine="event", or write the strategy as a CompiledStrategy.'
    )


def test_a_system_without_compiled_handlers_runs_as_ever_where_the_engine_is_free() -> None:
    class Idle(lr.Strategy):
        pass

    result = lr.backtest(system(Idle()), data=data("bars", 10, 1), engine="auto")

    assert (result.engine, result.why_not_core) == ("event", "")


def test_a_state_is_saved_and_loaded_with_the_orders_that_it_refers_to() -> None:
    from libra_ray.simulation.backtest import build, run_cell

    kernel, replay = build(system(Mix()), data("bars", 50, 1))
    run_cell(kernel, replay)
    (strategy,) = kernel.strategies
    assert isinstance(strategy, Mix)
    saved = strategy.on_save()
    before = strategy.memory

    strategy.memory.count = 0
    strategy.on_load(saved)

    assert strategy.memory is before
    assert strategy.memory.count == 50
