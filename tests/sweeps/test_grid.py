"""The grid of a sweep: its order, its names, and what it refuses."""

import itertools
import math
import pickle
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray import System
from libra_ray.errors import ConfigError
from libra_ray.simulation import ActorEntry
from libra_ray.sweeps.grid import COMBINATIONS_MAX, Grid
from tests.sweeps.runs import Holder, HolderConfig, Mover

VALUES = st.lists(st.integers() | st.booleans() | st.text(max_size=3), min_size=1, max_size=4, unique_by=repr)


def system(*actor_ids: str | None) -> System:
    made = System()
    for actor_id in actor_ids:
        made.add(Holder(HolderConfig()), actor_id)
    return made


def refusal(grid: Any, actors: Iterable[ActorEntry] | None = None) -> ConfigError:  # noqa: ANN401 - also what is no grid
    with pytest.raises(ConfigError) as caught:
        Grid.of(tuple(actors) if actors is not None else system(None).actors, grid)
    return caught.value


@given(values=st.dictionaries(st.sampled_from(["bars", "lookback", "threshold", "label"]), VALUES, min_size=1))
def test_combinations_come_in_product_order(values: dict[str, list[Any]]) -> None:
    grid = Grid.of(system(None).actors, values)

    assert list(grid) == [
        dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())
    ]
    assert len(grid) == math.prod(map(len, values.values()))


@given(values=st.dictionaries(st.sampled_from(["bars", "lookback", "label"]), VALUES, min_size=1), data=st.data())
def test_a_pickled_grid_has_the_same_settings_at_every_place(values: dict[str, list[Any]], data: st.DataObject) -> None:
    grid = Grid.of(system(None).actors, values)
    trial = data.draw(st.integers(0, len(grid) - 1))

    assert pickle.loads(pickle.dumps(grid)).settings(trial) == {"Holder-1": grid[trial]}  # noqa: S301 - just made


def test_there_is_no_combination_past_the_end() -> None:
    grid = Grid.of(system(None).actors, {"lookback": [1, 2, 3]})

    assert (grid[-1], grid[1:]) == ({"lookback": 3}, [{"lookback": 2}, {"lookback": 3}])
    with pytest.raises(IndexError):
        grid[3]


@pytest.mark.parametrize("name", ["lookback", "Holder.lookback", "Holder-1.lookback"])
def test_a_name_may_be_plain_or_have_its_class_or_actor_in_front(name: str) -> None:
    grid = Grid.of(system(None).actors, {name: [5]})

    assert (grid[0], grid.settings(0)) == ({name: 5}, {"Holder-1": {"lookback": 5}})


def test_an_actor_id_is_taken_before_a_class_of_that_name() -> None:
    grid = Grid.of(system("Holder", "other").actors, {"Holder.lookback": [5]})

    assert grid.settings(0) == {"Holder": {"lookback": 5}}


def test_two_actors_are_varied_apart() -> None:
    grid = Grid.of(system("a", "b").actors, {"a.lookback": [1, 2], "b.lookback": [3]})

    assert grid.settings(1) == {"a": {"lookback": 2}, "b": {"lookback": 3}}


def test_numbers_of_numpy_become_those_of_python() -> None:
    grid = Grid.of(system(None).actors, {"lookback": np.arange(1, 3), "threshold": np.linspace(0, 1, 2)})

    assert [(type(value), value) for value in grid[3].values()] == [(int, 2), (float, 1.0)]


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        ({"lookback": []}, "CONF005 grid.lookback: 0 combinations ('lookback' is empty). Give at least one value."),
        ({}, "CONF005 grid: 0 combinations (no parameter is given). Give at least one."),
        ({"threshold": [1.0, 2.0, math.nan]}, "CONF006 grid.threshold: value 3 of 3 is NaN. Remove it."),
        ({"threshold": [Decimal("sNaN"), 1]}, "CONF006 grid.threshold: value 1 of 2 is NaN. Remove it."),
        ({"threshold": np.array([math.nan])}, "CONF006 grid.threshold: value 1 of 1 is NaN. Remove it."),
        ({"threshold": [0.1, 0.2, 0.1]}, "CONF006 grid.threshold: value 0.1 is given 2 times. Remove one."),
        ({"threshold": [1, 1.0, 1]}, "CONF006 grid.threshold: value 1 is given 3 times. Remove one."),
        ({"label": ["a", "a"]}, "CONF006 grid.label: value 'a' is given 2 times. Remove one."),
        ({"label": [["a"], ["a"]]}, "CONF006 grid.label: value ['a'] is given 2 times. Remove one."),
        ({"lookbak": [1]}, "CONF009 grid.lookbak: unknown sweep parameter 'lookbak'. Did you mean 'lookback'?"),
        (
            {"Holder.lookbak": [1]},
            "CONF009 grid.Holder.lookbak: unknown sweep parameter 'Holder.lookbak'. Did you mean 'Holder.lookback'?",
        ),
        (
            {"lookback": [1], "Holder.lookback": [2]},
            "CONF009 grid.Holder.lookback: 'Holder.lookback' and 'lookback' are one parameter. Remove one.",
        ),
        ({"label": "abc"}, "CONF002 grid.label: 'abc' is not a list of values. Write for example [5, 10, 20]."),
        ({"lookback": 5}, "CONF002 grid.lookback: 5 is not a list of values. Write for example [5, 10, 20]."),
        ({"lookback": itertools.count()}, "CONF002 grid.lookback: more than 1,000,000 values. Give fewer values."),
        (
            {"lookback": range(1001), "threshold": range(1000)},
            "CONF002 grid: 1,001,000 combinations exceed the limit of 1,000,000. Give fewer values.",
        ),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused(grid: dict[str, Any], text: str) -> None:
    assert str(refusal(grid)) == text
    assert COMBINATIONS_MAX == 1_000_000


def test_true_and_one_are_two_values() -> None:
    assert len(Grid.of(system(None).actors, {"label": [True, 1]})) == 2


def test_a_plain_name_that_two_actors_have_is_refused_with_both_written_out() -> None:
    error = refusal({"lookback": [1]}, system("a", "b").actors)

    assert (
        str(error)
        == "CONF009 grid.lookback: 'lookback' is a parameter of 2 actors. Write 'a.lookback' or 'b.lookback'."
    )


def test_a_plain_name_that_one_actor_alone_has_needs_no_class() -> None:
    mixed = system(None)
    mixed.add(Mover())

    assert Grid.of(mixed.actors, {"speed": [2]}).settings(0) == {"Mover-1": {"speed": 2}}


def test_all_that_is_wrong_is_told_and_the_first_decides() -> None:
    error = refusal({"lookback": [], "threshold": [math.nan], "x": [1]})

    assert [error.code, *(other.code for other in error.more)] == ["CONF005", "CONF006", "CONF009"]


def test_the_place_is_where_the_name_was_written() -> None:
    with pytest.raises(ConfigError) as caught:
        Grid.of(system(None).actors, {"lookback": []}, place=lambda name: f"sweep.toml:7 grid.{name}")

    assert caught.value.place == "sweep.toml:7 grid.lookback"
