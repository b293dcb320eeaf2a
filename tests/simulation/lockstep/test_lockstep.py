"""Hosts that each have a part of the actors come to the run hash of one that has them all."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.simulation.run_config import load_run
from tests.simulation.lockstep.hosts import run_in_threads
from tests.simulation.lockstep.talkers import talking

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
RUNS = sorted(path.name for path in EXAMPLES.glob("*.toml") if "sweep" not in path.name)
APART = {"observer": (), "witness": (), "one": ("Asker-1",), "two": ("Listener-1",), "three": ("TWAP",)}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "latency with jitter": {"latency": {"base": "0.05", "jitter": "0.4", "report": "0.2"}},
    "price protection": {"price_protection": 1},
    "cash account": {"account": "cash"},
    "hedging": {"oms": "hedging"},
    "a fault": {"raises_at": 700},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_every_host_comes_to_the_run_hash_of_the_fused_run(name: str) -> None:
    system, data = talking(**SETTINGS[name])
    fused = lr.backtest(system, data=data)
    assert fused.counts["fills"] > 100

    parts = run_in_threads(system, data, APART)

    assert {host: part.run_hash for host, part in parts.items()} == dict.fromkeys(APART, fused.run_hash)
    errors = [str(fault.to_error()) for fault in fused.faults]
    for part in parts.values():
        assert [str(fault.to_error()) for fault in part.kernel.host.faults] == errors
        assert part.kernel.bus.topic_counts == fused._kernel.bus.topic_counts  # noqa: SLF001
    assert len(errors) == ("raises_at" in SETTINGS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_every_public_strategy_does_apart_what_it_does_together(name: str) -> None:
    run = load_run(EXAMPLES / name)
    data = run.data.prefix(2_000)
    strategies = {f"host {number}": (entry.actor_id,) for number, entry in enumerate(run.system.actors)}

    parts = run_in_threads(run.system, data, {"observer": (), **strategies}, batch_rows=8_192)

    fused = lr.backtest(run.system, data=data)
    assert fused.counts["fills"] > 0
    assert {part.run_hash for part in parts.values()} == {fused.run_hash}


@pytest.mark.slow
def test_with_one_host_of_strategies_rounds_grow_with_what_they_do_not_with_rows() -> None:
    together = {"observer": (), "all": ("Asker-1", "Listener-1", "TWAP")}
    system, data = talking(rows=1_000)

    parts = run_in_threads(system, data, together)

    performer, observer = parts["all"].figures, parts["observer"].figures
    assert performer.rounds == 0
    assert observer.rounds <= performer.told + 1 < data.rows


@pytest.mark.slow
@settings(max_examples=8)
@given(
    st.integers(0, 2**32), st.sampled_from(sorted(SETTINGS)), st.lists(st.sampled_from("abc"), min_size=3, max_size=3)
)
def test_any_placement_gives_the_fused_run(seed: int, name: str, places: list[str]) -> None:
    system, data = talking(rows=300, seed=seed, **SETTINGS[name])
    hosts: dict[str, tuple[str, ...]] = {"observer": ()}
    for actor_id, place in zip(("Asker-1", "Listener-1", "TWAP"), places, strict=True):
        hosts[place] = (*hosts.get(place, ()), actor_id)

    parts = run_in_threads(system, data, hosts, batch_rows=1 + seed % 50)

    assert {part.run_hash for part in parts.values()} == {lr.backtest(system, data=data).run_hash}
