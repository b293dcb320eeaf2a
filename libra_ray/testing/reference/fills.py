"""One fill: can it be paid, what does it cost, what does it do to position and account (orders 12 to 14)."""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.exact import half_even, money_text, text
from libra_ray.testing.reference.fees import Fees
from libra_ray.testing.reference.orders import Order, sign
from libra_ray.testing.reference.positions import Position
from libra_ray.testing.reference.state import State

__all__ = ["Fills"]

ZERO: Final = Decimal(0)


class Fills:
    """Makes fills."""

    def __init__(self, state: State, account: Account) -> None:
        self.state, self.account = state, account
        self.fees = Fees(state, account)

    def make(self, order: Order, qty: Decimal, px: Decimal, liquidity: str) -> bool:
        """Fill `qty` at `px`. False: a CASH account cannot pay it, nothing is done."""
        fee, code = self.fees.fee(order, qty, px, liquidity)
        received = qty
        if self.state.options.is_cash:
            if order.instrument.is_pair and order.side == "BUY" and code == order.instrument.base:
                received = qty - fee  # orders 12: the quantity received is the net one
            flows = self._cash_flows(order, qty, px, fee, code)
            if not self._can_pay(order, qty, flows):
                return False
            for flow_code, amount in flows.items():
                self.account.book(amount, flow_code)
        pnl = self._move_position(order, received, px, fee, code)
        if not self.state.options.is_cash:
            if pnl != 0:
                self.account.book(pnl, order.instrument.settlement)
            self.account.book(-fee, code)
        self.fees.count(order, qty, px)
        order.filled += qty
        order.value += qty * px
        order.slice_left = max(ZERO, order.slice_left - qty)
        fields = {"qty": text(qty), "px": text(px), "liq": liquidity, "fee": money_text(fee, code)}
        self.state.emit(order, "FILLED", fields)
        return True

    # ---------------------------------------------------------------------- cash

    def _cash_flows(self, order: Order, qty: Decimal, px: Decimal, fee: Decimal, code: str) -> dict[str, Decimal]:
        """A pair moves base and quote, everything else the quote side only; fees extra."""
        instrument = order.instrument
        quote = half_even(instrument.notional(qty, px), self.state.decimals(instrument.quote))
        flows = {instrument.quote: -quote * sign(order.side)}
        if instrument.is_pair:
            flows[instrument.base] = qty * sign(order.side)
        flows[code] = flows.get(code, ZERO) - fee
        return flows

    def _can_pay(self, order: Order, qty: Decimal, flows: dict[str, Decimal]) -> bool:
        """Not negative, ever; and without borrowing nothing but a pair is sold beyond the position."""
        if any(amount < 0 and self.account.totals.get(code, ZERO) + amount < 0 for code, amount in flows.items()):
            return False
        if order.side == "BUY" or order.instrument.is_pair or self.state.options.allow_borrowing:
            return True
        return qty <= self.state.positions.net(order.instrument)

    # ---------------------------------------------------------------------- position

    def _move_position(self, order: Order, qty: Decimal, px: Decimal, fee: Decimal, code: str) -> Decimal:
        """Apply a fill to the position; the realized PnL."""
        positions, settlement = self.state.positions, order.instrument.settlement
        cost = fee if code == settlement else ZERO
        position_id = positions.take_id(order)
        position = positions.open.get(position_id)
        if position is None:
            position = positions.open_new(position_id, order)
        if position.qty == 0 or (position.qty > 0) == (order.side == "BUY"):
            position.add(qty, px, order.side)
            position.realized -= cost
            return ZERO
        return self._reduce(position, order, qty, px, cost)

    def _reduce(self, position: Position, order: Order, qty: Decimal, px: Decimal, cost: Decimal) -> Decimal:
        """A closing leg, and an opening leg of what goes beyond: a flip."""
        positions, decimals = self.state.positions, self.state.decimals(order.instrument.settlement)
        closed = min(qty, abs(position.qty))
        closing_cost = half_even(Fraction(cost) * Fraction(closed) / Fraction(qty), decimals)
        pnl = position.reduce(closed, px, decimals)
        position.realized -= closing_cost
        positions.close_if_flat(position)
        if qty > closed:
            if positions.is_hedging:
                order.position_id = f"{position.id}F"
            opened = positions.open_new(order.position_id if positions.is_hedging else position.id, order)
            opened.add(qty - closed, px, order.side)
            opened.realized -= cost - closing_cost
        return pnl
