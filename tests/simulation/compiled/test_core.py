"""Whole runs in the core: what the event engine gives, to the hash, the figures and every cell of every table."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_actors.strategies import EmaCross, TwoSidedQuoter
from libra_ray.data import Dataset
from libra_ray.simulation.compiled import reason_not_core, run, try_core
from libra_ray.simulation.compiled.result import CoreResult
from tests.conftest import LONG_TESTS
from tests.strategy.compiled.handlers import Mix

Terms = dict[str, Any]
TABLES = ("orders", "fills", "positions", "equity", "accounts")


def pair(**terms: Any) -> lr.Instrument:  # noqa: ANN401  # terms of an instrument
    return lr.pair("EURUSD.SIM", base="EUR", quote="USD", **{"tick": "0.00005", "step": "10", **terms})


def data(kind: str, instrument: lr.Instrument, *, rows: int = 300, seed: int = 1, sigma: float = 0.0004) -> Dataset:
    period = "1m" if kind == "bars" else ""
    return lr.synth(kind, instrument, rows=rows, seed=seed, period=period, price="1.1", process=lr.Gbm(sigma))


def system(strategy: lr.Strategy, **venue: Any) -> lr.System:  # noqa: ANN401  # settings of a venue
    made = lr.System("core", seed=1)
    made.add_venue("SIM", **{"account": "margin", "balances": ["100_000 USD"], **venue})
    made.add(strategy)
    return made


def cross() -> EmaCross:
    return EmaCross(instrument="EURUSD.SIM", bars="1m", fast=3, slow=8, quantity="1000")


def assert_alike(made: lr.System, dataset: Dataset) -> CoreResult | str:
    event, core = lr.backtest(made, data=dataset), try_core(made, dataset, batch_rows=100)
    if isinstance(core, str):
        return core
    assert core.run_hash == event.run_hash
    assert (core.counts, core.denied, core.stats) == (event.counts, event.denied, event.stats)
    for table in TABLES:
        assert getattr(core, table).equals(getattr(event, table)), table
    return core


@settings(max_examples=400 if LONG_TESTS else 40)
@given(
    kind=st.sampled_from(["bars", "bars", "quotes"]),
    seed=st.integers(0, 999),
    sigma=st.sampled_from([0.0004, 0.00002]),
    grid=st.sampled_from([{}, {"tick": "0.0001"}, {"tick": "0.00001", "step": "0.01"}]),
    margins=st.sampled_from([{}, {"margin_init": "0.05", "margin_maint": "0.02"}]),
    strategy=st.builds(
        Mix,
        length=st.integers(1, 9),
        weight=st.floats(0.01, 1.0),
        unit_raw=st.sampled_from([1_000, 5_000, 70]),
        goes_short=st.booleans(),
    ),
    venue=st.fixed_dictionaries(
        {
            "fees": st.sampled_from([None, lr.MakerTaker("-0.0001", "0.0005")]),
            "balances": st.sampled_from([["100_000 USD"], ["700 USD"]]),
            "leverage": st.sampled_from(["1", "20"]),
            "bar_fill": st.sampled_from(["next_open", "this_close"]),
            "bar_path": st.sampled_from(["ohlc", "adaptive"]),
            "reject_stop_orders": st.booleans(),
        }
    ),
    rate=st.sampled_from([None, "1/300s", "3/600s"]),
)
def test_any_orders_on_any_data(
    kind: str, seed: int, sigma: float, grid: Terms, margins: Terms, strategy: Mix, venue: Terms, rate: str | None
) -> None:
    strategy = Mix(**{**strategy.config.model_dump(), "kind": kind})
    made = system(strategy, **venue)
    if rate is not None:
        made.risk(max_order_rate=rate)

    core = assert_alike(made, data(kind, pair(**grid, **margins), seed=seed, sigma=sigma))

    assert isinstance(core, CoreResult) or core == "the core stopped: the account must be watched"


@pytest.mark.parametrize("kind", ["bars", "quotes"])
def test_ready_made_strategies_run_in_the_core(kind: str) -> None:
    strategy: lr.Strategy = cross()
    if kind == "quotes":
        strategy = TwoSidedQuoter(instrument="EURUSD.SIM", quantity="1000", inventory_max="3000", half_spread_ticks=1)

    core = assert_alike(system(strategy), data(kind, pair(), rows=2_000))

    assert isinstance(core, CoreResult)
    assert core.engine == "compiled core"
    assert core.counts["fills"] > 100


def test_arrays_that_become_too_small_are_replaced_by_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROOM_LEAST", 600)
    monkeypatch.setattr(run, "ROOM_MOST", 600)

    core = assert_alike(system(Mix(kind="bars")), data("bars", pair(), rows=2_000))

    assert isinstance(core, CoreResult)
    assert len(core.ledger.events) > 600


def test_denials_have_the_codes_and_messages_of_the_risk_engine() -> None:
    made = system(cross(), balances=["800 USD"])
    made.risk(max_order_rate="1/600s")
    rich = pair(margin_init="0.5", step="1000")

    core = assert_alike(made, data("bars", rich))

    assert isinstance(core, CoreResult)
    assert set(core.denied) == {"ORDER_RATE_EXCEEDED"}


@pytest.mark.parametrize(
    ("venue", "reason"),
    [
        ({"account": "cash"}, "the venue's account is 'cash'"),
        ({"queue": "fifo"}, "the venue's queue is 'fifo'"),
        ({"prob_slippage": "0.5"}, "the venue leaves fills to chance"),
        ({"balances": ["100 EUR", "100 USD"]}, "the account is not in the instrument's quote currency alone"),
        ({"fees": lr.FixedFee(amount="1")}, "fees are not rates in quote currency"),
    ],
)
def test_what_the_core_does_not_know_is_said_before_a_run_and_runs_elsewhere(venue: Any, reason: str) -> None:  # noqa: ANN401
    made, dataset = system(cross(), **venue), data("bars", pair())

    assert reason_not_core(made, dataset) == reason
    result = lr.backtest(made, data=dataset, engine="compiled")
    assert (result.engine, result.why_not_core) == ("compiled bridge", reason)
    assert result.run_hash == lr.backtest(made, data=dataset).run_hash


def test_an_account_that_comes_near_its_margin_is_run_elsewhere_from_the_start() -> None:
    made, dataset = system(cross(), balances=["31 USD"], leverage="20"), data("bars", pair(margin_init="0.5"))

    result = lr.backtest(made, data=dataset, engine="compiled")

    assert (result.engine, result.why_not_core) == ("compiled bridge", "the core stopped: the account must be watched")
    assert result.run_hash == lr.backtest(made, data=dataset).run_hash
