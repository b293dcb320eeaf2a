"""What a backtest gives back: figures, tables, the run hash, a report."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from libra_ray.analysis import ReportInput, RunArrays, statistics_from_arrays, write_report
from libra_ray.data import Dataset, Stream
from libra_ray.kernel import TradingKernel
from libra_ray.messages.events import OrderFilled
from libra_ray.messages.schemas import BARS
from libra_ray.runtime import Fault
from libra_ray.simulation.figures import run_arrays
from libra_ray.simulation.run_hash import run_hash
from libra_ray.simulation.system import System
from libra_ray.simulation.tables import accounts_table, equity_table, fills_table, orders_table, positions_table

if TYPE_CHECKING:
    from libra_ray.simulation.lockstep.exchange import HostReport

__all__ = ["BacktestResult"]


class BacktestResult:
    """A finished run. Tables and figures are made when they are first asked for, and kept.

    Attributes:
        system, data: what was run.
        seconds: how long the replay took, without loading and results.
        faults: what actors raised; a run with any has failed, and these are its results so far.
        engine: what ran it: `event`, `lockstep`, `compiled core` (all of it machine code) or `compiled bridge`
            (handlers compiled, the rest as in `event`); `why_not_core`: what kept a compiled run out of the core.
        lockstep: what each host of a run in lockstep has said; empty for a run in one process.
    """

    def __init__(
        self,
        system: System,
        data: Dataset,
        kernel: TradingKernel,
        seconds: float,
        *,
        lockstep: Mapping[str, "HostReport"] | None = None,
    ) -> None:
        self.system = system
        self.data = data
        self.lockstep = dict(lockstep or {})
        self.seconds = seconds
        self.faults: list[Fault] = list(kernel.host.faults)
        self.engine: str = "event" if lockstep is None else "lockstep"
        self.why_not_core = ""
        self._kernel = kernel

    def __repr__(self) -> str:
        return f"BacktestResult({self.system.name!r}, run_hash={self.run_hash!r}, {self.counts})"

    @cached_property
    def run_hash(self) -> str:
        """Hex BLAKE2b-128 of all that happened: equal runs have equal hashes."""
        return run_hash(self._kernel.record, self._kernel.portfolio)

    @cached_property
    def orders(self) -> pa.Table:
        """One row per order."""
        return orders_table(self._kernel.record)

    @cached_property
    def fills(self) -> pa.Table:
        """One row per fill."""
        return fills_table(self._kernel.record)

    @cached_property
    def positions(self) -> pa.Table:
        """One row per life of a position."""
        return positions_table(self._kernel.portfolio)

    @cached_property
    def equity(self) -> pa.Table:
        """Balance and equity over time."""
        return equity_table(self._kernel.record, self._kernel.portfolio)

    @cached_property
    def accounts(self) -> pa.Table:
        """One row per booking."""
        return accounts_table(self._kernel.record)

    @cached_property
    def arrays(self) -> RunArrays:
        """Equity, results of trades and counts as arrays: what figures are made of, here and where runs are joined."""
        return run_arrays(self._kernel.record, self._kernel.portfolio)

    @cached_property
    def stats(self) -> dict[str, float | int | str | None]:
        """The figures of `libra_ray.analysis`; one that is not defined for this run is None."""
        return statistics_from_arrays(self.arrays)

    @property
    def counts(self) -> dict[str, int]:
        """Orders, fills, position lives, denied and rejected orders."""
        orders = self._kernel.record.orders
        portfolio = self._kernel.portfolio
        return {
            "orders": len(orders),
            "fills": sum(type(event) is OrderFilled for event in self._kernel.record.events),
            "positions": len(portfolio.closed) + len(portfolio.open),
            "denied": sum(order.status == "DENIED" for order in orders),
            "rejected": sum(order.status == "REJECTED" for order in orders),
        }

    @property
    def denied(self) -> dict[str, int]:
        """How many orders were denied, by code."""
        return dict(self._kernel.denied())

    def report(self, path: str | Path, *, run_id: str = "") -> Path:
        """Write a self-contained HTML report; returns its path."""
        return write_report(path, self.report_input(run_id))

    def plot(self) -> Any:  # noqa: ANN401 - what the notebook shows
        """The report for a notebook: an object that shows itself as HTML."""
        from libra_ray.simulation.notebook import NotebookReport  # only notebooks need it

        return NotebookReport(self)

    def report_input(self, run_id: str = "") -> ReportInput:
        """What the report is made of."""
        bars = next((stream for stream in self.data.streams if stream.schema is BARS), None)
        return ReportInput(
            name=self.system.name,
            run_id=run_id or self.system.name,
            run_hash=self.run_hash,
            seed=self.system.seed,
            started_ns=self.data.start_ns,
            ended_ns=self.data.end_ns,
            settings=self._settings(),
            stats=self.stats,
            orders=self.orders,
            fills=self.fills,
            positions=self.positions,
            equity=self.equity,
            bars=None if bars is None else _bars_of(bars),
            instrument_id="" if bars is None else bars.instrument.id,
            faults=[str(fault.to_error()) for fault in self.faults],
        )

    def _settings(self) -> dict[str, str]:
        shown: dict[str, str] = {}
        for venue in self.system.venues:
            shown[f"venue {venue.name}"] = (
                f"{venue.account} account, {venue.book} book, bar orders fill at "
                f"{'the next open' if venue.bar_fill == 'next_open' else 'the same close'}, bar path {venue.bar_path}"
            )
        for entry in self.system.actors:
            settings = entry.config.model_dump(exclude_defaults=True)
            shown[entry.actor_id] = ", ".join(f"{key} = {value}" for key, value in settings.items())
        return shown


def _bars_of(stream: Stream) -> pa.Table:
    return stream.table.select(["ts_event_ns", "open", "high", "low", "close", "volume"])
