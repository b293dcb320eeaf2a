"""What a venue and the risk engine are told: frozen settings, from Python keywords or a TOML file alike."""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from libra_ray.config import Settings
from libra_ray.config.times import TimeNs
from libra_ray.errors import ConfigError, quoted
from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Money, parse_decimal

__all__ = [
    "DecimalText",
    "FeeSettings",
    "FixedFee",
    "LatencySettings",
    "LimitSettings",
    "MakerTaker",
    "PerContractFee",
    "RateLimit",
    "RiskSettings",
    "TieredFee",
    "VenueSettings",
    "parse_rate",
    "seconds_ns",
]

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


def _within(value: str, *, least: int, beyond: bool = False, most: int | None = None) -> str:
    number = Fraction(value)
    if number < least or (beyond and number == least) or (most is not None and number > most):
        wanted = f"between {least} and {most}" if most is not None else f"{'above' if beyond else 'at least'} {least}"
        raise ConfigError("CONF002", None, f"{quoted(value)} is out of range", f"Give a number {wanted}.", value)
    return value


PositiveDecimal = Annotated[DecimalText, AfterValidator(partial(_within, least=0, beyond=True))]
NonNegativeDecimal = Annotated[DecimalText, AfterValidator(partial(_within, least=0))]
Probability = Annotated[DecimalText, AfterValidator(partial(_within, least=0, most=1))]


class MakerTaker(Settings):
    """Fee rates on the notional; negative is a rebate.

    Attributes:
        currency: what fees are paid in: `quote`, `base`, or the code of a third currency at its rate; None = the
            instrument's own: quote, or base where it is inverse. The same for the other models.
    """

    model: Literal["maker_taker"] = "maker_taker"
    maker: DecimalText = "0"
    taker: DecimalText = "0"
    currency: str | None = None

    def __init__(self, maker: str | float = "0", taker: str | float = "0", **more: Any) -> None:  # noqa: ANN401
        values: dict[str, Any] = {"maker": maker, "taker": taker, **more}
        super().__init__(**values)


class FixedFee(Settings):
    """An amount for each order, with its first fill; or, with `once` False, for each fill."""

    model: Literal["fixed"] = "fixed"
    amount: DecimalText
    once: bool = True
    currency: str | None = None


class PerContractFee(Settings):
    """An amount for each unit traded."""

    model: Literal["per_contract"] = "per_contract"
    amount: DecimalText
    currency: str | None = None


class TieredFee(Settings):
    """Rates by what the account has traded since the month began (UTC), before the fill, in quote currency.

    Attributes:
        tiers: `[volume from, maker, taker]`, volumes rising from 0.
    """

    model: Literal["tiered"] = "tiered"
    tiers: list[tuple[DecimalText, DecimalText, DecimalText]] = Field(min_length=1)
    currency: str | None = None

    @model_validator(mode="after")
    def _volumes_rise_from_zero(self) -> Self:
        volumes = [Fraction(volume) for volume, *_ in self.tiers]
        if volumes[0] != 0 or any(later <= earlier for earlier, later in pairwise(volumes)):
            fix = "Begin with 0 and let each tier begin higher."
            raise ConfigError("CONF002", None, "the volumes of the tiers do not rise from 0", fix)
        return self


def _fee_model(value: Any) -> str:  # noqa: ANN401  # a table or settings
    return str(value.get("model", "maker_taker") if isinstance(value, dict) else getattr(value, "model", "maker_taker"))


FeeSettings: TypeAlias = Annotated[
    Annotated[MakerTaker, Tag("maker_taker")]
    | Annotated[FixedFee, Tag("fixed")]
    | Annotated[PerContractFee, Tag("per_contract")]
    | Annotated[TieredFee, Tag("tiered")],
    Discriminator(_fee_model),
]
"""How fills are charged, by `model`."""


