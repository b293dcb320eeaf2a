"""What is traded: one frozen value with everything that orders, margin and fees need to know."""

from typing import Final

import msgspec

from libra_ray.errors import ConfigError, quoted
from libra_ray.model.enums import InstrumentKind
from libra_ray.model.identifiers import InstrumentId, check_instrument_id
from libra_ray.model.numbers import (
    HIGH_PRECISION_MAX,
    STANDARD_PRECISION_MAX,
    Currency,
    DecimalLike,
    Money,
    Price,
    Quantity,
    Rate,
    currency,
    parse_decimal,
)
from libra_ray.model.rules.fixed_point import div_half_even

__all__ = ["STANDARD_RAW_LIMIT", "Instrument", "equity", "future", "pair", "perpetual"]

STANDARD_RAW_LIMIT: Final = 10**18
HIGH_RAW_LIMIT: Final = 10**38
UNITS_MAX_DEFAULT: Final = 10**9


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument. Raw integers are at `price_precision`, `size_precision` or the quote currency's decimals.

    Attributes:
        base: what a quantity counts, for pairs and crypto derivatives; None for equities.
        settlement: the currency that profit and fees are booked in; the base currency when `inverse`.
        multiplier: units per contract.
        min_notional_raw, max_notional_raw: limits of price x quantity x multiplier at the quote currency's decimals.
        activation_ns, expiration_ns: when trading begins and ends; None = always.
        raw_symbol: the venue's own spelling, such as CCXT's `BTC/USDT:USDT`.
    """

    id: InstrumentId
    kind: InstrumentKind
    quote: Currency
    settlement: Currency
    price_precision: int
    size_precision: int
    tick_raw: int
    step_raw: int
    base: Currency | None = None
    inverse: bool = False
    multiplier: Rate = Rate(1, 1)
    min_qty_raw: int | None = None
    max_qty_raw: int | None = None
    min_price_raw: int | None = None
    max_price_raw: int | None = None
    min_notional_raw: int | None = None
    max_notional_raw: int | None = None
    margin_init: Rate = Rate(0, 1)
    margin_maint: Rate = Rate(0, 1)
    maker_fee: Rate = Rate(0, 1)
    taker_fee: Rate = Rate(0, 1)
    activation_ns: int | None = None
    expiration_ns: int | None = None
    negative_prices: bool = False
    raw_symbol: str = ""

    @property
    def venue(self) -> str:
        """The venue: what stands after the id's last dot."""
        return self.id.rpartition(".")[2]

    @property
    def symbol(self) -> str:
        """What stands before the id's last dot."""
        return self.id.rpartition(".")[0]

    @property
    def is_high_precision(self) -> bool:
        """Whether prices or sizes carry more than 9 decimals and need 128-bit numbers."""
        return max(self.price_precision, self.size_precision) > STANDARD_PRECISION_MAX

    @property
    def largest_raw(self) -> int:
        """What no price and no quantity may exceed, raw: what decimals of 18 digits hold, in high precision of 38."""
        return (HIGH_RAW_LIMIT if self.is_high_precision else STANDARD_RAW_LIMIT) - 1

    @property
    def price_increment(self) -> Price:
        """The tick."""
        return Price(self.tick_raw, self.price_precision)

    @property
    def size_increment(self) -> Quantity:
        """The step of quantities."""
        return Quantity(self.step_raw, self.size_precision)

    def price(self, value: DecimalLike) -> Price:
        """`value` as a price at this instrument's decimals, or at its own where it has more that matter."""
        return Price(*_at_least(value, self.price_precision))

    def quantity(self, value: DecimalLike) -> Quantity:
        """`value` as a quantity at this instrument's decimals, or at its own where it has more that matter."""
        return Quantity(*_at_least(value, self.size_precision))

    def notional(self, *, px_raw: int, qty_raw: int) -> Money:
        """Price x quantity x multiplier in quote currency, half-even; inverse: over the price, in base currency."""
        if self.inverse:
            num = qty_raw * self.multiplier.num * 10 ** (self.price_precision + self.settlement.precision)
            den = px_raw * self.multiplier.den * 10**self.size_precision
            return Money(div_half_even(num, den), self.settlement)
        num = px_raw * qty_raw * self.multiplier.num
        scale = self.price_precision + self.size_precision
        return Money(div_half_even(num * 10**self.quote.precision, self.multiplier.den * 10**scale), self.quote)


def _at_least(value: DecimalLike, precision: int) -> tuple[int, int]:
    """(raw, scale) of `value` at `precision` decimals; a finer scale is kept only where digits would be lost."""
    raw, scale = parse_decimal(value)
    if scale <= precision:
        return raw * 10 ** (precision - scale), precision
    coarser, lost = divmod(raw, 10 ** (scale - precision))
    return (coarser, precision) if lost == 0 else (raw, scale)


