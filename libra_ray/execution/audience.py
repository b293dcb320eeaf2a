"""Who listens to orders, positions and accounts: the topics of the execution engine, and whether anybody is there."""

from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Audience"]


class _Bus(Protocol):
    def receivers(self, topic: str) -> Sequence[object]: ...
    def on_change(self, call: Callable[[], object]) -> None: ...


class _Heard(dict[str, bool]):
    """By strategy id; who is not in here is asked about."""

    def __init__(self, ask: Callable[[str], bool]) -> None:
        self._ask = ask

    def __missing__(self, strategy_id: str) -> bool:
        heard = self[strategy_id] = self._ask(strategy_id)
        return heard


class Audience:
    """Names the topics of a strategy and an account, and asks the bus once between two changes of its table.

    Most strategies of a backtest override no hook for orders: what nobody hears is neither built nor published.

    Attributes:
        hears: by strategy id, whether anybody listens to its orders and positions, or to an account.
    """

    __slots__ = ("_account_ids", "_accounts", "_topics", "has_receivers", "hears")

    def __init__(self, bus: _Bus, account_ids: Sequence[str] = ()) -> None:
        self.has_receivers = bus.receivers
        self.hears = _Heard(self._ask)
        bus.on_change(self.hears.clear)
        self._account_ids = account_ids
        self._topics: dict[str, tuple[str, str]] = {}
        self._accounts: dict[str, str] = {}

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
        return any(self.has_receivers(topic) for topic in topics)

    def _name(self, strategy_id: str) -> tuple[str, str]:
        topics = self._topics[strategy_id] = (f"events.order.{strategy_id}", f"events.position.{strategy_id}")
        return topics
