"""Monte Carlo: how much of a result was luck? The same strategy on other markets, or its trades in another order."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from libra_ray.analysis import Stats
from libra_ray.analysis.columns import arrow
from libra_ray.analysis.trade_shuffle import BAND_SHARES, TradePaths, trade_paths
from libra_ray.clock import LiveClock
from libra_ray.data import Dataset
from libra_ray.data.synthetic.noise import Noise
from libra_ray.errors import ConfigError, quoted
from libra_ray.simulation.backtest import backtest
from libra_ray.simulation.result import BacktestResult
from libra_ray.simulation.system import System
from libra_ray.sweeps.bar_bootstrap import block_rows_of, check_resampled, resampled
from libra_ray.sweeps.ranking import is_smaller_better
from libra_ray.sweeps.sweep_result import SweepProgress
from libra_ray.sweeps.trials import Figures, error_line
from libra_ray.sweeps.workforce import workers_worth, workforce

__all__ = ["FIGURES", "Method", "MonteCarloResult", "monte_carlo"]

Method: TypeAlias = Literal["bars", "trades", "drawn_trades"]
Told = Callable[[SweepProgress], None]
FIGURES: Final = ("total_return", "sharpe_ratio", "max_drawdown", "final_equity", "trades", "win_rate", "profit_factor")
TRADE_FIGURES: Final = ("total_return", "final_equity", "max_drawdown")
PATHS_MAX: Final = 1_000_000
NANOSECONDS: Final = 10**9


@dataclass(frozen=True)
class MonteCarloResult:
    """Many paths beside the one that was.

    Attributes:
        method: `bars`, `trades` or `drawn_trades`.
        table: one row per path: path, figures, and for `bars` run_hash and error.
        real: figures of the run itself.
        block_rows: the mean length of a block, for `bars`.
        seed: of the paths; path k depends on it and on k alone.
        bands: equity over trades by share of the paths, for trades; None for bars.
        real_equity: equity after each trade of the run itself, likewise.
        failed: paths whose run ended with an error.
    """

    method: Method
    table: pa.Table
    real: Stats
    paths: int
    seed: int
    block_rows: int | None
    bands: TradePaths | None
    real_equity: np.ndarray[Any, np.dtype[np.float64]] | None
    failed: int
    workers: int
    engine: str
    seconds: float

    @property
    def figures(self) -> tuple[str, ...]:
        """The figures that paths have."""
        return tuple(name for name in FIGURES if name in self.table.column_names)

    def values(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A figure of all paths that have it, by path. Raises `KeyError` for one that no path has."""
        column = self.table.column(name).to_pylist()
        return np.array([float(value) for value in column if value is not None], np.float64)

    def quantiles(self, name: str, shares: tuple[float, ...] = BAND_SHARES) -> tuple[float, ...] | None:
        """Values that shares of the paths stay below, by linear interpolation; None where no path has the figure."""
        values = self.values(name)
        return tuple(float(value) for value in np.quantile(values, shares)) if values.size else None

    def better(self, name: str) -> float | None:
        """The share of the paths that did better than the run itself, equal ones counted half; None without figures.

        Near 0 the run was luckier than its kind, near 1 unluckier.
        """
        values, real = self.values(name), self.real.get(name)
        if not values.size or not isinstance(real, int | float):
            return None
        above = float((values > real).mean() + (values == real).mean() / 2)
        return 1 - above if is_smaller_better(name) else above

    @property
    def loss_share(self) -> float | None:
        """The share of the paths that lost money."""
        values = self.values("total_return")
        return float((values < 0).mean()) if values.size else None

    def report(self, path: str | Path, *, name: str = "Monte Carlo", settings: Mapping[str, str] | None = None) -> Path:
        """Write a self-contained HTML report; returns its path."""
        from libra_ray.sweeps.monte_carlo_page import write_monte_carlo_report

        return write_monte_carlo_report(path, self, name=name, settings=settings or {})


