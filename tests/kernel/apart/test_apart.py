"""The same system with every part on a host of its own does what it does in one process."""

import json
import pickle
from pathlib import Path

import pytest

import libra_ray as lr
from libra_actors.strategies import EmaCross
from libra_ray.data import Dataset
from libra_ray.sessions.residents import residents
from libra_ray.simulation.backtest import build
from libra_ray.testing.random_flow import KINDS, random_scenario
from tests.kernel.apart.carrier import ApartSystem, outcome
from tests.kernel.apart.scenarios_apart import run_both
from tests.kernel.apart.test_projection import differences

PAIR = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
KERNEL = ("Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine", "SIM-client")
CASES = Path(__file__).parents[2] / "scenarios" / "cases"
# What is not the same apart: two orders of one moment are checked before anything has come of the first.
AT_ONCE = {
    "cash-pair-locks-both-sides",
    "margin-with-position-and-orders",
    "orders-sent-before-the-first-row",
    "reducing-counts-what-is-on-order",
    "risk-exposure-at-the-exact-mid",
}


def _system() -> lr.System:
    system = lr.System("apart").add_venue("SIM", balances=["100_000 USD"], fees=lr.MakerTaker("0.0002", "0.0005"))
    system.add(EmaCross(instrument="EURUSD.SIM", bars="1h", fast=3, slow=8, quantity="1000"))
    return system


@pytest.fixture(scope="module")
def bars() -> Dataset:
    return lr.synth("bars", PAIR, rows=150, period="1h", seed=3, price="1.1")


def _unequal_views(apart: ApartSystem) -> list[str]:
    """Where a projection is other than the execution engine's own books."""
    books, lines = apart.desk.books, []
    for name, view in apart.views.items():
        told = differences(books.cache, books.portfolio, view.projection, apart.record)
        lines += [f"{name}: {line}" for line in told]
    return lines


@pytest.mark.parametrize("placement", [None, dict.fromkeys(KERNEL, "kernel")], ids=["isolated", "kernel together"])
def test_an_ema_cross(bars: Dataset, placement: dict[str, str] | None) -> None:
    kernel, replay = build(_system(), bars)
    kernel.start()
    replay.run()
    apart = ApartSystem(_system(), bars, placement=placement)
    apart.start()
    apart.run()

    assert apart.faults() == []
    assert len(outcome(kernel.record)[1]) > 5
    assert outcome(apart.record) == outcome(kernel.record)
    assert _unequal_views(apart) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_random_flow(kind: str, seed: int) -> None:
    left_out = frozenset({"stp", "trading_state", "latency"})
    document = random_scenario(seed * len(KINDS) + KINDS.index(kind), kind=kind, orders=30, leave_out=left_out)
    document["risk"] = {"max_order_rate": "100000/1s", "max_modify_rate": "100000/1s"}

    came = run_both(document, seed=seed)

    assert came.system.faults() == []
    assert came.apart == came.fused
    assert _unequal_views(came.system) == []


@pytest.mark.parametrize("case", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_a_scenario(case: Path) -> None:
    came = run_both(json.loads(case.read_text()), seed=1)

    assert came.system.faults() == []
    assert _unequal_views(came.system) == []
    assert came.apart == came.fused or case.stem in AT_ONCE


def test_who_is_to_be_placed_in_the_order_of_their_start() -> None:
    system = _system()
    system.add(lr.Actor(), "Watcher")

    placed = residents(system, instruments=[PAIR])

    assert [one.actor_id for one in placed] == [
        "Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine", "SIM-client", "Watcher",
        "EmaCross-1",
    ]  # fmt: skip
    again = [pickle.loads(pickle.dumps(one)) for one in placed]  # noqa: S301 - our own bytes, this minute
    assert [one.actor_id for one in again] == [one.actor_id for one in placed]
