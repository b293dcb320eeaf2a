"""The EMA-cross job as this library's user writes it, and the answer of a run."""

import libra_ray as lr
from benchmarks._inputs import INSTRUMENT_ID
from benchmarks.peers.job import JOB, Answer
from libra_actors.strategies import EmaCross

__all__ = ["answer_of", "ema_cross_system"]


def ema_cross_system(*, fast: int = JOB.fast, slow: int = JOB.slow) -> lr.System:
    """Set up the job: a margin account, a taker fee, the ready-made EMA cross on the minute bars."""
    system = lr.System("ema-cross", seed=7)
    fee = f"{JOB.fee_rate:.4f}"
    system.add_venue("SIM", account="margin", balances=[f"{JOB.balance} USD"], fees=lr.MakerTaker(fee, fee))
    system.add(EmaCross(instrument=INSTRUMENT_ID, bars="1m", fast=fast, slow=slow, quantity=str(JOB.quantity)))
    return system


def answer_of(result: lr.BacktestResult) -> Answer:
    """Read what the job is judged by: fills in order, and the last equity."""
    columns = (result.fills.column(name).to_pylist() for name in ("side", "last_qty", "last_px"))
    fills = [(float(qty if side == "BUY" else -qty), float(px)) for side, qty, px in zip(*columns, strict=True)]
    return Answer.of(fills, float(result.equity.column("equity")[-1].as_py()))
