"""The result of a compiled run: figures and hash from its arrays, events and tables made when somebody asks."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from libra_ray.analysis import RunArrays
from libra_ray.data import Dataset
from libra_ray.kernel import TradingKernel
from libra_ray.kernel.settings import parse_rate
from libra_ray.matching.core.layout import (
    CODE,
    DENIED,
    EVENTS,
    FILL,
    KIND,
    OPENED,
    ORDERS,
    REJECTED,
    STATUS,
    Ledger,
)
from libra_ray.simulation.compiled.figures import figures
from libra_ray.simulation.compiled.hashing import hash_of
from libra_ray.simulation.compiled.retelling import CODES, retell
from libra_ray.simulation.result import BacktestResult
from libra_ray.simulation.system import System

if TYPE_CHECKING:
    from libra_ray.execution import RunRecord

__all__ = ["CoreResult"]


class CoreResult(BacktestResult):
    """A finished run of the core. `ledger` has all that happened, one row of integers each."""

    def __init__(self, system: System, data: Dataset, kernel: TradingKernel, seconds: float, *, ledger: Ledger) -> None:
        super().__init__(system, data, kernel, seconds)
        self.ledger = ledger
        self.engine = "compiled core"
        self._is_told = False

    def _tell(self) -> "RunRecord":
        """Events, orders, positions and money as the event engine leaves them, made once."""
        if not self._is_told:
            retell(self._kernel, self.ledger, self._instrument_id, self._rate)
            self._is_told = True
        return self._kernel.record

    @property
    def _rate(self) -> tuple[int, int]:
        return parse_rate(self.system.risk_settings.max_order_rate)

    @property
    def _instrument_id(self) -> str:
        return next(stream.instrument.id for stream in self.data.streams if stream.rows)

    @cached_property
    def run_hash(self) -> str:
        """Hex BLAKE2b-128 of all that happened: equal runs have equal hashes."""
        return hash_of(self._kernel, self.ledger, self._instrument_id, self._rate)

    @cached_property
    def orders(self) -> pa.Table:
        """One row per order."""
        self._tell()
        return super().orders

    @cached_property
    def fills(self) -> pa.Table:
        """One row per fill."""
        self._tell()
        return super().fills

    @cached_property
    def positions(self) -> pa.Table:
        """One row per life of a position."""
        self._tell()
        return super().positions

    @cached_property
    def equity(self) -> pa.Table:
        """Balance and equity over time."""
        self._tell()
        return super().equity

    @cached_property
    def accounts(self) -> pa.Table:
        """One row per booking."""
        self._tell()
        return super().accounts

    @cached_property
    def arrays(self) -> RunArrays:
        """Equity, results of trades and counts as arrays."""
        return figures(self.ledger, self._kernel, self._instrument_id)

    @property
    def counts(self) -> dict[str, int]:
        """Orders, fills, position lives, denied and rejected orders."""
        ledger = self.ledger
        events = ledger.events[: ledger.now[EVENTS], KIND]
        status = self._status
        return {
            "orders": len(status),
            "fills": int(np.count_nonzero(events == FILL)),
            "positions": int(np.count_nonzero(events == OPENED)),
            "denied": int(np.count_nonzero(status == DENIED)),
            "rejected": int(np.count_nonzero(status == REJECTED)),
        }

    @property
    def denied(self) -> dict[str, int]:
        """How many orders were denied, by code."""
        codes = self.ledger.orders[: len(self._status), CODE][self._status == DENIED]
        return {CODES[code]: codes.tolist().count(code) for code in dict.fromkeys(codes.tolist())}

    @property
    def _status(self) -> np.ndarray:
        return self.ledger.orders[: self.ledger.now[ORDERS], STATUS]