class LatencySettings(Settings):
    """Delays in seconds: a command made at t is due at the venue at t + base + that of its kind.

    Attributes:
        report: from the venue to the strategy; delays what actors hear, not what happened.
        jitter: up to so much more, uniform, from a counter-based generator keyed by seed and venue.
        table: `[time, delay]` in place of `base`, from data: the last one before t holds.
    """

    base: DecimalText = "0"
    insert: DecimalText = "0"
    modify: DecimalText = "0"
    cancel: DecimalText = "0"
    report: DecimalText = "0"
    jitter: DecimalText = "0"
    table: list[tuple[TimeNs, DecimalText]] = Field(default_factory=list)

    @field_validator("base", "insert", "modify", "cancel", "report", "jitter")
    @classmethod
    def _is_a_delay(cls, value: str) -> str:
        seconds_ns(value)
        return value

    @field_validator("table")
    @classmethod
    def _is_in_order(cls, value: list[tuple[int, str]]) -> list[tuple[int, str]]:
        for _, delay in value:
            seconds_ns(delay)
        if any(later[0] <= earlier[0] for earlier, later in pairwise(value)):
            raise ConfigError("CONF002", None, "the times of the table do not rise", "Sort them and give each once.")
        return value


@lru_cache  # every venue of every trial asks for the same few
def seconds_ns(text: str) -> int:
    """Decimal seconds as nanoseconds. Raises `ConfigError` CONF002 for a negative or a finer one."""
    nanoseconds = Fraction(text) * NS_PER_SECOND
    if nanoseconds < 0 or nanoseconds.denominator != 1:
        fix = "Write seconds with at most 9 decimals, for example 0.001."
        raise ConfigError("CONF002", None, f"{quoted(text)} is not a delay", fix, text)
    return int(nanoseconds)


