"""How much to trade: pure functions from equity and risk to a quantity on an instrument's step.

Every result is floored: a size is never larger than what was asked for allows, and may be 0, which no order takes. All
arithmetic is in exact fractions; numbers may be given as for orders, as text, int, Decimal, float, `Price` or `Money`.
"""

from fractions import Fraction
from typing import TypeAlias

from libra_ray.errors import StrategyError, quoted
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import DecimalLike, Money, Quantity, parse_decimal

__all__ = ["SizingError", "kelly_fraction", "size_by_fraction", "size_by_risk", "size_by_volatility"]

Number: TypeAlias = DecimalLike | Fraction | Money


class SizingError(StrategyError, ValueError):
    """A position sizer was asked for nonsense: whoever wrote the strategy acts."""


def size_by_risk(instrument: Instrument, *, equity: Number, fraction: Number, entry: Number, stop: Number) -> Quantity:
    """The quantity that loses `fraction` of `equity` between `entry` and `stop`: fixed fractional position sizing.

    `equity x fraction / (|entry - stop| x multiplier)`; of an inverse contract, whose loss is in base currency,
    `equity x fraction / (|1/entry - 1/stop| x multiplier)`. `equity` is in the instrument's settlement currency, prices
    are its own, `fraction` is above 0 and at most 1. Fees and a gap beyond the stop come on top of that loss.
    Source: R. Vince, Portfolio Management Formulas (1990), ch. 2, with the loss to the stop as the largest loss.
    Raises `SizingError`.
    """
    risked = _above_zero("equity", equity) * _share("fraction", fraction)
    first, last = _price(instrument, "entry", entry), _price(instrument, "stop", stop)
    if first == last:
        raise _error("stop", stop, "is the entry price, so nothing is at risk", "Move the stop.")
    per_unit = abs(1 / first - 1 / last) if instrument.inverse else abs(first - last)
    return _floored(instrument, risked / (per_unit * _multiplier(instrument)))


def size_by_volatility(
    instrument: Instrument, *, equity: Number, target: Number, volatility: Number, price: Number
) -> Quantity:
    """The quantity whose value moves, in one period, by `target` of `equity`: volatility targeting.

    `equity x target / (volatility x notional of one unit)`. `volatility` is the standard deviation of the instrument's
    returns and `target` that wanted of the equity's, both over the same period (both yearly, or both daily). `equity`
    is in quote currency, of an inverse contract in base currency; all four are above 0, and `target` may exceed
    `volatility`: then the position is larger than equity. Source: R. Carver, Systematic Trading (2015), ch. 9-10.
    Raises `SizingError`.
    """
    wanted = _above_zero("equity", equity) * _above_zero("target", target)
    unit = _unit_worth(instrument, _price(instrument, "price", price))
    return _floored(instrument, wanted / (_above_zero("volatility", volatility) * unit))


def size_by_fraction(instrument: Instrument, *, equity: Number, fraction: Number, price: Number) -> Quantity:
    """The quantity worth `fraction` of `equity`, such as a Kelly fraction: `equity x fraction / notional of one unit`.

    `equity` is in quote currency, of an inverse contract in base currency; `fraction` is at least 0, and above 1 takes
    leverage. Raises `SizingError`.
    """
    share = _number("fraction", fraction)
    if share < 0:
        raise _error("fraction", fraction, "is negative", "Give 0 or more; the side of the order gives the direction.")
    unit = _unit_worth(instrument, _price(instrument, "price", price))
    return _floored(instrument, _above_zero("equity", equity) * share / unit)


def kelly_fraction(*, win_rate: Number, payoff: Number, cap: Number = 1, scale: Number = 1) -> Fraction:
    """The fraction of equity to risk on a bet that grows equity fastest, times `scale`, between 0 and `cap`.

    `p - (1 - p) / b` with `win_rate` p, between 0 and 1, and `payoff` b, average win over average loss, above 0. A bet
    with no edge gets 0. `scale` below 1 is fractional Kelly (a half takes a quarter less growth at half the risk);
    `cap` is above 0 and at most 1. Source: J. L. Kelly, A New Interpretation of Information Rate, Bell System Technical
    Journal 35 (1956). Raises `SizingError`.
    """
    wins, odds = _number("win_rate", win_rate), _above_zero("payoff", payoff)
    if not 0 <= wins <= 1:
        raise _error("win_rate", win_rate, "is no probability", "Give a number between 0 and 1.")
    best = (wins - (1 - wins) / odds) * _share("scale", scale)
    return min(max(best, Fraction(0)), _share("cap", cap))


def _number(name: str, value: Number) -> Fraction:
    if isinstance(value, Fraction):
        return value
    if isinstance(value, Money):
        return Fraction(value.raw, 10**value.currency.precision)
    if isinstance(value, bool):
        raise _error(name, value, "is no number", "Write for example 1000 or 0.25.")
    try:
        raw, scale = parse_decimal(value)
    except ValueError as error:
        raise _error(name, value, "is no finite decimal", "Write for example 1000 or 0.25.") from error
    return Fraction(raw, 10**scale)


def _above_zero(name: str, value: Number) -> Fraction:
    number = _number(name, value)
    if number <= 0:
        raise _error(name, value, "is not positive", "Give a number above 0.")
    return number


def _share(name: str, value: Number) -> Fraction:
    number = _number(name, value)
    if not 0 < number <= 1:
        raise _error(name, value, "is out of range", "Give a number above 0 and at most 1.")
    return number


def _price(instrument: Instrument, name: str, value: Number) -> Fraction:
    """Above 0, where the instrument cannot have other prices."""
    return _number(name, value) if instrument.negative_prices and not instrument.inverse else _above_zero(name, value)


def _multiplier(instrument: Instrument) -> Fraction:
    return Fraction(instrument.multiplier.num, instrument.multiplier.den)


def _unit_worth(instrument: Instrument, price: Fraction) -> Fraction:
    """The notional of one unit or contract: in quote currency, of an inverse contract in base."""
    if price == 0:
        raise _error("price", price, "is 0, so nothing has a worth", "Wait for another price.")
    return _multiplier(instrument) / price if instrument.inverse else abs(price) * _multiplier(instrument)


def _floored(instrument: Instrument, units: Fraction) -> Quantity:
    """Down to the step; at most the instrument's largest quantity, and 0 below its smallest."""
    step_raw = instrument.step_raw
    raw = int(units * 10**instrument.size_precision) // step_raw * step_raw
    if instrument.max_qty_raw is not None:
        raw = min(raw, instrument.max_qty_raw // step_raw * step_raw)
    if instrument.min_qty_raw is not None and raw < instrument.min_qty_raw:
        raw = 0
    return Quantity(raw, instrument.size_precision)


def _error(name: str, value: object, what: str, fix: str) -> SizingError:
    return SizingError("STRAT006", None, f"{name} {quoted(value)} {what}", fix, str(value))
