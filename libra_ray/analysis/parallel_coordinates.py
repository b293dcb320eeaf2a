"""Parallel coordinates of a sweep: an axis for each parameter and figure, a line for each trial across them."""

from typing import Any, Final

from libra_ray.analysis.parameter_maps import Value, is_number, label_of, text_of, values_of

__all__ = ["parallel_coordinates"]

LINES_MAX: Final = 600
TICKS_MAX: Final = 6
TICK_DISTANCE: Final = 0.07
DIGITS: Final = 4


def parallel_coordinates(
    ranked: list[dict[str, Any]], names: list[str], figures: list[str], *, is_lower_better: bool
) -> dict[str, Any]:
    """What the script draws: axes with their ticks, and lines as places from 0 to 1 on them, the best line last.

    `ranked` are trials with the first of `figures`, the best first. Numbers lie where they are between the smallest and
    the largest, other values at even distances. `tone` is 0 for the worst trial and 1 for the best. Of more than 600
    trials the best 300 are drawn, and as many evenly from the others.
    """
    drawn = _drawn(ranked)
    axes, places = [], []
    for key in [*names, *figures]:
        known = [row for row in drawn if row.get(key) is not None]
        values = values_of(known, key)
        if not values or (key in names and len(values) < 2):  # noqa: PLR2004  # an axis needs two ends
            continue
        known_at = _places(values)
        axes.append({"label": label_of(key), "ticks": _ticks(key, values, known_at)})
        places.append([None if row.get(key) is None else known_at[row[key]] for row in drawn])
    rank = figures[0]
    low, high = (min((row[rank] for row in drawn), default=0.0), max((row[rank] for row in drawn), default=0.0))
    lines = []
    for number, row in enumerate(drawn):
        share = (row[rank] - low) / (high - low) if high > low else 1.0
        tone = round(1 - share if is_lower_better else share, DIGITS)
        texts = [text_of(key, row.get(key)) for key in [*names, *figures]]
        lines.append(
            {"at": [axis[number] for axis in places], "tone": tone, "text": f"trial {row['trial']}: {', '.join(texts)}"}
        )
    return {"axes": axes, "lines": lines[::-1], "left_out": len(ranked) - len(drawn)}


def _drawn(ranked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(ranked) <= LINES_MAX:
        return ranked
    half = LINES_MAX // 2
    rest = ranked[half:]
    return ranked[:half] + [rest[place * (len(rest) - 1) // (half - 1)] for place in range(half)]


def _places(values: list[Value]) -> dict[Value, float]:
    if all(is_number(value) for value in values):
        numbers = [float(value) for value in values if value is not None]
        low, high = min(numbers), max(numbers)
        span = high - low
        return {value: round((float(value or 0) - low) / span, DIGITS) if span else 0.5 for value in values}
    last = max(len(values) - 1, 1)
    return {value: round(place / last, DIGITS) for place, value in enumerate(values)}


def _ticks(key: str, values: list[Value], at: dict[Value, float]) -> list[tuple[float, str]]:
    """A few values with their places, both ends among them, none so near another that their texts would overlap."""
    count = min(len(values), TICKS_MAX)
    chosen = [values[place * (len(values) - 1) // max(count - 1, 1)] for place in range(count)]
    ends = (at[values[0]], at[values[-1]])
    kept: list[Value] = []
    for value in dict.fromkeys((values[0], values[-1], *chosen)):
        is_far = all(abs(at[value] - at[other]) >= TICK_DISTANCE for other in kept)
        if at[value] in ends or is_far:
            kept.append(value)
    return [(at[value], text_of(key, value)) for value in kept]
