"""What a scenario document says, read into plain values (spec/scenarios.md)."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from libra_ray.testing.reference.exact import SECOND_NS, decimals_of, ts_ns

__all__ = [
    "CURRENCIES",
    "FeeRule",
    "Instrument",
    "Latency",
    "Limits",
    "Options",
    "instruments_of",
    "unknown_instrument",
]

CURRENCIES: Final = {"USD": 2, "EUR": 2, "GBP": 2, "AUD": 2, "USDT": 2, "JPY": 0, "BTC": 8, "ETH": 8}
ZERO: Final = Decimal(0)


def _decimal(form: dict[str, Any], key: str, default: str) -> Decimal:
    return Decimal(form.get(key, default))


def _optional(form: dict[str, Any], key: str) -> Decimal | None:
    return Decimal(form[key]) if key in form else None


@dataclass(frozen=True)
class Instrument:
    """What is traded; amounts in the units of the document."""

    id: str
    kind: str
    base: str
    quote: str
    settlement: str
    inverse: bool
    multiplier: Decimal
    tick: Decimal
    step: Decimal
    price_decimals: int
    size_decimals: int
    min_qty: Decimal
    max_qty: Decimal | None
    min_notional: Decimal
    max_notional: Decimal | None
    margin_init: Fraction
    margin_maint: Fraction
    maker_fee: Fraction
    taker_fee: Fraction
    activation: int | None
    expiration: int | None
    rank: int

    @property
    def is_pair(self) -> bool:
        """Whether a fill moves two currencies on a CASH account."""
        return self.kind == "pair"

    def notional(self, qty: Decimal, px: Decimal) -> Fraction:
        """Orders 13: linear q * px * m in quote currency, inverse q * m / px in base currency."""
        if self.inverse:
            return Fraction(qty * self.multiplier) / Fraction(px)
        return Fraction(qty * px * self.multiplier)

    @property
    def notional_currency(self) -> str:
        """The currency of `notional`."""
        return self.base if self.inverse else self.quote


def _instrument(form: dict[str, Any], rank: int) -> Instrument:
    inverse = bool(form.get("inverse", False))
    base, quote = str(form.get("base", "")), str(form["quote"])
    return Instrument(
        id=form["id"],
        kind=form["kind"],
        base=base,
        quote=quote,
        settlement=form.get("settlement", base if inverse else quote),
        inverse=inverse,
        multiplier=_decimal(form, "multiplier", "1"),
        tick=Decimal(form["tick"]),
        step=Decimal(form["step"]),
        price_decimals=decimals_of(form["tick"]),
        size_decimals=decimals_of(form["step"]),
        min_qty=_decimal(form, "min_qty", "0"),
        max_qty=_optional(form, "max_qty"),
        min_notional=_decimal(form, "min_notional", "0"),
        max_notional=_optional(form, "max_notional"),
        margin_init=Fraction(form.get("margin_init", "0")),
        margin_maint=Fraction(form.get("margin_maint", "0")),
        maker_fee=Fraction(form.get("maker_fee", "0")),
        taker_fee=Fraction(form.get("taker_fee", "0")),
        activation=ts_ns(form["activation"]) if "activation" in form else None,
        expiration=ts_ns(form["expiration"]) if "expiration" in form else None,
        rank=rank,
    )


def instruments_of(document: dict[str, Any]) -> dict[str, Instrument]:
    """The instruments by id, in the order of the document."""
    return {form["id"]: _instrument(form, rank) for rank, form in enumerate(document["instruments"])}


def unknown_instrument(name: str) -> Instrument:
    """What an order names that is not loaded; it is denied for that."""
    return _instrument({"id": name, "kind": "equity", "quote": "USD", "tick": "1", "step": "1"}, -1)


@dataclass(frozen=True)
class Latency:
    """Matching 6, in nanoseconds."""

    insert: int
    modify: int
    cancel: int
    report: int

    @classmethod
    def read(cls, form: dict[str, str]) -> "Latency":
        """Base is part of each command's delay, not of the report's."""
        ns = {key: ts_ns(form.get(key, "0")) for key in ("base", "insert", "modify", "cancel", "report")}
        base = ns["base"]
        return cls(base + ns["insert"], base + ns["modify"], base + ns["cancel"], ns["report"])


@dataclass(frozen=True)
class FeeRule:
    """Orders 14; `model` "" is the default: the rates of the instrument."""

    model: str
    maker: Fraction
    taker: Fraction
    amount: Fraction
    once: bool
    tiers: tuple[tuple[Fraction, Fraction, Fraction], ...]
    currency: str

    @classmethod
    def read(cls, form: dict[str, Any]) -> "FeeRule":
        """From `options.fee`, which may be absent."""
        return cls(
            model=form.get("model", ""),
            maker=Fraction(form.get("maker", "0")),
            taker=Fraction(form.get("taker", "0")),
            amount=Fraction(form.get("amount", "0")),
            once=form.get("once", True),
            tiers=tuple((Fraction(a), Fraction(b), Fraction(c)) for a, b, c in form.get("tiers", [])),
            currency=form.get("currency", ""),
        )


@dataclass(frozen=True)
class Options:
    """The venue and its options, each absent one at the default of spec/matching.md."""

    book: str
    is_cash: bool
    is_hedging: bool
    base_currency: str
    leverage: Fraction
    bar_fill: str
    bar_path: str
    bar_execution: bool
    trade_execution: bool
    liquidity_consumption: bool
    reject_stop_orders: bool
    support_contingent_orders: bool
    oto_mode: str
    allow_borrowing: bool
    price_protection: int
    queue: str
    queue_power: int
    prob_fill_on_limit: Decimal
    prob_slippage: Decimal
    liquidation: bool
    liquidation_ratio: Fraction
    liquidation_fee: Fraction
    latency: Latency
    sessions: tuple[tuple[int, int], ...]
    settlement_prices: dict[str, Decimal]
    fee: FeeRule

    @classmethod
    def read(cls, venue: dict[str, Any]) -> "Options":
        """From `venue`. Only the model "leveraged" divides by the leverage."""
        form = venue.get("options", {})
        is_standard = venue.get("margin_model", "leveraged") == "standard"
        return cls(
            book=venue["book"],
            is_cash=venue["account"] == "CASH",
            is_hedging=venue["oms"] == "HEDGING",
            base_currency=venue.get("base_currency", ""),
            leverage=Fraction(1) if is_standard else Fraction(venue.get("leverage", "1")),
            bar_fill=form.get("bar_fill", "next_open"),
            bar_path=form.get("bar_path", "ohlc"),
            bar_execution=form.get("bar_execution", True),
            trade_execution=form.get("trade_execution", True),
            liquidity_consumption=form.get("liquidity_consumption", True),
            reject_stop_orders=form.get("reject_stop_orders", True),
            support_contingent_orders=form.get("support_contingent_orders", True),
            oto_mode=form.get("oto_mode", "partial"),
            allow_borrowing=form.get("allow_borrowing", False),
            price_protection=form.get("price_protection", 0),
            queue=form.get("queue", "none"),
            queue_power=form.get("queue_power", 3),
            prob_fill_on_limit=_decimal(form, "prob_fill_on_limit", "1"),
            prob_slippage=_decimal(form, "prob_slippage", "0"),
            liquidation=form.get("liquidation", True),
            liquidation_ratio=Fraction(form.get("liquidation_ratio", "1")),
            liquidation_fee=Fraction(form.get("liquidation_fee", "0")),
            latency=Latency.read(form.get("latency", {})),
            sessions=tuple((ts_ns(start), ts_ns(end)) for start, end in form.get("sessions", [])),
            settlement_prices={key: Decimal(price) for key, price in form.get("settlement_prices", {}).items()},
            fee=FeeRule.read(form.get("fee", {})),
        )


PerInstrument = dict[str, Decimal] | Decimal | None


def _per_instrument(value: dict[str, str] | str | None) -> PerInstrument:
    if isinstance(value, dict):
        return {key: Decimal(amount) for key, amount in value.items()}
    return None if value is None else Decimal(value)


def _rate(value: str) -> tuple[int, int]:
    limit, _, interval = value.partition("/")
    return int(limit), int(interval.removesuffix("s")) * SECOND_NS


@dataclass(frozen=True)
class Limits:
    """The settings of the risk engine (orders 15)."""

    order_rate: tuple[int, int]
    modify_rate: tuple[int, int]
    max_notional_per_order: PerInstrument
    max_position: PerInstrument
    max_exposure: dict[str, Decimal]
    max_open_orders: int | None
    price_collar_bps: Decimal | None
    stp: str
    max_daily_loss: Decimal | None
    max_drawdown: Decimal | None
    on_breach: str
    trading_state: str

    @classmethod
    def read(cls, form: dict[str, Any]) -> "Limits":
        """From `risk`, which may be absent."""
        return cls(
            order_rate=_rate(form.get("max_order_rate", "100/1s")),
            modify_rate=_rate(form.get("max_modify_rate", "100/1s")),
            max_notional_per_order=_per_instrument(form.get("max_notional_per_order")),
            max_position=_per_instrument(form.get("max_position")),
            max_exposure={code: Decimal(amount) for code, amount in form.get("max_exposure", {}).items()},
            max_open_orders=form.get("max_open_orders"),
            price_collar_bps=_optional(form, "price_collar_bps"),
            stp=form.get("stp", "none"),
            max_daily_loss=_optional(form, "max_daily_loss"),
            max_drawdown=_optional(form, "max_drawdown"),
            on_breach=form.get("on_breach", "REDUCING"),
            trading_state=form.get("trading_state", "ACTIVE"),
        )

    @staticmethod
    def of(limit: PerInstrument, instrument_id: str) -> Decimal | None:
        """The amount that holds for one instrument."""
        return limit.get(instrument_id) if isinstance(limit, dict) else limit
