"""Questions to the kernel from outside a strategy, and the answers: values, copied at the moment of asking."""

import msgspec

__all__ = [
    "AccountAnswer",
    "AskAccount",
    "AskOrders",
    "AskPositions",
    "AskStreams",
    "OrderAnswer",
    "PositionAnswer",
    "StreamsAnswer",
]


class AskOrders(msgspec.Struct, frozen=True):
    """To `Cache.query`: orders that work now, of a strategy or of all (None)."""

    strategy_id: str | None = None


class OrderAnswer(msgspec.Struct, frozen=True):
    """One order as it stands."""

    client_order_id: str
    instrument_id: str
    side: str
    type: str
    status: str
    quantity: str
    filled_qty: str


class AskPositions(msgspec.Struct, frozen=True):
    """To `Portfolio.query`: open positions of a strategy or of all (None)."""

    strategy_id: str | None = None


class PositionAnswer(msgspec.Struct, frozen=True):
    """One open position as it stands."""

    position_id: str
    strategy_id: str
    instrument_id: str
    side: str
    quantity: str
    realized_pnl: str


class AskAccount(msgspec.Struct, frozen=True):
    """To `Portfolio.query`: the account of a venue."""

    venue: str


class AccountAnswer(msgspec.Struct, frozen=True):
    """Balances as `"99_990.00 USD"`, and equity in the reporting currency."""

    account_id: str
    balances: tuple[str, ...]
    equity: str


class AskStreams(msgspec.Struct, frozen=True):
    """To `DataEngine.request`: which market-data topics the run has."""


class StreamsAnswer(msgspec.Struct, frozen=True):
    """Topics, and how many rows of each the actors have been given so far."""

    delivered: dict[str, int]
