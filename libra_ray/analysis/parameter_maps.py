"""Maps of a sweep: the best figure for each pair of two parameters' values, and how values are written there."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, TypeAlias

import numpy as np

from libra_ray.analysis.wording import FIGURES, cut, figure_text

__all__ = [
    "MapCell",
    "ParameterMap",
    "Value",
    "exact_of",
    "is_number",
    "label_of",
    "parameter_maps",
    "text_of",
    "values_of",
]

Value: TypeAlias = float | int | str | None
MAPS_MAX: Final = 10
MAP_SIDE_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class MapCell:
    """The best rank figure of a pair of values, over all values of the other parameters."""

    text: str
    value: str
    tone: str
    strength: float
    is_best: bool


@dataclass(frozen=True, slots=True)
class ParameterMap:
    """Two parameters against each other; with one parameter `y_name` is empty and there is one row."""

    x_name: str
    y_name: str
    x_values: list[str]
    rows: list[tuple[str, list[MapCell | None]]]


def parameter_maps(
    ranked: list[dict[str, Any]],
    best: dict[str, Any] | None,
    grid_names: list[str],
    rank: str,
    *,
    is_lower_better: bool,
) -> list[ParameterMap]:
    """Of each pair of parameters that vary, at most ten; a row of values where one alone does.

    `ranked` are trials with the figure `rank`, the best first, which is `best`.
    """
    if best is None:
        return []
    axes = {name: values_of(ranked, name) for name in grid_names}
    varied = [name for name in grid_names if 1 < len(axes[name]) <= MAP_SIDE_MAX]
    if len(varied) == 1:
        return [_map(ranked, best, (varied[0], ""), (axes[varied[0]], [None]), rank, is_lower_better=is_lower_better)]
    pairs = list(combinations(varied, 2))[:MAPS_MAX]
    return [_map(ranked, best, (x, y), (axes[x], axes[y]), rank, is_lower_better=is_lower_better) for x, y in pairs]


def values_of(ranked: list[dict[str, Any]], name: str) -> list[Value]:
    """The different values of a parameter, numbers in order first."""
    found = dict.fromkeys(trial[name] for trial in ranked)
    return sorted(found, key=lambda value: (not is_number(value), value if is_number(value) else 0, str(value)))


def _map(
    ranked: list[dict[str, Any]],
    best: dict[str, Any],
    names: tuple[str, str],
    axes: tuple[list[Value], list[Value]],
    rank: str,
    *,
    is_lower_better: bool,
) -> ParameterMap:
    x_name, y_name = names
    found: dict[tuple[Value, Value], float] = {}
    for trial in ranked:  # best first, so the first one of a pair is its best
        found.setdefault((trial[x_name], trial[y_name] if y_name else None), trial[rank])
    low, high = min(found.values()), max(found.values())
    winner = (best[x_name], best[y_name] if y_name else None)

    def cell(x: Value, y: Value) -> MapCell | None:
        value = found.get((x, y))
        if value is None:
            return None
        tone, strength = _tone(value, low, high, is_lower_better=is_lower_better)
        return MapCell(text_of(rank, value), exact_of(value), tone, strength, (x, y) == winner)

    rows = [("" if y is None else text_of(y_name, y), [cell(x, y) for x in axes[0]]) for y in axes[1]]
    return ParameterMap(x_name, y_name, [text_of(x_name, x) for x in axes[0]], rows)


def _tone(value: float, low: float, high: float, *, is_lower_better: bool) -> tuple[str, float]:
    """Green above zero and red below where both occur, else one colour that deepens towards the better end."""
    if low < 0 < high and not is_lower_better:
        return ("gain" if value > 0 else "loss"), round(abs(value) / max(-low, high), 3)
    share = (value - low) / (high - low) if high > low else 0.5
    return "gain", round(1 - share if is_lower_better else share, 3)


def label_of(key: str) -> str:
    """A figure's or a parameter's name for reading."""
    return FIGURES[key].label if key in FIGURES else cut(key)


def text_of(key: str, value: Value) -> str:
    """A figure's or a parameter's value for reading."""
    if key in FIGURES or value is None:
        return figure_text(key, value)
    return cut(f"{value:g}" if isinstance(value, float) else str(value))


def exact_of(value: Value) -> str:
    """A number with all its digits; nothing for anything else."""
    return repr(value) if is_number(value) else ""


def is_number(value: object) -> bool:
    """Whether it can be ranked: a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
