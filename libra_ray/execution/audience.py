"""Who listens to orders, positions and accounts: the topics of the execution engine, and whether anybody is there."""

from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Audience"]


class _Table(Protocol):
    @property
    def version(self) -> int: ...


class Audience:
    """Names the topics of a strategy and an account, and asks the routing table once per version of it.

    Most strategies of a backtest override no hook for orders: what nobody hears is neither built nor published.
    """

    __slots__ = ("_account_ids", "_accounts", "_heard", "_table", "_topics", "_version", "has_receivers")

    def __init__(self, table: _Table, has_receivers: Callable[[str], object], account_ids: Sequence[str] = ()) -> None:
        self.has_receivers = has_receivers
        self._table, self._account_ids = table, account_ids
        self._heard: dict[str, bool] = {}
        self._version = -1
        self._topics: dict[str, tuple[str, str]] = {}
        self._accounts: dict[str, str] = {}

    def listens_to(self, strategy_id: str) -> bool:
        """Whether anybody listens to a strategy's orders and positions, or to an account."""
        if self._version != self._table.version:
            self._version = self._table.version
            self._heard.clear()
        heard = self._heard.get(strategy_id)
        return self._ask(strategy_id) if heard is None else heard

    def order_topic(self, strategy_id: str) -> str:
        """Where a strategy's order events go."""
        return (self._topics.get(strategy_id) or self._name(strategy_id))[0]

    def position_topic(self, strategy_id: str) -> str:
        """Where a strategy's position events go."""
        return (self._topics.get(strategy_id) or self._name(strategy_id))[1]

    def account_topic(self, account_id: str) -> str:
        """Where an account's bookings and calls go."""
        topic = self._accounts.get(account_id)
        if topic is None:
            topic = self._accounts[account_id] = f"events.account.{account_id}"
        return topic

    def _ask(self, strategy_id: str) -> bool:
        topics = (*self._name(strategy_id), *map(self.account_topic, self._account_ids))
        heard = self._heard[strategy_id] = any(self.has_receivers(topic) for topic in topics)
        return heard

    def _name(self, strategy_id: str) -> tuple[str, str]:
        topics = self._topics[strategy_id] = (f"events.order.{strategy_id}", f"events.position.{strategy_id}")
        return topics
