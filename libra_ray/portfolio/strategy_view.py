"""The portfolio as one strategy has it: its own positions, the accounts they are booked on."""

from libra_ray.model.enums import OrderType
from libra_ray.model.numbers import Money
from libra_ray.model.positions import Position
from libra_ray.portfolio.portfolio import Portfolio

__all__ = ["StrategyPortfolio"]


class StrategyPortfolio:
    """Read-only. In a backtest it stands exactly at the message being handled."""

    def __init__(self, portfolio: Portfolio, strategy_id: str) -> None:
        self._portfolio = portfolio
        self._strategy_id = strategy_id

    def position(self, instrument_id: str) -> Position | None:
        """The open position of this strategy, None when flat; under hedging the earliest of several."""
        return self._portfolio.position(instrument_id, self._strategy_id)

    def positions(self) -> list[Position]:
        """All open positions of this strategy, in order of opening."""
        return [p for p in self._portfolio.open.values() if p.strategy_id == self._strategy_id]

    def net_qty_raw(self, instrument_id: str) -> int:
        """Signed quantity, raw; long is positive."""
        portfolio = self._portfolio
        position = portfolio.open.get(portfolio.netting_ids[instrument_id, self._strategy_id])
        if position is not None:
            return position.quantity_raw
        return (
            sum(p.quantity_raw for p in self.positions() if p.instrument_id == instrument_id) if portfolio.open else 0
        )

    def is_flat(self, instrument_id: str) -> bool:
        """Whether this strategy holds nothing of it."""
        return self._portfolio.position(instrument_id, self._strategy_id) is None

    def by_id(self, position_id: str) -> Position | None:
        """The open position of that id, None when it is closed or another strategy's."""
        position = self._portfolio.open.get(position_id)
        return position if position is not None and position.strategy_id == self._strategy_id else None

    def in_flight_raw(self, instrument_id: str) -> int:
        """Signed leaves of this strategy's market orders that have not executed yet, raw."""
        cache = self._portfolio.cache
        signed = 0
        for order in cache.new.values():
            if self._counts(order.instrument_id, order.strategy_id, order.type, instrument_id):
                signed += order.leaves_raw if order.is_buy else -order.leaves_raw
        for order in cache.working.values():
            if self._counts(order.instrument_id, order.strategy_id, order.type, instrument_id):
                signed += order.leaves_raw if order.is_buy else -order.leaves_raw
        return signed

    def _counts(self, its_instrument: str, its_strategy: str, kind: OrderType, instrument_id: str) -> bool:
        return kind is OrderType.MARKET and its_instrument == instrument_id and its_strategy == self._strategy_id

    def unrealized_pnl(self, instrument_id: str) -> Money | None:
        """Open profit of this strategy's position at the market; None when flat."""
        position = self.position(instrument_id)
        return None if position is None else Money(self._portfolio.unrealized_raw(position), position.currency)

    def balance(self, venue: str, code: str) -> Money:
        """The balance of a currency at a venue. Raises `KeyError` where there never was any."""
        return self._portfolio.accounts[venue].total(code)

    def equity(self, venue: str) -> Money:
        """Balances plus open profit of the whole account, in its reporting currency."""
        account = self._portfolio.accounts[venue]
        return Money(self._portfolio.equity_raw(venue), account.reporting)
