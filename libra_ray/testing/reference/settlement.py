"""Liquidation, funding and expiry (matching 10 and 11)."""

from decimal import Decimal
from fractions import Fraction
from itertools import count

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import half_even, money_text, ts_text
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.positions import Position
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.venue import Venue

__all__ = ["Settlement"]


class Settlement:
    """What the venue does to positions by itself."""

    def __init__(self, state: State, account: Account, venue: Venue) -> None:
        self.state, self.account, self.venue = state, account, venue
        self._numbers = count(1)

    def _book(self, kind: str, instrument: Instrument, amount: Decimal, code: str) -> None:
        if amount == 0:  # a booking is a change of a total
            return
        amount, code = self.account.book(amount, code)
        self.state.bookings.append([ts_text(self.state.now), kind, instrument.id, money_text(amount, code)])

    # ---------------------------------------------------------------------- liquidation

    def check_liquidation(self) -> None:
        """Equity <= maintenance * liquidation_ratio, with a position open, on a MARGIN account."""
        options = self.state.options
        if options.is_cash or not options.liquidation or not self.state.positions.open:
            return
        codes = {self.account.currency_of(p.instrument.settlement): None for p in self.state.positions.in_order()}
        for code in codes:
            if self.account.equity(code) <= self.account.maintenance(code) * options.liquidation_ratio:
                self._liquidate()
                return

    def _liquidate(self) -> None:
        """All orders are canceled, then every position is closed by a MARKET order of the venue."""
        held = [order for order in self.state.live.values() if order.place is Place.HELD and order.reached_venue]
        for order in [*self.state.working(), *held]:
            if not order.is_closed:
                self.state.emit(order, "CANCELED", code="LIQUIDATION")
        for position in self.state.positions.in_order():
            self._close(position)

    def _close(self, position: Position) -> None:
        instrument, qty = position.instrument, abs(position.qty)
        side = "SELL" if position.qty > 0 else "BUY"
        label = f"LIQ-{next(self._numbers)}"
        order = Order(label, instrument, "MARKET", side, qty, position_id=position.id, asked_qty=qty)
        order.reached_venue = True
        self.state.orders[order.label] = order
        self.state.live[order.label] = order
        self.venue.execution.take(order)
        rate = self.state.options.liquidation_fee
        if rate > 0 and order.filled > 0:
            average = Fraction(order.value) / Fraction(order.filled)
            notional = Fraction(order.filled * instrument.multiplier) * average
            if instrument.inverse:
                notional = Fraction(order.filled * instrument.multiplier) / average
            code = instrument.notional_currency
            self._book("LIQUIDATION_FEE", instrument, -half_even(notional * rate, self.state.decimals(code)), code)

    # ---------------------------------------------------------------------- funding

    def fund(self, instrument: Instrument, rate: Decimal) -> None:
        """-(signed notional at mark) * rate for each position held then, in order of opening."""
        mark = self.state.markets[instrument.id].mark
        for position in self.state.positions.in_order():
            if position.instrument is not instrument or mark is None:
                continue
            notional = instrument.notional(abs(position.qty), mark) * (1 if position.qty > 0 else -1)
            code = instrument.settlement
            self._book("FUNDING", instrument, half_even(-notional * Fraction(rate), self.state.decimals(code)), code)
            self.check_liquidation()

    # ---------------------------------------------------------------------- expiry

    def expire(self, instrument: Instrument) -> None:
        """Open orders are canceled, positions closed at the settlement price without fee."""
        market = self.state.markets[instrument.id]
        market.is_expired = True
        for order in self.state.working(instrument):
            if not order.is_closed:
                self.venue.end(order, "CANCELED", "INSTRUMENT_EXPIRED")
        price = self.state.options.settlement_prices.get(instrument.id, market.mark)
        code = instrument.settlement
        for position in self.state.positions.in_order():
            if position.instrument is instrument and price is not None:
                pnl = position.reduce(abs(position.qty), price, self.state.decimals(code))
                self.state.positions.close_if_flat(position)
                self._book("SETTLEMENT", instrument, pnl, code)
