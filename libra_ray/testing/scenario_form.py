"""The form of a conformance scenario: what a file may say, and which of it this build can do.

Numbers are decimal text, times seconds since 2024-01-02T00:00:00Z. Unknown keys are refused, so that a misspelt
expectation cannot pass unseen.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from libra_ray.config import Settings, build_settings
from libra_ray.testing.scenario_expectation import Event, ExpectForm, Label, Num, Ts

__all__ = [
    "EPOCH_NS",
    "SCENARIO_FEATURES",
    "TAGS",
    "ActionBlock",
    "InstrumentForm",
    "ScenarioForm",
    "VenueForm",
    "read_form",
    "ts_ns",
]

EPOCH_NS: Final = 1_704_153_600 * 10**9
TS_DECIMALS: Final = 9

TAGS: Final = (
    "market", "limit", "stop_market", "stop_limit", "market_to_limit", "market_if_touched", "limit_if_touched",
    "trailing_stop_market", "trailing_stop_limit", "ioc", "fok", "gtd", "day", "auction", "post_only",
    "reduce_only", "quote_qty", "iceberg", "modify", "oto", "oco", "ouo", "bracket", "emulator", "twap", "vwap",
    "iceberg_algo", "pov", "l1", "l2", "l3", "bars", "trades", "this_close", "adaptive", "queue", "latency",
    "slippage", "protection", "fees_fixed", "fees_per_contract", "fees_tiered", "fees_third_currency", "cash",
    "margin", "conversion", "inverse", "netting", "hedging", "flip", "liquidation", "funding", "expiry", "risk",
    "rate", "collar", "stp", "breach", "trading_state", "timers", "aggregation", "high_precision",
)  # fmt: skip
"""Everything that a scenario may need."""

SCENARIO_FEATURES: Final = frozenset(TAGS)
"""Tags of `needs` that this build fulfils: all."""

PerInstrument = Num | dict[str, Num]


class LatencyForm(Settings):
    """Seconds of delay."""

    base: Ts | None = None
    insert: Ts | None = None
    modify: Ts | None = None
    cancel: Ts | None = None
    report: Ts | None = None


class FeeForm(Settings):
    """A fee model of the venue."""

    model: Literal["maker_taker", "fixed", "per_contract", "tiered"]
    maker: Num | None = None
    taker: Num | None = None
    amount: Num | None = None
    once: bool | None = None
    tiers: list[Annotated[list[Num], Field(min_length=3, max_length=3)]] | None = None
    currency: str | None = None


class OptionsForm(Settings):
    """Options of the venue; None is its default."""

    bar_fill: Literal["next_open", "this_close"] | None = None
    bar_path: Literal["ohlc", "adaptive"] | None = None
    bar_execution: bool | None = None
    trade_execution: bool | None = None
    liquidity_consumption: bool | None = None
    reject_stop_orders: bool | None = None
    support_contingent_orders: bool | None = None
    oto_mode: Literal["partial", "full"] | None = None
    allow_borrowing: bool | None = None
    price_protection: Annotated[int, Field(ge=0)] | None = None
    queue: Literal["none", "fifo", "prob"] | None = None
    queue_power: Annotated[int, Field(ge=1)] | None = None
    prob_fill_on_limit: Num | None = None
    prob_slippage: Num | None = None
    liquidation: bool | None = None
    liquidation_ratio: Num | None = None
    liquidation_fee: Num | None = None
    latency: LatencyForm | None = None
    sessions: list[Annotated[list[Ts], Field(min_length=2, max_length=2)]] | None = None
    settlement_prices: dict[str, Num] | None = None
    fee: FeeForm | None = None


class VenueForm(Settings):
    """The venue and its account."""

    book: Literal["L1", "L2", "L3"]
    account: Literal["MARGIN", "CASH"]
    oms: Literal["NETTING", "HEDGING"]
    balances: Annotated[dict[str, Num], Field(min_length=1)]
    name: str = "SIM"
    base_currency: str | None = None
    leverage: Num | None = None
    margin_model: Literal["leveraged", "standard"] | None = None
    options: OptionsForm = OptionsForm()


class RiskForm(Settings):
    """Limits of the risk engine; None is its default."""

    max_order_rate: Annotated[str, Field(pattern=r"^[0-9]+/[0-9]+s$")] | None = None
    max_modify_rate: Annotated[str, Field(pattern=r"^[0-9]+/[0-9]+s$")] | None = None
    max_notional_per_order: PerInstrument | None = None
    max_position: PerInstrument | None = None
    max_exposure: dict[str, Num] | None = None
    max_open_orders: int | None = None
    price_collar_bps: Num | None = None
    stp: Literal["none", "cancel_newest", "cancel_oldest", "decrement"] | None = None
    max_daily_loss: Num | None = None
    max_drawdown: Num | None = None
    on_breach: Literal["REDUCING", "HALTED"] | None = None
    trading_state: Literal["ACTIVE", "REDUCING", "HALTED"] | None = None


class InstrumentForm(Settings):
    """One instrument."""

    id: str
    kind: Literal["pair", "equity", "future", "perpetual"]
    quote: str
    tick: Num
    step: Num
    base: str | None = None
    settlement: str | None = None
    inverse: bool = False
    multiplier: Num = "1"
    min_qty: Num | None = None
    max_qty: Num | None = None
    min_notional: Num | None = None
    max_notional: Num | None = None
    margin_init: Num = "0"
    margin_maint: Num = "0"
    maker_fee: Num = "0"
    taker_fee: Num = "0"
    activation: Ts | None = None
    expiration: Ts | None = None


class BarsForm(Settings):
    """Bars for the data engine to build."""

    name: str
    instrument: str
    aggregation: Literal["SECOND", "MINUTE", "TICK", "VOLUME", "VALUE"]
    step: Num
    source: Literal["BID", "ASK", "MID", "LAST"]


class AlgoForm(Settings):
    """The execution algorithm of an order."""

    id: Literal["TWAP", "VWAP", "ICEBERG", "POV"]
    horizon_secs: Num | None = None
    interval_secs: Num | None = None
    profile: list[Num] | None = None
    max_participation: Num | None = None
    display_qty: Num | None = None
    rate: Num | None = None


class OrderForm(Settings):
    """An order as a script gives it."""

    order: Label
    type: Literal[
        "MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_TO_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED",
        "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT",
    ]  # fmt: skip
    side: Literal["BUY", "SELL"]
    qty: Num
    instrument: str | None = None
    price: Num | None = None
    trigger: Num | None = None
    trigger_type: str = "DEFAULT"
    tif: Literal["GTC", "IOC", "FOK", "GTD", "DAY", "AT_THE_OPEN", "AT_THE_CLOSE"] = "GTC"
    expire: Ts | None = None
    post_only: bool = False
    reduce_only: bool = False
    display: Num | None = None
    quote_qty: bool = False
    offset: Num | None = None
    offset_type: Literal["PRICE", "TICKS", "BASIS_POINTS"] | None = None
    limit_offset: Num | None = None
    activation: Num | None = None
    emulate: Literal["BID_ASK", "LAST_PRICE", "MARK_PRICE"] | None = None
    algo: AlgoForm | None = None
    position: Label | None = None
    contingency: Literal["OTO", "OCO", "OUO"] | None = None
    parent: Label | None = None
    linked: list[Label] | None = None


class SubmitOp(OrderForm):
    """Send an order."""

    op: Literal["submit"]


class SubmitListOp(Settings):
    """Send a list of orders."""

    op: Literal["submit_list"]
    orders: Annotated[list[OrderForm], Field(min_length=1)]


class BracketOp(Settings):
    """Send an entry with its stop-loss and take-profit."""

    op: Literal["bracket"]
    order: Label
    side: Literal["BUY", "SELL"]
    qty: Num
    sl: Num
    tp: Num
    instrument: str | None = None
    type: str | None = None
    price: Num | None = None
    trigger: Num | None = None
    post_only: bool = False


class ModifyOp(Settings):
    """Change an order."""

    op: Literal["modify"]
    order: Label
    qty: Num | None = None
    price: Num | None = None
    trigger: Num | None = None


class CancelOp(Settings):
    """Cancel an order."""

    op: Literal["cancel"]
    order: Label


class CancelAllOp(Settings):
    """Cancel all orders, of one instrument or of all."""

    op: Literal["cancel_all"]
    instrument: str | None = None


class CloseOp(Settings):
    """Close the net position; `order` is the label of the order that does it."""

    op: Literal["close"]
    order: Label
    instrument: str | None = None
    position: Label | None = None


class TradingStateOp(Settings):
    """Set what the risk engine lets through."""

    op: Literal["trading_state"]
    state: Literal["ACTIVE", "REDUCING", "HALTED"]


class AlertOp(Settings):
    """Set an alert, with operations of its own."""

    op: Literal["alert"]
    name: str
    ts: Ts
    do: "list[Operation]" = Field(default_factory=list)


class TimerOp(Settings):
    """Set a timer; it fires first one interval from now."""

    op: Literal["timer"]
    name: str
    interval: Ts


Operation = (
    SubmitOp
    | SubmitListOp
    | BracketOp
    | ModifyOp
    | CancelOp
    | CancelAllOp
    | CloseOp
    | TradingStateOp
    | AlertOp
    | TimerOp
)


class ActionBlock(Settings):
    """When, by exactly one key, and what."""

    do: Annotated[list[Operation], Field(min_length=1)]
    start: Literal[True] | None = None
    at: Annotated[int, Field(ge=0)] | None = None
    time: Ts | None = None
    on: tuple[Label, Event] | tuple[Label, Event, int] | None = None


Inst = str | None
Row = (
    tuple[Literal["quote"], Ts, Inst, Num, Num, Num, Num]
    | tuple[Literal["trade"], Ts, Inst, Num, Num, Literal["BUYER", "SELLER", "NONE"]]
    | tuple[Literal["bar"], Ts, Inst, Num, Num, Num, Num, Num]
    | tuple[
        Literal["delta"], Ts, Inst, Literal["ADD", "UPDATE", "DELETE", "CLEAR"], Literal["BID", "ASK"], Num, Num, str
    ]
    | tuple[Literal["mark", "funding"], Ts, Inst, Num]
)


class ScenarioForm(Settings):
    """One scenario file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    why: Annotated[str, Field(min_length=10)]
    needs: Annotated[list[Literal[tuple(sorted(TAGS))]], Field(min_length=1)]  # type: ignore[valid-type]  # one list of tags
    venue: VenueForm
    instruments: Annotated[list[InstrumentForm], Field(min_length=1)]
    data: Annotated[list[Row], Field(min_length=1)]
    actions: list[ActionBlock]
    expect: ExpectForm
    seed: int = 0
    currencies: dict[str, Annotated[int, Field(ge=0, le=18)]] = Field(default_factory=dict)
    risk: RiskForm = RiskForm()
    bars: list[BarsForm] = Field(default_factory=list)


def read_form(document: dict[str, Any], *, place: str = "") -> ScenarioForm:
    """A parsed file as a scenario. Raises `ConfigError` for anything that the form does not allow."""
    return build_settings(ScenarioForm, document, place=place)


def ts_ns(text: str) -> int:
    """Seconds since the scenarios' epoch as nanoseconds UTC."""
    whole, _, fraction = text.partition(".")
    return EPOCH_NS + int(whole) * 10**9 + int(fraction.ljust(TS_DECIMALS, "0") or "0")
