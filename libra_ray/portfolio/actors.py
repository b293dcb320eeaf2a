"""Cache and portfolio as parts of the kernel: actors that answer questions from outside."""

from libra_ray.messages.queries import (
    AccountAnswer,
    AskAccount,
    AskOrders,
    AskPositions,
    OrderAnswer,
    PositionAnswer,
)
from libra_ray.model.numbers import Money
from libra_ray.portfolio.cache import Cache
from libra_ray.portfolio.portfolio import Portfolio
from libra_ray.runtime import Actor

__all__ = ["CacheActor", "PortfolioActor"]


class CacheActor(Actor):
    """Endpoint `Cache.query`."""

    def wire(self, cache: Cache) -> None:
        """Give it what it answers from."""
        self._cache = cache

    def on_start(self) -> None:
        self.bus.register("Cache.query", self._answer)

    def _answer(self, request: object) -> None:
        body = getattr(request, "body", None)
        if isinstance(body, AskOrders):
            orders = self._cache.orders_open(strategy_id=body.strategy_id)
            answer = tuple(
                OrderAnswer(
                    o.client_order_id, o.instrument_id, o.side, o.type, o.status, str(o.quantity), str(o.filled_qty)
                )
                for o in orders
            )
            self.reply(request, answer)  # type: ignore[arg-type]


class PortfolioActor(Actor):
    """Endpoint `Portfolio.query`."""

    def wire(self, portfolio: Portfolio) -> None:
        """Give it what it answers from."""
        self._book = portfolio

    def on_start(self) -> None:
        self.bus.register("Portfolio.query", self._answer)

    def _answer(self, request: object) -> None:
        body = getattr(request, "body", None)
        if isinstance(body, AskPositions):
            open_now = [p for p in self._book.open.values() if body.strategy_id in (None, p.strategy_id)]
            answer = tuple(
                PositionAnswer(
                    p.position_id, p.strategy_id, p.instrument_id, p.side, str(p.quantity), str(p.realized_pnl)
                )
                for p in open_now
            )
            self.reply(request, answer)  # type: ignore[arg-type]
        elif isinstance(body, AskAccount):
            account = self._book.accounts[body.venue]
            balances = tuple(str(account.total(code)) for code in account.totals)
            equity = Money(self._book.equity_raw(body.venue), account.reporting)
            self.reply(request, AccountAnswer(account.account_id, balances, str(equity)))  # type: ignore[arg-type]
