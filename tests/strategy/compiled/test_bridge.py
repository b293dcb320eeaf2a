"""Compiled handlers in the event engine, whatever else the system has: books, company, faults, timers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
import libra_ray.simulation.compiled as compiled_runs
from libra_actors.strategies import Breakout, TwoSidedQuoter
from libra_ray.data import Dataset
from tests.strategy.compiled.handlers import Mix

PAIR = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00005", step="10")
LAYOUTS = (("bars",), ("quotes",), ("trades",), ("quotes", "trades"), ("bars", "quotes"), ("bars", "trades"))


class Company(lr.Strategy):
    """A strategy in plain Python beside the compiled ones; a timer, orders now and then, and at last a raise."""

    class Config(lr.StrategyConfig):
        """Which rows it sees, and at which it raises."""

        kinds: tuple[str, ...]
        raises_at: int

    config: Config

    def on_start(self) -> None:
        self._seen = 0
        self.clock.set_timer("look", interval_ns=45 * 10**9)
        for kind in self.config.kinds:
            terms = ("1m",) if kind == "bars" else ()
            getattr(self, f"subscribe_{kind}")("EURUSD.SIM", *terms)

    def on_timer(self, event: Any) -> None:  # noqa: ANN401, ARG002 - a timer's event
        self.buy("EURUSD.SIM", "50")

    def on_bar(self, bar: Any) -> None:  # noqa: ANN401 - a row view
        self._see(bar)

    def on_quote(self, quote: Any) -> None:  # noqa: ANN401
        self._see(quote)

    def on_trade(self, trade: Any) -> None:  # noqa: ANN401
        self._see(trade)

    def _see(self, row: Any) -> None:  # noqa: ANN401, ARG002
        self._seen += 1
        if self._seen == self.config.raises_at:
            raise ValueError("enough")
        if self._seen % 29 == 0:
            self.close_all_positions()


@pytest.fixture(autouse=True)
def _without_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the compiled core would run is run by the bridge here."""
    monkeypatch.setattr(compiled_runs, "try_core", lambda *_, **__: "this test is about the bridge")


def market(kinds: tuple[str, ...], seed: int) -> Dataset:
    """Streams of all kinds at the same times."""
    shape: dict[str, Any] = {"rows": 250, "price": "1.1", "process": lr.Gbm(0.0004)}
    made = [lr.synth(k, PAIR, seed=seed + n, period="1m" if k == "bars" else "", **shape) for n, k in enumerate(kinds)]
    return Dataset([stream for each in made for stream in each.streams])


def assert_alike(system: lr.System, dataset: Dataset) -> lr.BacktestResult:
    event, bridge = (lr.backtest(system, data=dataset, engine=engine) for engine in ("event", "compiled"))
    assert bridge.engine == "compiled bridge"
    assert bridge.run_hash == event.run_hash
    assert (bridge.counts, bridge.stats) == (event.counts, event.stats)
    assert [str(fault.to_error()) for fault in bridge.faults] == [str(fault.to_error()) for fault in event.faults]
    return bridge


@settings(max_examples=12)
@given(
    kinds=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 99),
    mixes=st.lists(st.tuples(st.integers(1, 7), st.sampled_from([10, 370, 2_000, 2**61])), min_size=1, max_size=2),
    company=st.sampled_from([0, 60, 10_000]),
    venue=st.fixed_dictionaries(
        {
            "account": st.sampled_from(["margin", "cash"]),
            "balances": st.sampled_from([["100_000 USD"], ["700 USD"]]),
            "latency": st.sampled_from([lr.LatencySettings(), lr.LatencySettings(insert="900")]),
        }
    ),
)
def test_any_company_on_any_streams(
    kinds: tuple[str, ...], seed: int, mixes: list[tuple[int, int]], company: int, venue: dict[str, Any]
) -> None:
    system = lr.System("bridge", seed=1).add_venue("SIM", **venue)
    for number, (length, unit_raw) in enumerate(mixes):
        system.add(Mix(kind=kinds[number % len(kinds)], length=length, unit_raw=unit_raw))
    if company:
        system.add(Company(kinds=kinds, raises_at=company))
    if "bars" in kinds:
        system.add(Breakout(instrument="EURUSD.SIM", bars="1m", entry=5, exit=2, quantity="1000"))

    assert_alike(system, market(kinds, seed))


@settings(max_examples=8)
@given(
    book=st.sampled_from(["L1", "L2", "L3"]),
    seed=st.integers(0, 99),
    interval_ms=st.sampled_from([1, 400, 5_000]),
    length=st.integers(1, 7),
)
def test_any_book(book: str, seed: int, interval_ms: int, length: int) -> None:
    quoter = TwoSidedQuoter(
        instrument="EURUSD.SIM", quantity="10", half_spread_ticks=1, interval_ms=interval_ms, inventory_max="100"
    )
    system = lr.System("bridge", seed=1).add_venue("SIM", account="margin", balances=["100_000 USD"], book=book)
    system.add(quoter)
    system.add(Mix(kind="quotes", length=length, unit_raw=20))

    assert_alike(system, lr.synth_order_flow(PAIR, events=600, price="1.10000", seed=seed))


def test_a_division_by_zero_is_the_same_fault() -> None:
    """The compiled form raises, the rows since the last copy of its state run again interpreted, and raise there."""
    system = lr.System("bridge", seed=1).add_venue("SIM", account="margin", balances=["100_000 USD"])
    system.add(Mix(kind="bars", length=0))

    result = assert_alike(system, market(("bars",), 1))

    assert [fault.to_error().code for fault in result.faults] == ["STRAT001"]
