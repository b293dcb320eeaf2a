"""What a venue and the risk engine are told: frozen settings, from Python keywords or a TOML file alike."""

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, PositiveInt

from libra_ray.config import Settings
from libra_ray.errors import ConfigError, quoted
from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Money, parse_decimal

__all__ = ["DecimalText", "MakerTaker", "RateLimit", "RiskSettings", "VenueSettings", "parse_rate"]

NS_PER_SECOND = 10**9


class RateLimit(NamedTuple):
    """At most `limit` in any window of `interval_ns`."""

    limit: int
    interval_ns: int


def parse_rate(text: str) -> RateLimit:
    """From `"100/1s"`. Raises `ConfigError` CONF002."""
    count, slash, seconds = text.partition("/")
    valid = slash and count.isascii() and count.isdigit() and seconds.endswith("s")
    if valid and seconds[:-1].isascii() and seconds[:-1].isdigit() and int(count) > 0 and int(seconds[:-1]) > 0:
        return RateLimit(int(count), int(seconds[:-1]) * NS_PER_SECOND)
    raise ConfigError("CONF002", None, f"{quoted(text)} is not a rate", 'Write for example "100/1s".', text)


def _decimal(value: Any) -> Any:  # noqa: ANN401  # whatever the file holds
    """Numbers are kept as their decimal text; what is no decimal is refused with the fix."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        parse_decimal(value)
        return str(value) if not isinstance(value, float) else repr(value)
    return value


def _rate(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        parse_rate(value)
    return value


DecimalText = Annotated[str, BeforeValidator(_decimal)]
"""A decimal, written as text or number, kept as exact text."""
RateText = Annotated[str, BeforeValidator(_rate)]


class MakerTaker(Settings):
    """Fee rates on the notional; negative is a rebate."""

    maker: DecimalText = "0"
    taker: DecimalText = "0"

    def __init__(self, maker: str | float = "0", taker: str | float = "0", **unknown: Any) -> None:  # noqa: ANN401
        values: dict[str, Any] = {"maker": maker, "taker": taker, **unknown}
        super().__init__(**values)


class VenueSettings(Settings):
    """A simulated venue. Each default is the conservative choice.

    Attributes:
        balances: deposits such as `"100_000 USD"`; the first one's currency is what equity is reported in.
        base_currency: with it, there is one balance and every booking is converted; without, each stays in its own.
        fees: maker and taker rates; without them the instrument's own hold.
        bar_fill: `next_open` executes at the next bar's open what arrives between two bars; `this_close` at the close.
        bar_path: the order in which a bar visits its high and low; `adaptive` takes the one nearer to the open first.
        liquidity_consumption: displayed size is used once; False shows it to every order again.
        reject_stop_orders: a stop that is already hit on arrival is rejected; False executes it at once.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_]+$")
    account: Literal["cash", "margin"] = "margin"
    oms: Literal["netting"] = "netting"
    book: Literal["L1"] = "L1"
    balances: list[str] = Field(min_length=1)
    base_currency: str | None = None
    currencies: dict[str, int] = Field(default_factory=dict)
    leverage: DecimalText = "1"
    margin_model: Literal["leveraged", "standard"] = "leveraged"
    fees: MakerTaker | None = None
    bar_fill: Literal["next_open", "this_close"] = "next_open"
    bar_path: Literal["ohlc", "adaptive"] = "ohlc"
    bar_execution: bool = True
    trade_execution: bool = True
    liquidity_consumption: bool = True
    reject_stop_orders: bool = True
    allow_borrowing: bool = False

    def deposits(self) -> list[Money]:
        """The balances as money. Raises `ConfigError` CONF002."""
        return [Money.parse(text, self.currencies) for text in self.balances]


class RiskSettings(Settings):
    """Limits of the risk engine; what is not given is not limited, except the rates.

    Attributes:
        max_notional_per_order, max_position: an amount for every instrument, or a table by instrument id.
        max_exposure: gross notional by currency.
        price_collar_bps: how far a limit price may be from the mid, in basis points.
    """

    max_order_rate: RateText = "100/1s"
    max_modify_rate: RateText = "100/1s"
    max_notional_per_order: DecimalText | dict[str, DecimalText] | None = None
    max_position: DecimalText | dict[str, DecimalText] | None = None
    max_exposure: dict[str, DecimalText] = Field(default_factory=dict)
    max_open_orders: PositiveInt | None = None
    price_collar_bps: DecimalText | None = None
    trading_state: TradingState = TradingState.ACTIVE
