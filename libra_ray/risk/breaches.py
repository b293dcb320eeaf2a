"""Loss of the day and fall from the peak: watches equity, and says when it has fallen too far."""

from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Currency, Rate, decimal_text

__all__ = ["BreachRules", "BreachWatch"]

DAY_NS: Final = 86_400 * 10**9


class BreachRules(NamedTuple):
    """How far equity may fall, and the trading state that follows when it falls further.

    Attributes:
        daily_loss: an amount in an account's reporting currency as (raw, scale); None = not watched.
        drawdown: a fraction of the peak; None = not watched.
    """

    daily_loss: tuple[int, int] | None
    drawdown: Rate | None
    on_breach: TradingState


class BreachWatch:
    """One account's equity, in its reporting currency.

    Equity changes with rows and bookings only, and each of them is reported here. So the last value before the first
    event of a UTC day is the equity as it stood at 00:00.

    Attributes:
        day_start_raw: equity at 00:00 UTC of the day in hand; of the first day, the first value.
        peak_raw: the highest value so far.
        is_breached: whether a breach was told and nobody has set the state back since.
    """

    __slots__ = (
        "_day",
        "_last_raw",
        "_loss_raw",
        "_rules",
        "_unit",
        "day_start_raw",
        "is_breached",
        "peak_raw",
        "venue",
    )

    def __init__(self, venue: str, unit: Currency, rules: BreachRules, equity_raw: int, ts_ns: int) -> None:
        self.venue, self._unit, self._rules = venue, unit, rules
        self.day_start_raw = self.peak_raw = self._last_raw = equity_raw
        self._day = ts_ns // DAY_NS
        self.is_breached = False
        loss = rules.daily_loss
        self._loss_raw = None if loss is None else ceil(Fraction(loss[0] * 10**unit.precision, 10 ** loss[1]))

    def on_equity(self, ts_ns: int, equity_raw: int) -> str | None:
        """Note equity after a row or booking; the reason, where that is a breach which nobody was told of."""
        day = ts_ns // DAY_NS
        if day > self._day:
            self._day, self.day_start_raw = day, self._last_raw
        self._last_raw = equity_raw
        self.peak_raw = max(self.peak_raw, equity_raw)
        if self.is_breached:
            return None
        reason = self._reason(equity_raw)
        self.is_breached = reason is not None
        return reason

    def rearm(self) -> None:
        """Somebody has set the trading state: what is still breached then is told again."""
        self.is_breached = False

    def _reason(self, equity_raw: int) -> str | None:
        shown = f"RISK001 equity {self._text(equity_raw)} {self._unit} of {self.venue} is"
        loss_raw, drawdown = self._loss_raw, self._rules.drawdown
        lost_raw = self.day_start_raw - equity_raw
        if loss_raw is not None and lost_raw >= loss_raw:
            return f"{shown} {self._text(lost_raw)} below that of 00:00 UTC; max_daily_loss is {self._text(loss_raw)}."
        fallen_raw = self.peak_raw - equity_raw
        if drawdown is not None and self.peak_raw > 0 and fallen_raw * drawdown.den >= drawdown.num * self.peak_raw:
            peak = self._text(self.peak_raw)
            return f"{shown} {self._text(fallen_raw)} below its peak {peak}; max_drawdown is {drawdown}."
        return None

    def _text(self, raw: int) -> str:
        return decimal_text(raw, self._unit.precision)
