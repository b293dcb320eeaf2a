"""How much the market trades: of trades, or of the shortest bars where a run has no trades."""

from libra_ray import ExecAlgorithm

__all__ = ["VolumeMeter"]


class VolumeMeter:
    """Counts traded volume per instrument while somebody wants it; the algorithm gives it the rows that it is given.

    It subscribes for its algorithm: to trades, or to bars of the shortest period where the run has no trades. Where it
    has neither (yet), to trades.
    """

    def __init__(self, algorithm: ExecAlgorithm) -> None:
        self._algorithm = algorithm
        self._counted: dict[str, int] = {}
        self._users: dict[str, int] = {}
        self._periods: dict[str, str | None] = {}

    def open(self, instrument_id: str) -> int:
        """Begin to count; returns the count so far, raw, to compare later ones with."""
        users = self._users[instrument_id] = self._users.get(instrument_id, 0) + 1
        if users == 1:
            rows = self._algorithm.cache.rows.of(instrument_id)
            period = next(iter(rows.bars), None) if rows.trades is None else None
            self._periods[instrument_id] = period
            if period is None:
                self._algorithm.subscribe_trades(instrument_id)
            else:
                self._algorithm.subscribe_bars(instrument_id, period)
        return self.raw(instrument_id)

    def close(self, instrument_id: str) -> None:
        """The end of one `open`; the last one ends the subscription."""
        users = self._users[instrument_id] = self._users[instrument_id] - 1
        if users:
            return
        period = self._periods.pop(instrument_id)
        if period is None:
            self._algorithm.unsubscribe_trades(instrument_id)
        else:
            self._algorithm.unsubscribe_bars(instrument_id, period)

    def add(self, instrument_id: str, quantity_raw: int) -> None:
        """A row was given to the algorithm."""
        self._counted[instrument_id] = self.raw(instrument_id) + quantity_raw

    def raw(self, instrument_id: str) -> int:
        """The count so far."""
        return self._counted.get(instrument_id, 0)
