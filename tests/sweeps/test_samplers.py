"""Samplers: what they propose is a function of the seed and of what they were told, inside range and constraints."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray import ConfigError
from libra_ray.config import Range
from libra_ray.sweeps.grid import Parameter
from libra_ray.sweeps.samplers import SAMPLERS, Chosen, make_sampler

FAST = Parameter("fast", "X-1", "fast", (), Range(1, 40))
SLOW = Parameter("slow", "X-1", "slow", (), Range(1, 40))
KIND = Parameter("kind", "X-1", "kind", ("a", "b", None))
PARAMETERS = (FAST, SLOW, KIND)


def admits(chosen: Chosen) -> bool:
    return bool(chosen[0] < chosen[1])


def score(chosen: Chosen) -> float:
    """Best at 12, 30, b."""
    return -float((chosen[0] - 12) ** 2 + (chosen[1] - 30) ** 2) - (0.0 if chosen[2] == "b" else 50.0)


def proposed(name: str, *, seed: int = 1, trials: int | None = 48, batch: int = 1 << 30, **more: Any) -> list[Chosen]:  # noqa: ANN401
    directions: list[Any] = ["maximize", "minimize"] if name == "nsga2" else ["maximize"]
    sampler = make_sampler(
        name, PARAMETERS, seed=seed, trials=trials, directions=directions, **{"admits": admits, **more}
    )
    made: list[Chosen] = []
    while asked := sampler.ask(batch):
        made += asked
        sampler.tell([[score(each), *([float(each[0])] if name == "nsga2" else [])] for each in asked])
    return made


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_seed_proposes_the_same_inside_of_ranges_and_constraints(name: str) -> None:
    first = proposed(name)

    assert first == proposed(name)
    assert len(first) == 48
    assert all(1 <= fast < slow <= 40 and kind in KIND.values for fast, slow, kind in first)


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "grid"])
def test_another_seed_proposes_something_else(name: str) -> None:
    assert proposed(name, seed=1) != proposed(name, seed=2)


@pytest.mark.parametrize("name", ["grid", "random", "lhs"])
def test_what_does_not_learn_proposes_the_same_however_it_is_asked(name: str) -> None:
    assert proposed(name, batch=7) == proposed(name)
    assert len(set(proposed(name))) == 48


@pytest.mark.parametrize("name", ["tpe", "cmaes"])
def test_what_learns_ends_nearer_to_the_best_than_it_began(name: str) -> None:
    found = proposed(name, trials=96)

    assert sum(map(score, found[-16:])) > sum(map(score, found[:16]))
    assert max(map(score, found)) > max(map(score, found[:16]))


@given(trials=st.integers(1, 60), seed=st.integers(0, 2**63))
def test_a_latin_hypercube_has_one_draw_in_each_stratum(trials: int, seed: int) -> None:
    even = [Parameter(name, "X-1", name, (), Range(0.0, 1.0)) for name in "abc"]
    sampler = make_sampler("lhs", even, seed=seed, trials=trials, directions=["maximize"], admits=lambda _: True)

    drawn = sampler.ask(trials)

    for column in zip(*drawn, strict=True):
        assert sorted(int(value * trials) for value in column) == list(range(trials))


def test_all_of_a_grid_come_in_product_order_and_the_first_so_many_by_trials() -> None:
    everything = [(f, s, k) for f in range(1, 41) for s in range(1, 41) for k in KIND.values if f < s]

    assert proposed("grid", trials=None) == everything
    assert proposed("grid", trials=10) == everything[:10]


def test_draws_end_where_there_is_nothing_new() -> None:
    few = [Parameter("kind", "X-1", "kind", ("a", "b"))]
    for name in ("random", "lhs"):
        sampler = make_sampler(name, few, seed=1, trials=50, directions=["maximize"], admits=lambda _: True)
        assert sorted(sampler.ask(50)) == [("a",), ("b",)]
        assert sampler.ask(50) == []


@pytest.mark.parametrize("name", SAMPLERS)
def test_constraints_that_exclude_everything_end_a_sampler(name: str) -> None:
    assert proposed(name, admits=lambda _: False) == []


def test_trials_without_figures_do_not_stop_one_that_learns() -> None:
    sampler = make_sampler("tpe", PARAMETERS, seed=1, trials=24, directions=["maximize"], admits=admits)
    made = 0
    while asked := sampler.ask(8):
        made += len(asked)
        sampler.tell([None] * len(asked))
    assert made == 24


@pytest.mark.parametrize(
    ("name", "trials", "objectives", "text"),
    [
        ("tpo", 5, 1, "'tpo' is no sampler"),
        ("random", None, 1, "the sampler random has no number of trials"),
        ("tpe", 5, 2, "the sampler tpe has one objective, and 2 are given"),
    ],
)
def test_what_cannot_be_sampled_is_refused(name: str, trials: int | None, objectives: int, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        make_sampler(name, PARAMETERS, seed=1, trials=trials, directions=["maximize"] * objectives, admits=admits)
