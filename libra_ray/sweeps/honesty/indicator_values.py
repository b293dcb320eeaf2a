"""What strategies have in mind: the numbers of their indicators, by name."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Final

from libra_ray.kernel import TradingKernel
from libra_ray.runtime import Actor
from libra_ray.strategy import Strategy
from libra_ray.strategy.compiled import CompiledStrategy
from libra_ray.strategy.indicators import Indicator

__all__ = ["indicator_values"]

DEPTH_MAX: Final = 3
LISTED_MAX: Final = 32


def indicator_values(kernel: TradingKernel) -> dict[str, float | None]:
    """Values of indicators and other floats that strategies keep, by `EmaCross-1.fast`; None where there is none yet.

    Looked for in the attributes of a strategy, in lists, mappings and dataclasses there, and in the declared state of a
    compiled one. Whole numbers do not count: they are counters and sides more often than measures.
    """
    found: dict[str, float | None] = {}
    for actor_id, actor in kernel.host.actors.items():
        if isinstance(actor, Strategy):
            program = actor.program if isinstance(actor, CompiledStrategy) else None
            state = {} if program is None else _fields(program.state)
            for name, value in _values(_attributes(actor) | state, DEPTH_MAX):
                found[f"{actor_id}.{name}"] = value if value is None or math.isfinite(value) else None
    return found


def _attributes(owner: object) -> dict[str, object]:
    """What an object has of its own: not what the library gives each actor, and no setting."""
    slots = [name for cls in type(owner).__mro__ for name in getattr(cls, "__slots__", ())]
    held = {name: getattr(owner, name) for name in slots if hasattr(owner, name)} | dict(getattr(owner, "__dict__", {}))
    given = set(vars(Actor)) | set(vars(Strategy)) | {"config"}
    return {name.lstrip("_"): value for name, value in held.items() if name not in given}


def _fields(owner: object) -> dict[str, object]:
    """The fields of a dataclass; nothing of anything else."""
    return {field.name: getattr(owner, field.name) for field in fields(owner)} if is_dataclass(owner) else {}


def _values(parts: Mapping[str, object], depth: int) -> Iterator[tuple[str, float | None]]:
    for name, value in parts.items():
        if isinstance(value, float):
            yield name, value
        elif isinstance(value, Indicator):
            yield from _of_indicator(name, value)
        elif depth and is_dataclass(value) and not isinstance(value, type):
            inner = {f"{name}.{key}": part for key, part in _fields(value).items()}
            yield from _values(inner, depth - 1)
        elif depth and isinstance(value, Mapping):
            inner = {f"{name}.{key}": part for key, part in list(value.items())[:LISTED_MAX]}
            yield from _values(inner, depth - 1)
        elif depth and isinstance(value, list | tuple) and len(value) <= LISTED_MAX:
            yield from _values({f"{name}.{place}": part for place, part in enumerate(value)}, depth - 1)


def _of_indicator(name: str, indicator: Indicator) -> Iterator[tuple[str, float | None]]:
    """Its `value`, and the other results that it shows."""
    yield name, indicator.value
    cls = type(indicator)
    shown = [key for key in (*getattr(cls, "__slots__", ()), *vars(cls)) if not key.startswith("_")]
    for key in dict.fromkeys(shown):
        value = getattr(indicator, key, None)
        if key != "value" and isinstance(value, float):
            yield f"{name}.{key}", value
