"""Checks 8 to 10 of the risk engine: an order beside positions and other orders.

Orders on their way count as open. Children that are not released count nowhere; orders that only reduce, in no limit of
position or exposure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Final

from libra_ray.model.enums import OrderType
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import decimal_text
from libra_ray.model.open_orders import counted_units
from libra_ray.model.orders import Order
from libra_ray.model.rules.margin import worst_notional
from libra_ray.model.views import CacheView, FundsView, PortfolioView
from libra_ray.risk.limits import Amount, Scope, at_precision
from libra_ray.risk.notional import exact_notional, notional_unit
from libra_ray.risk.refusal import Refusal

__all__ = ["Exposure"]

BASIS_POINTS: Final = 10_000
_LIMITED_TYPES: Final = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED)


class Exposure:
    """What is held and what is on order, per instrument and currency. `ahead`: earlier orders of a list that count."""

    def __init__(self, cache: CacheView, portfolio: PortfolioView, funds: Mapping[str, FundsView]) -> None:
        self._cache = cache
        self._portfolio = portfolio
        self._funds = funds

    # ------------------------------------------------------------------ checks

    def check_reducing(self, order: Order, ahead: Sequence[Order]) -> Refusal | None:
        """Check 8, in state REDUCING: opposite to the net position, and no more than it with what is on that side."""
        net = self._portfolio.net_raw(order.instrument_id)
        units = self._units(order)
        same_side = sum(
            self._units(one) or 0
            for one in self._counted(ahead)
            if one.instrument_id == order.instrument_id and one.is_buy == order.is_buy
        )
        opposite = net < 0 if order.is_buy else net > 0
        if opposite and units is not None and units + same_side <= abs(net):
            return None
        text = f"ORD010 trading is reducing and this order for {order.instrument_id} does not only reduce. Lower it."
        return Refusal("TRADING_REDUCING", text)

    def check_collar(self, order: Order, scopes: Iterable[Scope]) -> Refusal | None:
        """Check 9: a limit price not further than the collar from the mid, else the last price."""
        if order.price_raw is None or order.type not in _LIMITED_TYPES:
            return None
        prices = self._cache.rows.of(order.instrument_id)
        top, last = prices.bid_ask(), prices.last()
        if top is None and last is None:
            return None
        mid_twice = sum(top) if top is not None else 2 * (last or 0)
        distance = abs(2 * order.price_raw - mid_twice)
        for scope in scopes:
            collar = scope.limits.price_collar
            if collar is not None and distance * BASIS_POINTS * collar.den > collar.num * abs(mid_twice):
                mid = decimal_text(mid_twice * 5, order.price_precision + 1)
                text = f"ORD011 price {order.price} for {order.instrument_id} is further than {collar} basis points"
                fix = f"Move the price or raise {scope.name}.price_collar_bps."
                return Refusal("PRICE_COLLAR", f"{text} from the mid {mid}. {fix}")
        return None

    def check_limits(self, order: Order, scopes: Sequence[Scope], ahead: Sequence[Order]) -> Refusal | None:
        """Check 10: number of open orders, position, exposure. An order that does not raise the figure passes."""
        for check in (self._check_count, self._check_position, self._check_exposure):
            for scope in scopes:
                refusal = check(order, scope, ahead)
                if refusal is not None:
                    return refusal
        return None

    def _check_count(self, _order: Order, scope: Scope, ahead: Sequence[Order]) -> Refusal | None:
        most = scope.limits.open_orders
        if most is None or sum(scope.holds_for(one) for one in self._counted(ahead)) < most:
            return None
        text = f"ORD012 {most} orders are open, the limit. Cancel one or raise {scope.name}.max_open_orders."
        return Refusal("MAX_OPEN_ORDERS", text)

    def _check_position(self, order: Order, scope: Scope, ahead: Sequence[Order]) -> Refusal | None:
        amount = scope.limits.position_of(order.instrument_id)
        if amount is None or order.reduce_only:
            return None
        precision = self._cache.instruments[order.instrument_id].size_precision
        most = at_precision(amount, precision)
        buys = sells = 0
        for one in self._growing(scope, ahead):
            if one.instrument_id == order.instrument_id:
                units = self._units(one) or 0
                buys, sells = (buys + units, sells) if one.is_buy else (buys, sells + units)
        net, new = self._net(order.instrument_id, scope), self._units(order) or 0
        before = worst_notional(net, buys, sells)
        after = worst_notional(net, buys + new, sells) if order.is_buy else worst_notional(net, buys, sells + new)
        if after <= most or after <= before:
            return None
        shown, limit = decimal_text(after, precision), decimal_text(most, precision)
        text = f"ORD012 position {shown} of {order.instrument_id} would exceed {limit}."
        return Refusal("MAX_POSITION", f"{text} Lower it or raise {scope.name}.max_position.")

    def _check_exposure(self, order: Order, scope: Scope, ahead: Sequence[Order]) -> Refusal | None:
        limits = scope.limits.exposure
        if not limits or order.reduce_only:
            return None
        unit = notional_unit(self._cache.instruments[order.instrument_id])
        amount: Amount | None = limits.get(unit.code)
        if amount is None:
            return None
        most = Fraction(amount[0], 10 ** amount[1])
        before, after = self._gross(unit.code, scope, ahead), self._gross(unit.code, scope, [*ahead, order])
        if after <= most or after <= before:
            return None
        shown, limit = decimal_text(ceil(after * 10**unit.precision), unit.precision), decimal_text(*amount)
        text = f"ORD012 exposure {shown} {unit.code} would exceed {limit}."
        return Refusal("MAX_EXPOSURE", f"{text} Lower it or raise {scope.name}.max_exposure.")

    # ------------------------------------------------------------------ figures

    def _gross(self, code: str, scope: Scope, ahead: Sequence[Order]) -> Fraction:
        """Gross notional of all instruments counted in a currency, with `ahead`; not rounded."""
        sides: dict[str, tuple[Fraction, Fraction]] = {}
        for order in self._growing(scope, ahead):
            instrument = self._cache.instruments[order.instrument_id]
            if notional_unit(instrument).code == code:
                buys, sells = sides.get(instrument.id, (Fraction(0), Fraction(0)))
                worth = self._worth(order, instrument)
                sides[instrument.id] = (buys + worth, sells) if order.is_buy else (buys, sells + worth)
        gross = Fraction(0)
        for instrument in self._cache.instruments.values():
            if notional_unit(instrument).code == code:
                held, (buys, sells) = (
                    self._held(instrument, scope),
                    sides.get(instrument.id, (Fraction(0), Fraction(0))),
                )
                gross += max(abs(held + buys), abs(held - sells))
        return gross

    def _worth(self, order: Order, instrument: Instrument) -> Fraction:
        px_raw, units = self._funds[order.instrument_id].order_px(order), self._units(order)
        return Fraction(0) if px_raw is None or units is None else exact_notional(instrument, px_raw, units)

    def _held(self, instrument: Instrument, scope: Scope) -> Fraction:
        net = self._net(instrument.id, scope)
        mark_twice = self._cache.rows.of(instrument.id).mark_twice() if net else None
        return Fraction(0) if mark_twice is None else exact_notional(instrument, Fraction(mark_twice, 2), net)

    def _net(self, instrument_id: str, scope: Scope) -> int:
        """The net signed position that counts in a scope."""
        if scope.strategy_id is not None:
            held = self._portfolio.positions_open(instrument_id)
            return sum(position.quantity_raw for position in held if position.strategy_id == scope.strategy_id)
        if scope.venue is not None and not instrument_id.endswith(f".{scope.venue}"):
            return 0
        return self._portfolio.net_raw(instrument_id)

    def _units(self, order: Order) -> int | None:
        instrument = self._cache.instruments[order.instrument_id]
        return counted_units(order, instrument, self._funds[order.instrument_id].order_px(order))

    def _growing(self, scope: Scope, ahead: Sequence[Order]) -> Iterator[Order]:
        return (one for one in self._counted(ahead) if not one.reduce_only and scope.holds_for(one))

    def _counted(self, ahead: Sequence[Order]) -> Iterator[Order]:
        """Orders that work, without children that are not released, and those ahead."""
        for order in self._cache.working.values():
            if order.parent_order_id is None or not self._funds[order.instrument_id].waits(order):
                yield order
        yield from ahead
