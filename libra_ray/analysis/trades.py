"""Figures of closed positions ("trades") and of what they cost.

Money is in the settlement currency, after commissions. Sums are exact before they are rounded once (`math.fsum`), so
the order of trades changes nothing. A trade of exactly zero is neither a win nor a loss.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from libra_ray.analysis.returns import DISPERSION_MIN, finite

__all__ = [
    "Contract",
    "avg_loss",
    "avg_win",
    "expectancy",
    "exposure",
    "payoff_ratio",
    "profit_factor",
    "system_quality_number",
    "traded_value",
    "win_rate",
]

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contract:
    """What turns a fill into money: notional is `quantity * price * multiplier`, or `quantity * multiplier / price`."""

    multiplier: float = 1.0
    is_inverse: bool = False


def profit_factor(pnl: Floats) -> float | None:
    """Divide gross profit by gross loss. None without a loss.

    Schwager, J. D. (1984), "A Complete Guide to the Futures Markets".
    """
    loss = math.fsum(pnl[pnl < 0].tolist())
    return finite(math.fsum(pnl[pnl > 0].tolist()) / -loss) if loss else None


def win_rate(pnl: Floats) -> float | None:
    """Give the fraction of trades that made money."""
    return int((pnl > 0).sum()) / pnl.size if pnl.size else None


def expectancy(pnl: Floats) -> float | None:
    """Mean result of a trade: win rate * average win + loss rate * average loss. Tharp, V. (1998), "Trade Your Way"."""
    return finite(math.fsum(pnl.tolist()) / pnl.size) if pnl.size else None


def avg_win(pnl: Floats) -> float | None:
    """Mean of the winning trades."""
    return expectancy(pnl[pnl > 0])


def avg_loss(pnl: Floats) -> float | None:
    """Mean of the losing trades: a negative number."""
    return expectancy(pnl[pnl < 0])


def payoff_ratio(pnl: Floats) -> float | None:
    """Average win over average loss, positive. None without both."""
    win, loss = avg_win(pnl), avg_loss(pnl)
    return finite(win / -loss) if win is not None and loss is not None else None


def system_quality_number(pnl: Floats) -> float | None:
    """SQN: `sqrt(n) * mean / std(ddof=1)` of trade results. Tharp, V. (2008), "Definitive Guide to Position Sizing".

    Not capped at 100 trades, so it compares systems of like trade counts only.
    """
    if pnl.size <= 1:
        return None
    mean = math.fsum(pnl.tolist()) / pnl.size
    deviation = math.sqrt(math.fsum(((pnl - mean) ** 2).tolist()) / (pnl.size - 1))
    if not deviation > DISPERSION_MIN * float(np.abs(pnl).max()):
        return None
    return finite(math.sqrt(pnl.size) * mean / deviation)


def exposure(opened_ns: Times, closed_ns: Times, *, start_ns: int, end_ns: int) -> float | None:
    """Give the fraction of [start, end] in which at least one position was open. Overlaps count once.

    An open position has `closed_ns >= end_ns`. None when the run has no length.
    """
    if end_ns <= start_ns:
        return None
    order = np.argsort(opened_ns, kind="stable")
    opened = np.clip(opened_ns[order], start_ns, end_ns)
    closed = np.maximum.accumulate(np.clip(closed_ns[order], start_ns, end_ns)) if order.size else opened
    # What each position adds lies after everything that earlier ones have covered.
    covered = np.concatenate(([start_ns], closed[:-1])) if order.size else opened
    return int(np.maximum(closed - np.maximum(opened, covered), 0).sum()) / (end_ns - start_ns)


def traded_value(quantity: Floats, price: Floats, contracts: Iterable[Contract] | None = None) -> float:
    """Add up the money turned over by fills, both sides. `contracts` has one entry per fill; None: linear, times 1."""
    if contracts is None:
        return math.fsum((quantity * price).tolist())
    rows = zip(quantity.tolist(), price.tolist(), contracts, strict=True)
    return math.fsum(
        qty * contract.multiplier / px if contract.is_inverse else qty * px * contract.multiplier
        for qty, px, contract in rows
    )
