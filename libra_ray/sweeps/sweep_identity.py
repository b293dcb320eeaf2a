"""What makes a sweep the one that a journal was begun for: system, code, data, parameters, and how it searches."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from libra_ray.data import Dataset
from libra_ray.simulation.code_hash import code_hash
from libra_ray.simulation.run_folder import content_hash
from libra_ray.simulation.system import System
from libra_ray.sweeps.grid import Parameter

__all__ = ["combination_key", "sweep_identity"]


def sweep_identity(
    system: System, data: Dataset, parameters: Sequence[Parameter], search: Mapping[str, Any]
) -> dict[str, str]:
    """A hash for each thing that the rows of the sweep are a function of."""
    parts = [[each.name, each.actor_id, each.setting, list(each.values), repr(each.range)] for each in parameters]
    return {
        "system": content_hash(system.described()),
        "code": code_hash(entry.cls for entry in system.actors),
        "data": data.digest,
        "parameters": content_hash(parts),
        "search": content_hash({name: _plain(value) for name, value in search.items()}),
    }


def combination_key(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Which combination a trial is, as the journal notes it."""
    return content_hash(repr(settings))


def _plain(value: object) -> object:
    """A setting of the search; a function by its name and text, for its address is another in each process."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return [getattr(value, "__qualname__", ""), _source(value)] if callable(value) else repr(value)


def _source(thing: Callable[..., Any]) -> str:
    """Its text; empty where it has none, as what was typed into a prompt."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""
