"""The form of a conformance scenario: what a file may say, and which of it this build can do.

Numbers are decimal text, times seconds since 2024-01-02T00:00:00Z. Unknown keys are refused, so that a misspelt
expectation cannot pass unseen.
"""

from typing import Annotated, Final, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from libra_ray.config import Settings
from libra_ray.errors import ConfigError, quoted
from libra_ray.testing.scenario_expectation import ExpectForm
from libra_ray.testing.scenario_values import Event, Flag, Label, Num, Ts, Whole, first_value, length, operation_name

__all__ = [
    "INSTRUMENT_AT",
    "SCENARIO_FEATURES",
    "TAGS",
    "ActionBlock",
    "InstrumentForm",
    "ScenarioForm",
    "VenueForm",
]

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
    once: Flag | None = None
    tiers: list[Annotated[list[Num], Field(min_length=3, max_length=3)]] | None = None
    currency: str | None = None


class OptionsForm(Settings):
    """Options of the venue; None is its default."""

    bar_fill: Literal["next_open", "this_close"] | None = None
    bar_path: Literal["ohlc", "adaptive"] | None = None
    bar_execution: Flag | None = None
    trade_execution: Flag | None = None
    liquidity_consumption: Flag | None = None
    reject_stop_orders: Flag | None = None
    support_contingent_orders: Flag | None = None
    oto_mode: Literal["partial", "full"] | None = None
    allow_borrowing: Flag | None = None
    price_protection: Annotated[Whole, Field(ge=0)] | None = None
    queue: Literal["none", "fifo", "prob"] | None = None
    queue_power: Annotated[Whole, Field(ge=1)] | None = None
    prob_fill_on_limit: Num | None = None
    prob_slippage: Num | None = None
    liquidation: Flag | None = None
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
    max_open_orders: Whole | None = None
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
    inverse: Flag = False
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

    @model_validator(mode="after")
    def _has_its_base(self) -> Self:
        if self.base is None and (self.kind == "pair" or self.inverse):
            what = f"{'an inverse instrument' if self.inverse else 'a pair'} has no base currency"
            raise ConfigError("CONF002", None, what, "Give base.")
        return self


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


OrderTypeName = Literal[
    "MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_TO_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED",
    "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT",
]  # fmt: skip
TriggerTypeName = Literal[
    "DEFAULT", "BID_ASK", "LAST_PRICE", "MID_POINT", "MARK_PRICE", "DOUBLE_LAST", "DOUBLE_BID_ASK", "INDEX_PRICE"
]


class OrderForm(Settings):
    """An order as a script gives it."""

    order: Label
    type: OrderTypeName
    side: Literal["BUY", "SELL"]
    qty: Num
    instrument: str | None = None
    price: Num | None = None
    trigger: Num | None = None
    trigger_type: TriggerTypeName = "DEFAULT"
    tif: Literal["GTC", "IOC", "FOK", "GTD", "DAY", "AT_THE_OPEN", "AT_THE_CLOSE"] = "GTC"
    expire: Ts | None = None
    post_only: Flag = False
    reduce_only: Flag = False
    display: Num | None = None
    quote_qty: Flag = False
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
    op: Literal["submit"] = "submit"


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
    type: OrderTypeName | None = None
    price: Num | None = None
    trigger: Num | None = None
    post_only: Flag = False


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


Operation = Annotated[
    Annotated[SubmitOp, Tag("submit")]
    | Annotated[SubmitListOp, Tag("submit_list")]
    | Annotated[BracketOp, Tag("bracket")]
    | Annotated[ModifyOp, Tag("modify")]
    | Annotated[CancelOp, Tag("cancel")]
    | Annotated[CancelAllOp, Tag("cancel_all")]
    | Annotated[CloseOp, Tag("close")]
    | Annotated[TradingStateOp, Tag("trading_state")]
    | Annotated[AlertOp, Tag("alert")]
    | Annotated[TimerOp, Tag("timer")],
    Discriminator(operation_name),
]


OrderEventName = Annotated[
    Annotated[tuple[Label, Event], Tag("2")] | Annotated[tuple[Label, Event, Annotated[Whole, Field(ge=1)]], Tag("3")],
    Discriminator(length(2, 3)),
]
BookAction = Literal["ADD", "UPDATE", "DELETE", "CLEAR"]


class ActionBlock(Settings):
    """When, by exactly one key, and what."""

    do: Annotated[list[Operation], Field(min_length=1)]
    start: Literal[True] | None = None
    at: Annotated[Whole, Field(ge=0)] | None = None
    time: Ts | None = None
    on: OrderEventName | None = None

    @model_validator(mode="after")
    def _says_when_once(self) -> Self:
        given = [key for key in ("start", "at", "on", "time") if getattr(self, key) is not None]
        if len(given) != 1:
            what = f"{len(given)} of the keys start, at, on and time are given"
            raise ConfigError("CONF002", None, what, "Give exactly one of them.")
        return self


Inst = str | None
Row = Annotated[
    Annotated[tuple[Literal["quote"], Ts, Inst, Num, Num, Num, Num], Tag("quote")]
    | Annotated[tuple[Literal["trade"], Ts, Inst, Num, Num, Literal["BUYER", "SELLER", "NONE"]], Tag("trade")]
    | Annotated[tuple[Literal["bar"], Ts, Inst, Num, Num, Num, Num, Num], Tag("bar")]
    | Annotated[
        tuple[Literal["delta"], Ts, Inst, BookAction, Literal["BID", "ASK"], Num, Num, str],
        Tag("delta"),
    ]
    | Annotated[tuple[Literal["mark"], Ts, Inst, Num], Tag("mark")]
    | Annotated[tuple[Literal["funding"], Ts, Inst, Num], Tag("funding")],
    Discriminator(first_value),
]
INSTRUMENT_AT: Final = 2


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
    seed: Whole = 0
    currencies: dict[str, Annotated[Whole, Field(ge=0, le=18)]] = Field(default_factory=dict)
    risk: RiskForm = RiskForm()
    bars: list[BarsForm] = Field(default_factory=list)

    @field_validator("needs")
    @classmethod
    def _names_a_tag_once(cls, needs: list[str]) -> list[str]:
        for at, tag in enumerate(needs):
            if tag in needs[:at]:
                raise ConfigError("CONF002", None, f"{quoted(tag)} is given 2 times", "Remove one.", tag)
        return needs
