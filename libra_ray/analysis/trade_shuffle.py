"""Monte Carlo over the trades of a run: the same results in another order, or drawn again with repetition.

The sum of the trades does not depend on their order, but the way there does: one order of many was lived through, and
its drawdown was luck as well. Drawn again with repetition, the sum moves too: some trades would not have come, others
twice (bootstrap; Efron, B. (1979), "Bootstrap methods", Annals of Statistics 7(1)).
"""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from libra_ray.analysis.drawdown import max_drawdown
from libra_ray.data.synthetic.noise import Noise

__all__ = ["BAND_SHARES", "TradePaths", "trade_paths"]

Floats = npt.NDArray[np.float64]
BAND_SHARES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
BAND_POINTS_MAX: Final = 200
CHUNK_PATHS: Final = 64


@dataclass(frozen=True, slots=True)
class TradePaths:
    """Equity after each trade, over many paths.

    Attributes:
        final: equity at the end, by path.
        max_drawdown: positive fraction of the peak before, by path, the starting equity being the first peak.
        at: after how many trades `bands` are taken, from 0.
        bands: equity that a share of the paths stays below: one row per share of `BAND_SHARES`.
    """

    final: Floats
    max_drawdown: Floats
    at: npt.NDArray[np.int64]
    bands: Floats


def trade_paths(
    pnl: Floats, *, starting_equity: float, paths: int, seed: int, with_repetition: bool = False, threads: int = 1
) -> TradePaths:
    """Equity of `paths` runs with the results `pnl` in a random order, or drawn `with_repetition`.

    Results are money, added up: sizes do not follow equity. Path k depends on the seed and k alone (Philox streams of
    their own), so it is the same for any number of threads. O(paths x trades); what is kept is O(paths). Raises
    `ValueError` for no path or an equity at the start that is not positive.
    """
    if paths < 1 or not starting_equity > 0:
        raise ValueError(f"{paths} paths from {starting_equity}")
    at = _band_places(pnl.size)
    # Added up exactly, so that no order of one and the same trades is worth more than another.
    total = starting_equity + math.fsum(pnl)

    def walk(first: int) -> list[tuple[float, float, Floats]]:
        made = []
        for path in range(first, min(first + CHUNK_PATHS, paths)):
            order = _drawn(pnl.size, seed, path, with_repetition=with_repetition)
            equity = np.concatenate(([starting_equity], starting_equity + np.cumsum(pnl[order])))
            final = starting_equity + math.fsum(pnl[order]) if with_repetition else total
            made.append((final, max_drawdown(equity) or 0.0, equity[at]))
        return made

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        made = [each for chunk in pool.map(walk, range(0, paths, CHUNK_PATHS)) for each in chunk]
    return TradePaths(
        final=np.array([final for final, _, _ in made]),
        max_drawdown=np.array([drawdown for _, drawdown, _ in made]),
        at=at,
        bands=np.quantile(np.array([sampled for _, _, sampled in made]), BAND_SHARES, axis=0),
    )


def _drawn(count: int, seed: int, path: int, *, with_repetition: bool) -> npt.NDArray[np.intp]:
    """Which trade comes when. A permutation is the order of `count` random numbers, ties by number."""
    noise = Noise(seed, f"{'trades drawn' if with_repetition else 'trades shuffled'}:{path}")
    if with_repetition:
        return noise.integers(count, max(count, 1)).astype(np.intp)
    return np.argsort(noise.uniform(count), kind="stable")


def _band_places(count: int) -> npt.NDArray[np.int64]:
    points = min(count, BAND_POINTS_MAX)
    return np.array([count * point // points for point in range(points + 1)] if points else [0], np.int64)