def monte_carlo(
    system: System,
    *,
    data: Dataset,
    method: Method = "bars",
    paths: int = 1_000,
    block_rows: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    progress: Told | None = None,
) -> MonteCarloResult:
    """Run `system` over `data`, and over `paths` that could have been instead.

    Args:
        system: stays as it is.
        data: what it runs over.
        method: `bars` puts bars together anew from blocks of their own returns and runs the strategy on each path;
            `trades` takes the trades of the one run in random orders; `drawn_trades` draws them with repetition.
        paths: how many.
        block_rows: mean length of a block of bars; None for the cube root of the rows. Longer than what the strategy
            looks at, else there is nothing for it to see.
        seed: of the paths (Philox, a stream for each path); None for the system's.
        workers: processes for `bars`, 0 for this one, threads for trades; None for one per core, where starting them
            pays.
        progress: called after each path of `bars`.

    Raises `ConfigError` CONF002 for arguments out of range and data without bars, and the fault of the run itself.
    """
    if method not in ("bars", "trades", "drawn_trades"):
        fix = 'Write "bars", "trades" or "drawn_trades".'
        raise ConfigError("CONF002", "method", f"{quoted(method)} is no method", fix, str(method))
    for name, value, least in (("paths", paths, 1), ("block_rows", block_rows, 1), ("workers", workers, 0)):
        if value is not None and not least <= value <= PATHS_MAX:
            what = f"{value:,} is not between {least} and {PATHS_MAX:,}"
            raise ConfigError("CONF002", name, what, "Give another number.", str(value))
    used_seed = system.seed if seed is None else seed
    Noise(used_seed, "")  # raises where the seed is out of range
    watch = LiveClock()
    started_ns = watch.now_ns()
    if method == "bars":
        check_resampled(data)
    real = backtest(system, data=data, engine="auto")
    if real.faults:
        raise real.faults[0].to_error()
    facts: dict[str, Any] = {"method": method, "real": real.stats, "paths": paths, "seed": used_seed}
    if method == "bars":
        length = block_rows_of(data) if block_rows is None else block_rows
        job = PathJob(system, length, used_seed)
        worth = workers_worth(workers, seconds=real.seconds * paths)
        facts |= {"block_rows": length, "bands": None, "real_equity": None} | _over_bars(
            job, data, paths, worth, progress
        )
    else:
        facts |= {"block_rows": None} | _over_trades(real, method, paths, used_seed, workers)
    return MonteCarloResult(**facts, seconds=(watch.now_ns() - started_ns) / NANOSECONDS)


@dataclass(frozen=True, slots=True)
class PathRun:
    """What one path brought."""

    figures: Figures
    run_hash: str
    error: str = ""


@dataclass(frozen=True)
class PathJob:
    """Runs the system over paths by their number."""

    system: System
    block_rows: int
    seed: int

    def work(self, data: Dataset) -> Callable[[int], PathRun]:
        """The run over one path."""

        def run(path: int) -> PathRun:
            made = resampled(data, block_rows=self.block_rows, seed=self.seed, path=path)
            result = backtest(self.system, data=made, engine="auto")
            if result.faults:
                return PathRun({}, result.run_hash, error_line(result.faults[0].to_error()))
            return PathRun({name: result.stats[name] for name in FIGURES}, result.run_hash)

        return run


def _over_bars(job: PathJob, data: Dataset, paths: int, workers: int | None, progress: Told | None) -> dict[str, Any]:
    runs: dict[int, PathRun] = {}
    watch = LiveClock()
    started_ns, failed = watch.now_ns(), 0
    with workforce(data, workers=workers, items_max=paths) as force:
        for done in force.map(job, range(paths)):
            run = done.value or PathRun({}, "", error_line(done.error or RuntimeError("lost")))
            runs[done.position] = run
            failed += bool(run.error)
            if progress is not None:
                seconds = (watch.now_ns() - started_ns) / NANOSECONDS
                progress(SweepProgress(len(runs), paths, failed, 0, None, None, force.engine, seconds))
    ordered = [runs[path] for path in range(paths)]
    columns: dict[str, pa.Array] = {"path": arrow(np.arange(paths, dtype=np.int64))}
    for name in FIGURES:
        values = [each.figures.get(name) for each in ordered]
        columns[name] = pa.array([None if v is None else float(v) for v in values], pa.float64())
    columns["run_hash"] = pa.array([each.run_hash or None for each in ordered], pa.string())
    columns["error"] = pa.array([each.error or None for each in ordered], pa.string())
    return {"table": pa.table(columns), "failed": failed, "workers": force.workers, "engine": force.engine}


def _over_trades(real: BacktestResult, method: Method, paths: int, seed: int, workers: int | None) -> dict[str, Any]:
    arrays = real.arrays
    start = float(arrays.curve.equity[0]) if arrays.curve.equity.size else 0.0
    if arrays.pnl_currency is None or arrays.pnl_currency != arrays.curve.currency or not start > 0:
        what = "trades without one currency that is also that of equity have no sum"
        if not arrays.pnl.size:
            what = "the run closed no position, so there are no trades to put in another order"
        raise ConfigError("CONF002", "method", what, 'Use method = "bars".', method)
    threads = (os.cpu_count() or 1) if workers is None else workers
    made = trade_paths(
        arrays.pnl,
        starting_equity=start,
        paths=paths,
        seed=seed,
        with_repetition=method == "drawn_trades",
        threads=threads,
    )
    columns = {
        "path": arrow(np.arange(paths, dtype=np.int64)),
        "total_return": arrow(made.final / start - 1),
        "final_equity": arrow(made.final),
        "max_drawdown": arrow(made.max_drawdown),
    }
    equity = np.concatenate(([start], start + np.cumsum(arrays.pnl)))
    facts = {"bands": made, "real_equity": equity, "failed": 0, "workers": threads, "engine": "threads"}
    return {"table": pa.table(columns), **facts}
