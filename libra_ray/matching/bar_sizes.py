"""How much of a bar's volume each of its four steps shows."""

from typing import Final

__all__ = ["BAR_STEPS", "bar_sizes"]

BAR_STEPS: Final = 4


def bar_sizes(volume_raw: int, step_raw: int) -> tuple[int, int]:
    """How much a bar's first three steps show each, and its close.

    A quarter of the volume, down to the size step, at least one; the close gets the rest, at least one.
    """
    quarter = volume_raw // BAR_STEPS // step_raw * step_raw or step_raw
    rest = volume_raw - 3 * quarter
    return quarter, rest if rest > step_raw else step_raw  # noqa: FURB136 - a fifth of the time of max(), at each bar
