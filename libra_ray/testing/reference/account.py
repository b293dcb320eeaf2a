"""The account: balances, rates between currencies, locked amounts, equity and margin (orders 13)."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import floor_to, half_even, rounded_up
from libra_ray.testing.reference.orders import Order, sign
from libra_ray.testing.reference.positions import Position
from libra_ray.testing.reference.state import State

__all__ = ["Account"]

ZERO: Final = Decimal(0)
NOTHING: Final = Fraction(0)


class Account:
    """One account of the venue.

    Attributes:
        fee_estimate: the taker fee of an order's leaves where it is in quote currency, not rounded.
    """

    def __init__(self, state: State, balances: dict[str, str]) -> None:
        self.state = state
        self.totals = {code: Decimal(amount) for code, amount in balances.items()}
        self.fee_estimate: Callable[[Order], Fraction] = lambda _: NOTHING

    # ---------------------------------------------------------------------- rates

    def rate(self, source: str, target: str) -> Fraction | None:
        """What one `source` is worth in `target`: over the shortest chain of pairs, ties alphabetically."""
        if source == target:
            return Fraction(1)
        chains: list[tuple[list[str], Fraction]] = [([source], Fraction(1))]
        seen = {source}
        while chains:
            longer: list[tuple[list[str], Fraction]] = []
            for chain, rate in chains:
                for code, step in sorted(self._neighbours(chain[-1]).items()):
                    if code == target:
                        return rate * step
                    if code not in seen:
                        seen.add(code)
                        longer.append(([*chain, code], rate * step))
            chains = longer
        return None

    def _neighbours(self, code: str) -> dict[str, Fraction]:
        """Currencies one pair away: the mid of C/B, or 1 / the mid of B/C."""
        found: dict[str, Fraction] = {}
        for key, market in self.state.markets.items():
            pair, mid = self.state.instruments[key], market.mid_or_last
            if not pair.is_pair or mid is None or mid == 0:
                continue
            if pair.base == code:
                found[pair.quote] = Fraction(mid)
            elif pair.quote == code:
                found.setdefault(pair.base, 1 / Fraction(mid))
        return found

    # ---------------------------------------------------------------------- bookings

    def book(self, amount: Decimal, code: str) -> tuple[Decimal, str]:
        """One change of a total, rounded once. With a base currency it is converted; without a rate it stays in C."""
        base = self.state.options.base_currency
        rate = self.rate(code, base) if base else None
        if base and rate is not None:
            amount, code = half_even(Fraction(amount) * rate, self.state.decimals(base)), base
        self.totals[code] = self.totals.get(code, ZERO) + amount
        return amount, code

    # ---------------------------------------------------------------------- equity

    def currency_of(self, code: str) -> str:
        """Where an amount in `code` counts for equity and margin: in the base currency, or without one in itself."""
        return self.state.options.base_currency or code

    def _converted(self, amount: Fraction, code: str, target: str) -> Fraction:
        """Nothing where no rate is known."""
        rate = self.rate(code, target)
        return NOTHING if rate is None else amount * rate

    def unrealized(self, position: Position) -> Decimal | None:
        """Orders 12: at the mark row, else the bid for a long and the ask for a short, else last."""
        market = self.state.markets[position.instrument.id]
        price = market.mark_row
        if price is None:
            price = market.best("BID" if position.qty > 0 else "ASK")
        if price is None:
            price = market.last
        decimals = self.state.decimals(position.instrument.settlement)
        return None if price is None else position.unrealized(price, decimals)

    def equity(self, code: str) -> Fraction:
        """Total + unrealized PnL of one currency (of all that converts to it, with a base currency)."""
        equity = Fraction(self.totals.get(code, ZERO))
        for position in self.state.positions.open.values():
            settlement = position.instrument.settlement
            if self.currency_of(settlement) == code:
                equity += self._converted(Fraction(self.unrealized(position) or ZERO), settlement, code)
        return equity

    # ---------------------------------------------------------------------- margin

    def order_price(self, order: Order) -> Decimal | None:
        """An order's price, else its trigger, else the opposite best, else the last price."""
        for price in (order.price, order.trigger):
            if price is not None:
                return price
        return self.state.market(order).opposite_or_last(order.side)

    def order_notional(self, order: Order) -> Fraction:
        """The notional of an order's leaves; 0 where no price is known."""
        if order.quote_qty:  # the quantity is in quote currency already
            return Fraction(order.leaves)
        price = self.order_price(order)
        return NOTHING if price is None else order.instrument.notional(order.leaves, price)

    def position_notional(self, instrument: Instrument) -> Fraction:
        """P: the signed notional of the net position at mark price."""
        net, mark = self.state.positions.net(instrument), self.state.markets[instrument.id].mark
        if net == 0 or mark is None:
            return NOTHING
        return instrument.notional(abs(net), mark) * (1 if net > 0 else -1)

    def worst_notional(self, instrument: Instrument, more: Iterable[Order] = ()) -> Fraction:
        """max(|P + B|, |P - S|) without reduce-only orders and unreleased OTO children."""
        sides = {"BUY": NOTHING, "SELL": NOTHING}
        mine = [order for order in more if order.instrument is instrument]
        for order in [*self.state.open_orders(instrument), *mine]:
            if not order.reduce_only:
                sides[order.side] += self.order_notional(order)
        net = self.position_notional(instrument)
        return max(abs(net + sides["BUY"]), abs(net - sides["SELL"]))

    def locked(self, more: Iterable[Order] = ()) -> dict[str, Decimal]:
        """What is locked per currency, with `more` orders as if they were open."""
        more = list(more)
        if self.state.options.is_cash:
            return self._cash_locked(more)
        sums: dict[str, Fraction] = {}
        for instrument in self.state.instruments.values():
            if instrument.margin_init == 0:
                continue
            margin = self.worst_notional(instrument, more) * instrument.margin_init / self.state.options.leverage
            code = self.currency_of(instrument.settlement)
            converted = self._converted(margin, instrument.notional_currency, code)
            sums[code] = sums.get(code, NOTHING) + converted
        return {code: half_even(amount, self.state.decimals(code)) for code, amount in sums.items()}

    def maintenance(self, code: str) -> Fraction:
        """Sum of |P| * maintenance rate / leverage in one currency."""
        margin = NOTHING
        for instrument in self.state.instruments.values():
            if self.currency_of(instrument.settlement) == code:
                amount = abs(self.position_notional(instrument)) * instrument.margin_maint / self.state.options.leverage
                margin += self._converted(amount, instrument.notional_currency, code)
        return margin

    # ---------------------------------------------------------------------- cash

    def cash_lock(self, order: Order) -> tuple[str, Decimal] | None:
        """What an open order locks: BUY the quote amount with the taker fee, rounded up; SELL of a pair the base."""
        instrument = order.instrument
        if order.side == "BUY":
            amount = self.order_notional(order) + self.fee_estimate(order)
            return instrument.quote, rounded_up(amount, self.state.decimals(instrument.quote))
        if not instrument.is_pair:
            return None
        if order.quote_qty:
            price = self.order_price(order)
            return None if price is None else (instrument.base, self._base_of_quote(order, price))
        return instrument.base, order.leaves

    def _base_of_quote(self, order: Order, price: Decimal) -> Decimal:
        """As it will be converted on arrival: down to the size step."""
        qty = floor_to(Fraction(order.leaves) / Fraction(price), order.instrument.step)
        return rounded_up(qty, self.state.decimals(order.instrument.base))

    def _cash_locked(self, more: list[Order]) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = {}
        for order in [*(order for order in self.state.live.values() if order.counts_as_open), *more]:
            lock = self.cash_lock(order)
            if lock is not None:
                sums[lock[0]] = sums.get(lock[0], ZERO) + lock[1]
        return sums

    # ---------------------------------------------------------------------- for the final state

    def exposure(self, code: str, more: list[Order]) -> Fraction:
        """Check 10: gross notional of one currency, with `more` orders."""
        return sum(
            (
                self.worst_notional(instrument, more)
                for instrument in self.state.instruments.values()
                if instrument.notional_currency == code
            ),
            NOTHING,
        )

    def quantity_at_risk(self, instrument: Instrument, more: list[Order]) -> Decimal:
        """Check 10: max(|P + B|, |P - S|) in quantity, with `more` orders."""
        sides = {1: ZERO, -1: ZERO}
        mine = [order for order in more if order.instrument is instrument]
        for order in [*self.state.open_orders(instrument), *mine]:
            if not order.reduce_only:
                sides[sign(order.side)] += order.leaves
        net = self.state.positions.net(instrument)
        return max(abs(net + sides[1]), abs(net - sides[-1]))
