"""Commissions (orders 14)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.exact import SECOND_NS, half_even
from libra_ray.testing.reference.orders import Order
from libra_ray.testing.reference.state import State

__all__ = ["Fees"]

EPOCH: Final = datetime(2024, 1, 2, tzinfo=UTC)


class Fees:
    """The fee model of the venue, with the traded notional of the month."""

    def __init__(self, state: State, account: Account) -> None:
        self.state, self.account, self.rule = state, account, state.options.fee
        self.traded: dict[tuple[int, int], Fraction] = {}
        account.fee_estimate = self.estimate

    def _month(self) -> tuple[int, int]:
        day = EPOCH + timedelta(seconds=self.state.now // SECOND_NS)
        return day.year, day.month

    def _rate(self, order: Order, liquidity: str) -> Fraction:
        is_maker = liquidity == "MAKER"
        if self.rule.model == "tiered":  # the tier of the notional traded before this fill
            traded = self.traded.get(self._month(), Fraction(0))
            _, maker, taker = max(tier for tier in self.rule.tiers if tier[0] <= traded)
            return maker if is_maker else taker
        if self.rule.model == "maker_taker":
            return self.rule.maker if is_maker else self.rule.taker
        return order.instrument.maker_fee if is_maker else order.instrument.taker_fee

    def _amount(self, order: Order, qty: Decimal, px: Decimal, liquidity: str, code: str) -> Fraction:
        """Before rounding, in `code`, which is the base or the quote currency."""
        if self.rule.model == "fixed":
            return Fraction(0) if self.rule.once and order.filled > 0 else self.rule.amount
        if self.rule.model == "per_contract":
            return self.rule.amount * Fraction(qty)
        instrument = order.instrument
        notional = instrument.notional(qty, px)
        if code != instrument.notional_currency:  # base for a linear, quote for an inverse instrument
            notional = Fraction(qty * instrument.multiplier)
        return notional * self._rate(order, liquidity)

    def fee(self, order: Order, qty: Decimal, px: Decimal, liquidity: str) -> tuple[Decimal, str]:
        """The fee of a fill and its currency; positive is paid."""
        instrument = order.instrument
        default = instrument.base if instrument.inverse else instrument.quote
        named = {"": default, "base": instrument.base, "quote": instrument.quote}.get(self.rule.currency)
        if named is None and self.rule.currency in (instrument.base, instrument.quote):
            named = self.rule.currency
        if named is not None:
            return half_even(self._amount(order, qty, px, liquidity, named), self.state.decimals(named)), named
        code = self.rule.currency  # a third currency: the fee in quote (rounded), converted, then rounded
        in_quote = self._amount(order, qty, px, liquidity, instrument.quote)
        in_quote = Fraction(half_even(in_quote, self.state.decimals(instrument.quote)))
        rate = self.account.rate(instrument.quote, code)
        if rate is not None:
            amount = half_even(in_quote * rate, self.state.decimals(code))
            if not self.state.options.is_cash or amount <= self.account.totals.get(code, Decimal(0)):
                return amount, code
        return half_even(in_quote, self.state.decimals(instrument.quote)), instrument.quote

    def count(self, order: Order, qty: Decimal, px: Decimal) -> None:
        """Add a fill to the traded notional of the month, in quote currency."""
        instrument = order.instrument
        notional = Fraction(qty * instrument.multiplier * (Decimal(1) if instrument.inverse else px))
        month = self._month()
        self.traded[month] = self.traded.get(month, Fraction(0)) + notional

    def estimate(self, order: Order) -> Fraction:
        """Orders 13, CASH: the taker fee of the leaves where it is in quote currency, not rounded."""
        price = self.account.order_price(order)
        if price is None or self.rule.currency not in ("", "quote", order.instrument.quote):
            return Fraction(0)
        qty = order.leaves
        if order.quote_qty:
            if self.rule.model in ("fixed", "per_contract"):
                return self._amount(order, qty, price, "TAKER", order.instrument.quote)
            return Fraction(qty) * self._rate(order, "TAKER")
        return self._amount(order, qty, price, "TAKER", order.instrument.quote)
