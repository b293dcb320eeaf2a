"""The closed sets of the trading vocabulary, spelled as FIX and CCXT spell them."""

from enum import IntEnum, StrEnum

__all__ = [
    "AccountType",
    "AggressorSide",
    "ContingencyType",
    "InstrumentKind",
    "InstrumentStatus",
    "LiquiditySide",
    "OmsType",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "PositionSide",
    "TimeInForce",
    "TradingState",
    "TrailingOffsetType",
    "TriggerType",
]


class OrderSide(StrEnum):
    """The direction of an order; quantities are always positive."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """What an order does at the venue."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    MARKET_TO_LIMIT = "MARKET_TO_LIMIT"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"


class TimeInForce(StrEnum):
    """How long an order works."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    DAY = "DAY"
    AT_THE_OPEN = "AT_THE_OPEN"
    AT_THE_CLOSE = "AT_THE_CLOSE"


class TriggerType(StrEnum):
    """Which price a stop or touched order looks at."""

    DEFAULT = "DEFAULT"
    BID_ASK = "BID_ASK"
    LAST_PRICE = "LAST_PRICE"
    MID_POINT = "MID_POINT"
    MARK_PRICE = "MARK_PRICE"
    DOUBLE_LAST = "DOUBLE_LAST"
    DOUBLE_BID_ASK = "DOUBLE_BID_ASK"
    INDEX_PRICE = "INDEX_PRICE"


class TrailingOffsetType(StrEnum):
    """What the offset of a trailing stop is counted in: price, ticks, or ten-thousandths of the source price."""

    PRICE = "PRICE"
    TICKS = "TICKS"
    BASIS_POINTS = "BASIS_POINTS"


class ContingencyType(StrEnum):
    """How orders depend on each other: one triggers others, one cancels the other, one updates the other."""

    OTO = "OTO"
    OCO = "OCO"
    OUO = "OUO"


class OrderStatus(StrEnum):
    """Where an order stands; the legal steps are in `libra_ray.model.order_states`."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    EMULATED = "EMULATED"
    RELEASED = "RELEASED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRIGGERED = "TRIGGERED"
    PENDING_UPDATE = "PENDING_UPDATE"
    PENDING_CANCEL = "PENDING_CANCEL"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


class PositionSide(StrEnum):
    """The direction of a position."""

    LONG = "LONG"
    SHORT = "SHORT"
    FLAT = "FLAT"


class LiquiditySide(StrEnum):
    """Whether a fill made liquidity or took it."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class AggressorSide(IntEnum):
    """Who crossed the spread in a trade; the numbers stand in the data."""

    NONE = 0
    BUYER = 1
    SELLER = 2


class InstrumentStatus(IntEnum):
    """Whether a venue trades an instrument; the numbers stand in the data."""

    PRE_OPEN = 1
    TRADING = 2
    HALTED = 3
    AUCTION = 4
    CLOSED = 5


class InstrumentKind(StrEnum):
    """What is traded."""

    PAIR = "pair"
    EQUITY = "equity"
    FUTURE = "future"
    PERPETUAL = "perpetual"


class AccountType(StrEnum):
    """Whether orders are paid in full or backed by margin."""

    CASH = "cash"
    MARGIN = "margin"


class OmsType(StrEnum):
    """One position per instrument and strategy, or as many as orders open."""

    NETTING = "netting"
    HEDGING = "hedging"


class TradingState(StrEnum):
    """What the risk engine lets through."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"