class VenueSettings(Settings):
    """A simulated venue. Each default is the conservative choice.

    Attributes:
        oms: `netting` keeps one position per instrument and strategy, `hedging` one per order that names none.
        book: `L1` from quotes, trades or bars; `L2` by price and `L3` by order, from book data.
        balances: deposits such as `"100_000 USD"`; the first one's currency is what equity is reported in.
        base_currency: with it, there is one balance and every booking is converted; without, each stays in its own.
        leverage: of the account; `leverages`: of single instruments, by id.
        fees: how fills are charged; without, the instrument's own maker and taker rates hold.
        bar_fill: `next_open` executes at the next bar's open what arrives between two bars; `this_close` at the close.
        bar_path: the order in which a bar visits its high and low; `adaptive` takes the one nearer to the open first.
        bar_execution, trade_execution: whether bars and trades match orders.
        liquidity_consumption: displayed size is used once; False shows it to every order again.
        reject_stop_orders: a stop that is already hit on arrival is rejected; False executes it at once.
        support_contingent_orders: False ignores OTO, OCO and OUO links.
        oto_mode: children are released as the parent fills, or only when it is `full`.
        allow_overfills: apply a fill beyond the leaves of an order instead of refusing it.
        price_protection: market types take no price further than so many ticks from the opposite best; 0 = off.
        queue, queue_power: what is ahead of a resting order at its price: nothing, all that was there (`fifo`), or
            that with a share of cancels taken from it (`prob`, with that power).
        prob_fill_on_limit, prob_slippage: chance of a fill at touch, and of a taker to get nothing at the best price.
        fill_model: `[ticks beyond best, size]` tiers of a synthetic ladder in place of best plus one tick, the last
            without limit; or a function of (order, book) that returns such tiers.
        latency: delays of commands and reports.
        sessions: `24h`, or a calendar of [open, close] times.
        liquidation, liquidation_ratio, liquidation_fee: close everything once equity falls to maintenance margin times
            the ratio; the fee is a rate on the notional.
        margin_call_ratio: a `MarginCall` is published once equity falls to the locked margin times this.
        settlement_prices: of expiring instruments, by id; else mark, else last.
        rollover: yearly interest rates by currency; with them positions of pairs pay or earn at 17:00 New York.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9_]+$")
    account: Literal["cash", "margin"] = "margin"
    oms: Literal["netting", "hedging"] = "netting"
    book: Literal["L1", "L2", "L3"] = "L1"
    balances: list[str] = Field(min_length=1)
    base_currency: str | None = None
    currencies: dict[str, int] = Field(default_factory=dict)
    leverage: PositiveDecimal = "1"
    leverages: dict[str, PositiveDecimal] = Field(default_factory=dict)
    margin_model: Literal["leveraged", "standard"] = "leveraged"
    fees: FeeSettings | None = None
    bar_fill: Literal["next_open", "this_close"] = "next_open"
    bar_path: Literal["ohlc", "adaptive"] = "ohlc"
    bar_execution: bool = True
    trade_execution: bool = True
    liquidity_consumption: bool = True
    reject_stop_orders: bool = True
    support_contingent_orders: bool = True
    oto_mode: Literal["partial", "full"] = "partial"
    allow_borrowing: bool = False
    allow_overfills: bool = False
    price_protection: NonNegativeInt = 0
    queue: Literal["none", "fifo", "prob"] = "none"
    queue_power: Annotated[int, Field(ge=1, le=8)] = 3
    prob_fill_on_limit: Probability = "1"
    prob_slippage: Probability = "0"
    fill_model: Literal["default"] | list[tuple[NonNegativeInt, DecimalText]] | Callable[..., Any] = "default"
    latency: LatencySettings = LatencySettings()
    sessions: Literal["24h"] | list[tuple[TimeNs, TimeNs]] = "24h"
    liquidation: bool = True
    liquidation_ratio: PositiveDecimal = "1"
    liquidation_fee: NonNegativeDecimal = "0"
    margin_call_ratio: PositiveDecimal = "1"
    settlement_prices: dict[str, DecimalText] = Field(default_factory=dict)
    rollover: dict[str, DecimalText] = Field(default_factory=dict)

    @field_validator("sessions")
    @classmethod
    def _sessions_follow_each_other(cls, value: Any) -> Any:  # noqa: ANN401  # "24h" or pairs
        if value == "24h":
            return value
        edges = [edge for session in value for edge in session]
        if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
            fix = "Give [open, close] pairs in order, each open after the close before it."
            raise ConfigError("CONF002", None, "the sessions overlap, are empty or not in order", fix)
        return value

    def deposits(self) -> list[Money]:
        """The balances as money. Raises `ConfigError` CONF002."""
        return [Money.parse(text, self.currencies) for text in self.balances]


class LimitSettings(Settings):
    """Limits of one account or strategy; what is not given is not limited.

    Attributes:
        max_order_rate, max_modify_rate: such as `"100/1s"`: so many in any window of that length.
        max_notional_per_order, max_position: an amount for every instrument, or a table by instrument id.
        max_exposure: gross notional by currency.
        price_collar_bps: how far a limit price may be from the mid, in basis points.
    """

    max_order_rate: RateText | None = None
    max_modify_rate: RateText | None = None
    max_notional_per_order: DecimalText | dict[str, DecimalText] | None = None
    max_position: DecimalText | dict[str, DecimalText] | None = None
    max_exposure: dict[str, DecimalText] = Field(default_factory=dict)
    max_open_orders: PositiveInt | None = None
    price_collar_bps: DecimalText | None = None


class RiskSettings(LimitSettings):
    """What the risk engine is told; what is not given is not limited, except the rates. The tightest limit wins.

    Attributes:
        accounts: limits of single accounts, by venue; `strategies`: of single strategies, by actor id, which count
            their own orders and positions only.
        stp: what happens to an order that would match an own resting one, whichever strategy sent that.
        max_daily_loss: how far equity may fall below that of 00:00 UTC, in an account's reporting currency.
        max_drawdown: the fraction of its peak that equity may fall.
        on_breach: the state that a breach of either moves to, once, until somebody sets it back.
    """

    max_order_rate: RateText = "100/1s"
    max_modify_rate: RateText = "100/1s"
    accounts: dict[str, LimitSettings] = Field(default_factory=dict)
    strategies: dict[str, LimitSettings] = Field(default_factory=dict)
    stp: Literal["none", "cancel_newest", "cancel_oldest", "decrement"] = "none"
    max_daily_loss: PositiveDecimal | None = None
    max_drawdown: PositiveDecimal | None = None
    on_breach: Literal["REDUCING", "HALTED"] = "REDUCING"
    trading_state: TradingState = TradingState.ACTIVE
