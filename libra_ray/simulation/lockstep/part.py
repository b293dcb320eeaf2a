"""One host's part in a run in lockstep."""

from dataclasses import dataclass

from libra_ray.data import Dataset
from libra_ray.kernel import TradingKernel
from libra_ray.simulation.backtest import build, run_cell
from libra_ray.simulation.lockstep.cast import Cast
from libra_ray.simulation.lockstep.exchange import Exchange, LockstepFigures, Mail
from libra_ray.simulation.run_hash import run_hash
from libra_ray.simulation.system import System

__all__ = ["Part", "take_part"]


@dataclass(frozen=True, slots=True)
class Part:
    """A run as one host made it.

    Attributes:
        kernel: as it stands at the end; `run_hash` is that of its record.
        figures: what the exchange with the other hosts cost.
        seconds: how long it took.
    """

    kernel: TradingKernel
    run_hash: str
    figures: LockstepFigures
    seconds: float


def take_part(system: System, data: Dataset, mine: frozenset[str], mail: Mail, *, batch_rows: int) -> Part:
    """Run `system` over `data` with the actors `mine` performing here and all others elsewhere.

    Raises what a backtest raises, and `LibraError` when another host is gone or told what cannot be.
    """
    exchange = Exchange(mail)
    kernel, replay = build(system, data, batch_rows=batch_rows, make=Cast(exchange, mine).make)
    seconds = run_cell(kernel, replay)
    figures = exchange.finish()
    return Part(kernel, run_hash(kernel.record, kernel.portfolio), figures, seconds)