def _make(  # one keyword per fact of the instrument
    instrument_id: str,
    kind: InstrumentKind,
    *,
    quote: str,
    tick: DecimalLike,
    step: DecimalLike,
    base: str | None = None,
    settlement: str | None = None,
    inverse: bool = False,
    multiplier: DecimalLike = 1,
    min_qty: DecimalLike | None = None,
    max_qty: DecimalLike | None = None,
    min_notional: DecimalLike | None = None,
    max_notional: DecimalLike | None = None,
    margin_init: DecimalLike = 0,
    margin_maint: DecimalLike = 0,
    maker_fee: DecimalLike = 0,
    taker_fee: DecimalLike = 0,
    activation_ns: int | None = None,
    expiration_ns: int | None = None,
    negative_prices: bool = False,
    raw_symbol: str = "",
    currencies: dict[str, int] | None = None,
) -> Instrument:
    place = f"instrument {instrument_id}"
    tick_raw, price_precision = _increment(tick, place, "tick")
    step_raw, size_precision = _increment(step, place, "step")
    quote_unit = currency(quote, currencies)
    base_unit = None if base is None else currency(base, currencies)
    if inverse and base_unit is None:
        raise ConfigError("CONF002", place, "an inverse instrument has no base currency", "Give base.")
    settle = settlement or (base if inverse else quote)
    assert settle is not None  # noqa: S101  # an inverse instrument has a base, checked above

    def quantity(value: DecimalLike | None) -> int | None:
        return None if value is None else _exact(value, size_precision, place)

    def money(value: DecimalLike | None) -> int | None:
        return None if value is None else _exact(value, quote_unit.precision, place)

    made = Instrument(
        id=check_instrument_id(instrument_id),
        kind=kind,
        quote=quote_unit,
        settlement=currency(settle, currencies),
        price_precision=price_precision,
        size_precision=size_precision,
        tick_raw=tick_raw,
        step_raw=step_raw,
        base=base_unit,
        inverse=inverse,
        multiplier=Rate.parse(multiplier),
        min_qty_raw=quantity(min_qty),
        max_qty_raw=quantity(max_qty),
        min_notional_raw=money(min_notional),
        max_notional_raw=money(max_notional),
        margin_init=Rate.parse(margin_init),
        margin_maint=Rate.parse(margin_maint),
        maker_fee=Rate.parse(maker_fee),
        taker_fee=Rate.parse(taker_fee),
        activation_ns=activation_ns,
        expiration_ns=expiration_ns,
        negative_prices=negative_prices,
        raw_symbol=raw_symbol or instrument_id.rpartition(".")[0],
    )
    _check_precision(made, place)
    return made


def pair(
    instrument_id: str, *, base: str, quote: str, tick: DecimalLike, step: DecimalLike, **more: object
) -> Instrument:
    """A spot or FX pair: buying moves quote currency out and base currency in."""
    return _make(instrument_id, InstrumentKind.PAIR, base=base, quote=quote, tick=tick, step=step, **more)  # type: ignore[arg-type]


def equity(
    instrument_id: str, *, quote: str, tick: DecimalLike = "0.01", step: DecimalLike = 1, **more: object
) -> Instrument:
    """A stock or fund, counted in shares."""
    return _make(instrument_id, InstrumentKind.EQUITY, quote=quote, tick=tick, step=step, **more)  # type: ignore[arg-type]


def future(instrument_id: str, *, quote: str, tick: DecimalLike, step: DecimalLike = 1, **more: object) -> Instrument:
    """A contract with an expiry; profit is booked in the settlement currency."""
    return _make(instrument_id, InstrumentKind.FUTURE, quote=quote, tick=tick, step=step, **more)  # type: ignore[arg-type]


def perpetual(instrument_id: str, *, quote: str, tick: DecimalLike, step: DecimalLike, **more: object) -> Instrument:
    """A contract without expiry, linear or (`inverse=True`, with `base`) settled in its base currency."""
    return _make(instrument_id, InstrumentKind.PERPETUAL, quote=quote, tick=tick, step=step, **more)  # type: ignore[arg-type]


def _exact(value: DecimalLike, precision: int, place: str) -> int:
    raw, scale = _at_least(value, precision)
    if scale != precision:
        what = f"{quoted(value)} has more than {precision} decimals"
        raise ConfigError("CONF002", place, what, "Correct the value.", str(value))
    return raw


def _increment(value: DecimalLike, place: str, name: str) -> tuple[int, int]:
    raw, scale = parse_decimal(value)
    if raw <= 0:
        raise ConfigError("CONF002", place, f"{name} {quoted(value)} is not positive", "Correct the value.", str(value))
    if scale > HIGH_PRECISION_MAX:
        what = f"{name} {quoted(value)} has {scale} decimals, more than {HIGH_PRECISION_MAX}"
        raise ConfigError("CONF011", place, what, "Use a coarser increment.", str(value))
    return raw, scale


def _check_precision(made: Instrument, place: str) -> None:
    """Standard precision must hold the largest price times the largest quantity's parts in 64 bits each."""
    if made.is_high_precision:
        return
    limits = {"quantity": (made.max_qty_raw, made.size_precision), "price": (made.max_price_raw, made.price_precision)}
    for name, (largest_raw, precision) in limits.items():
        largest = UNITS_MAX_DEFAULT * 10**precision if largest_raw is None else largest_raw
        if largest > STANDARD_RAW_LIMIT:
            what = f"the largest {name}, raw {largest:,} at {precision} decimals, exceeds {STANDARD_RAW_LIMIT:,}"
            raise ConfigError(
                "CONF011", place, what, "Set a smaller maximum, or use high precision: 10 decimals and more."
            )
