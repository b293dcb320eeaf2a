"""Checks 8 to 10 of the risk engine: an order beside positions and other orders."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil

from libra_ray.model.numbers import decimal_text
from libra_ray.model.orders import Order
from libra_ray.model.rules.margin import worst_notional
from libra_ray.model.views import CacheView, FundsView, PortfolioView
from libra_ray.risk.form import Refusal, exact_notional
from libra_ray.risk.limits import RiskLimits, at_precision

__all__ = ["Exposure"]

BASIS_POINTS = 10_000


class Exposure:
    """What is held and what is on order, per instrument and currency."""

    def __init__(self, cache: CacheView, portfolio: PortfolioView, funds: dict[str, FundsView]) -> None:
        self._cache = cache
        self._portfolio = portfolio
        self._funds = funds

    def check_reducing(self, order: Order) -> Refusal | None:
        """Check 8, in state REDUCING: opposite to the net position, and no more than it with what is on that side."""
        net = self._portfolio.net_raw(order.instrument_id)
        same_side = sum(o.leaves_raw for o in self._on_order(order.instrument_id) if o.is_buy == order.is_buy)
        opposite = net < 0 if order.is_buy else net > 0
        if opposite and order.quantity_raw + same_side <= abs(net):
            return None
        text = f"ORD010 trading is reducing and this order for {order.instrument_id} does not only reduce. Lower it."
        return Refusal("TRADING_REDUCING", text)

    def check_collar(self, order: Order, limits: RiskLimits) -> Refusal | None:
        """Check 9: a limit price not further than the collar from the mid, else the last price."""
        collar = limits.price_collar
        if collar is None or order.price_raw is None:
            return None
        top = self._cache.rows.of(order.instrument_id).bid_ask()
        if top is None:
            return None
        mid_twice = top[0] + top[1]
        distance = abs(2 * order.price_raw - mid_twice)
        if distance * BASIS_POINTS * collar.den <= collar.num * mid_twice:
            return None
        text = (
            f"ORD011 price {order.price} for {order.instrument_id} is further than {collar} basis points from the mid "
            f"{decimal_text(mid_twice * 5, order.price_precision + 1)}. Move the price or raise risk.price_collar_bps."
        )
        return Refusal("PRICE_COLLAR", text)

    def check_limits(self, order: Order, limits: RiskLimits) -> Refusal | None:
        """Check 10: number of open orders, position, exposure. An order that does not raise the figure passes."""
        if limits.open_orders is not None and len(self._cache.working) >= limits.open_orders:
            text = f"ORD012 {limits.open_orders} orders are open, the limit."
            return Refusal("MAX_OPEN_ORDERS", f"{text} Cancel one or raise risk.max_open_orders.")
        if limits.position:
            refusal = self._check_position(order, limits)
            if refusal is not None:
                return refusal
        return self._check_exposure(order, limits) if limits.exposure else None

    def _check_position(self, order: Order, limits: RiskLimits) -> Refusal | None:
        amount = limits.position.get(order.instrument_id) or limits.position.get("")
        if amount is None:
            return None
        most = at_precision(amount, order.size_precision)
        net, buys, sells = self._sides(order.instrument_id)
        before = worst_notional(net, buys, sells)
        after = self._with(order, net, buys, sells, order.quantity_raw)
        if after <= most or after <= before:
            return None
        shown, limit = decimal_text(after, order.size_precision), decimal_text(most, order.size_precision)
        text = f"ORD012 position {shown} of {order.instrument_id} would exceed {limit}."
        return Refusal("MAX_POSITION", f"{text} Lower it or raise risk.max_position.")

    def _check_exposure(self, order: Order, limits: RiskLimits) -> Refusal | None:
        unit = self._cache.instruments[order.instrument_id].settlement
        amount = limits.exposure.get(unit.code)
        if amount is None:
            return None
        most = Fraction(amount[0], 10 ** amount[1])
        before, after = self._gross(unit.code, None), self._gross(unit.code, order)
        if after <= most or after <= before:
            return None
        shown = decimal_text(ceil(after * 10**unit.precision), unit.precision)
        limit = decimal_text(*amount)
        text = f"ORD012 exposure {shown} {unit.code} would exceed {limit}. Lower it or raise risk.max_exposure."
        return Refusal("MAX_EXPOSURE", text)

    def _gross(self, code: str, new: Order | None) -> Fraction:
        """Gross notional of all instruments settled in a currency, as if `new` were working; not rounded."""
        gross = Fraction(0)
        for instrument in self._cache.instruments.values():
            if instrument.settlement.code != code:
                continue
            mark_twice = self._cache.rows.of(instrument.id).mark_twice()
            net = self._portfolio.net_raw(instrument.id)
            held = Fraction(0) if not mark_twice else exact_notional(instrument, Fraction(mark_twice, 2), net)
            buys = sells = Fraction(0)
            orders = [*self._on_order(instrument.id)]
            if new is not None and new.instrument_id == instrument.id:
                orders.append(new)
            for order in orders:
                px_raw = self._funds[order.instrument_id].order_px(order)
                worth = Fraction(0) if not px_raw else exact_notional(instrument, px_raw, order.leaves_raw)
                buys, sells = (buys + worth, sells) if order.is_buy else (buys, sells + worth)
            gross += max(abs(held + buys), abs(held - sells))
        return gross

    def _sides(self, instrument_id: str) -> tuple[int, int, int]:
        buys = sells = 0
        for order in self._on_order(instrument_id):
            if order.is_buy:
                buys += order.leaves_raw
            else:
                sells += order.leaves_raw
        return self._portfolio.net_raw(instrument_id), buys, sells

    @staticmethod
    def _with(order: Order, net: int, buys: int, sells: int, qty_raw: int) -> int:
        if order.is_buy:
            return worst_notional(net, buys + qty_raw, sells)
        return worst_notional(net, buys, sells + qty_raw)

    def _on_order(self, instrument_id: str) -> Iterator[Order]:
        return (order for order in self._cache.working.values() if order.instrument_id == instrument_id)
