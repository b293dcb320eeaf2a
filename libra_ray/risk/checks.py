"""The checks of an order in the order of their numbers; the first that fails is the answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from libra_ray.errors import quoted
from libra_ray.model.enums import OrderStatus, OrderType, TimeInForce, TradingState
from libra_ray.model.instruments import Instrument
from libra_ray.model.on_grid import put_on_grid
from libra_ray.model.orders import Order
from libra_ray.model.views import CacheView, FundsView, PortfolioView
from libra_ray.risk.exposure import Exposure
from libra_ray.risk.form import check_bracket, check_form, unknown_instrument
from libra_ray.risk.grid import check_display, check_prices, check_quantity
from libra_ray.risk.limits import RiskRules, Scope, Scopes
from libra_ray.risk.notional import check_notional
from libra_ray.risk.refusal import Refusal
from libra_ray.risk.self_trade import SelfTrades

__all__ = ["Checks", "funds_refusal", "rate_refusal"]

NS_PER_SECOND: Final = 10**9
_TRADING_HALTED: Final = TradingState.HALTED
_ACTIVE: Final = TradingState.ACTIVE
_MARKET: Final = OrderType.MARKET
_GTC: Final = TimeInForce.GTC
_GTD: Final = TimeInForce.GTD
_SENDABLE: Final = (OrderStatus.INITIALIZED, OrderStatus.RELEASED)
_HALTED: Final = Refusal("TRADING_HALTED", "ORD010 trading is halted. Set it active first.")


class Checks:
    """Looks at orders; changes nothing but the decimals of one that is on the grid, and the rate once it is counted.

    A plain market order, with no limits set, costs the checks of its form, its quantity and the rate.
    """

    def __init__(
        self,
        cache: CacheView,
        portfolio: PortfolioView,
        funds: Mapping[str, FundsView],
        rules: RiskRules,
        knows_algorithm: Callable[[str], bool],
        hedging: frozenset[str],
    ) -> None:
        self._cache, self._funds = cache, funds
        self._instruments, self._orders = cache.instruments, cache.orders
        self._knows_algorithm, self._hedging = knows_algorithm, hedging
        self._exposure = Exposure(cache, portfolio, funds)
        self.halted: set[str] = set()
        self.scopes = Scopes(rules)
        self._limits_notional = self.scopes.limit_notional
        self._looks_around = self.scopes.look_around
        self._only_rate = self.scopes.only_order_rate

    def refusal(
        self,
        order: Order,
        now_ns: int,
        state: TradingState,
        trades: SelfTrades | None = None,
        ahead: tuple[Order, ...] = (),
        whole: tuple[Order, ...] = (),
    ) -> Refusal | None:
        """Why an order may not go; None where it may.

        `whole` is the list that it comes in, `ahead` those of the list that passed before it; `trades` takes note of
        what is to be done to own resting orders.
        """
        name = order.instrument_id
        if state is _TRADING_HALTED:
            return _HALTED
        if self.halted and name in self.halted:
            text = f"ORD010 trading of {name} is halted: a venue's report could not be. Look at it first."
            return Refusal("TRADING_HALTED", text)
        instrument = self._instruments.get(name)
        if instrument is None:
            return unknown_instrument(name, list(self._instruments))
        refusal = self._check_alone(order, instrument, now_ns, ahead, whole)
        if refusal is not None:
            return refusal
        waits = order.parent_order_id is not None and self._waits(order)
        counted = self._counted(ahead) if ahead else []
        if self._looks_around or trades is not None or state is not _ACTIVE:
            refusal = self._check_around(order, state, trades, counted, waits=waits)
            if refusal is not None:
                return refusal
        if not waits:
            counted.append(order)
            code = self._funds[name].refusal(counted)
            if code is not None:
                return funds_refusal(code, order, instrument)
        rate = self._only_rate
        if rate is not None and rate.has_room(now_ns, len(ahead)):
            return None
        return self._rate_refusal(order, now_ns, len(ahead))

    def count_order(self, order: Order, now_ns: int) -> None:
        """An order has passed everything."""
        if self._only_rate is not None:
            self._only_rate.count(now_ns)
            return
        for scope in self.scopes.of(order):
            if scope.order_rate is not None:
                scope.order_rate.count(now_ns)

    def may_modify(self, order: Order, now_ns: int) -> bool:
        """Whether the rate of changes has room."""
        rates = [scope.modify_rate for scope in self.scopes.of(order)]
        return all(rate is None or rate.has_room(now_ns) for rate in rates)

    def count_modification(self, order: Order, now_ns: int) -> None:
        """A change has passed everything."""
        for scope in self.scopes.of(order):
            if scope.modify_rate is not None:
                scope.modify_rate.count(now_ns)

    def _counted(self, ahead: tuple[Order, ...]) -> list[Order]:
        """Those that count beside an order: children that wait for their parent do not."""
        return [one for one in ahead if not self._waits(one)]

    def _waits(self, order: Order) -> bool:
        """Whether its venue will hold it until its parent fills."""
        return order.parent_order_id is not None and self._funds[order.instrument_id].waits(order)

    # ------------------------------------------------------------------ checks 2 to 7: alone

    def _check_alone(
        self, order: Order, instrument: Instrument, now_ns: int, ahead: tuple[Order, ...], whole: tuple[Order, ...]
    ) -> Refusal | None:
        begins, ends = instrument.activation_ns, instrument.expiration_ns
        if (begins is not None and now_ns < begins) or (ends is not None and now_ns >= ends):
            text = f"ORD004 instrument {instrument.id} is not active now. Trade it between activation and expiry."
            return Refusal("INSTRUMENT_NOT_ACTIVE", text)
        if self._orders.get(order.client_order_id) is not order or order.status not in _SENDABLE:
            return _duplicate(order)
        refusal = self._check_form(order, instrument, ahead, whole)
        if refusal is None and (
            order.price_raw is not None or order.trigger_raw is not None or order.activation_raw is not None
        ):
            refusal = check_prices(instrument, order)
        in_quote = order.quote_quantity
        if refusal is None:
            refusal = check_quantity(instrument, order.quantity_raw, order.size_precision, in_quote=in_quote)
        if refusal is None and order.display_raw is not None:
            refusal = check_display(instrument, order)
        if refusal is not None:
            return refusal
        if order.price_precision != instrument.price_precision or order.size_precision != instrument.size_precision:
            put_on_grid(order, instrument)
        if order.time_in_force is _GTD and order.expire_ns is not None and order.expire_ns <= now_ns:
            text = f"ORD016 expire time of the order for {instrument.id} is past. Give a later one."
            return Refusal("EXPIRE_TIME_PAST", text)
        if in_quote or not (
            self._limits_notional or instrument.min_notional_raw is not None or instrument.max_notional_raw is not None
        ):
            return None
        px_raw = self._funds[order.instrument_id].order_px(order)
        return None if px_raw is None else check_notional(instrument, order, px_raw, self.scopes.of(order))

    def _check_form(
        self, order: Order, instrument: Instrument, ahead: tuple[Order, ...], whole: tuple[Order, ...]
    ) -> Refusal | None:
        """Check 3."""
        if ahead and order.client_order_id in [one.client_order_id for one in ahead]:
            return _duplicate(order)
        algorithm = order.exec_algorithm_id
        if whole and algorithm is not None and order.exec_spawn_id is None:
            text = f"ORD005 an order for execution algorithm {quoted(algorithm)} cannot be in a list. Send it alone."
            return Refusal("UNSUPPORTED_ORDER_TYPE", text)
        if algorithm is not None and order.status is OrderStatus.INITIALIZED and not self._knows_algorithm(algorithm):
            text = f"ORD005 execution algorithm {quoted(algorithm)} for {instrument.id} does not run. Add that actor."
            return Refusal("UNSUPPORTED_ORDER_TYPE", text)
        is_plain = order.type is _MARKET and order.time_in_force is _GTC
        if not is_plain or order.post_only or order.emulation_trigger is not None:
            refusal = check_form(order)
            if refusal is not None:
                return refusal
        if ahead and instrument.venue != self._instruments[ahead[0].instrument_id].venue:
            text = f"ORD006 a list goes to one venue, and {instrument.id} is not at {ahead[0].instrument_id}'s."
            return Refusal("FLAGS_CONFLICT", f"{text} Send it alone.")
        refusal = check_bracket(order, whole) if whole else None
        if refusal is None and order.position_id is not None and instrument.venue not in self._hedging:
            text = f"ORD008 position id {quoted(order.position_id)} for {instrument.id} is not allowed under netting."
            return Refusal("POSITION_ID_NOT_ALLOWED", f"{text} Leave it out.")
        if refusal is None and order.parent_order_id is not None:
            parent = self._orders.get(order.parent_order_id)
            if parent is not None and parent.status is OrderStatus.DENIED:
                return Refusal("LIST_DENIED", f"ORD017 its parent {parent.client_order_id} is denied.")
        return refusal

    # ------------------------------------------------------------------ checks 8 to 12: beside others

    def _check_around(
        self,
        order: Order,
        state: TradingState,
        trades: SelfTrades | None,
        ahead: Sequence[Order],
        *,
        waits: bool,
    ) -> Refusal | None:
        """Checks 8 to 11; a child that waits for its parent is not counted in 8 and 10."""
        scopes: tuple[Scope, ...] = self.scopes.of(order) if self._looks_around else ()
        refusal = None
        if state is TradingState.REDUCING and not waits:
            refusal = self._exposure.check_reducing(order, ahead)
        if refusal is None and scopes:
            refusal = self._exposure.check_collar(order, scopes)
        if refusal is None and scopes and not waits:
            refusal = self._exposure.check_limits(order, scopes, ahead)
        if refusal is None and trades is not None:
            opposite_px = self._cache.rows.of(order.instrument_id).opposite_px(is_buy=order.is_buy)
            refusal = trades.check(order, self._cache.working.values(), opposite_px)
        return refusal

    def _rate_refusal(self, order: Order, now_ns: int, ahead: int) -> Refusal | None:
        """Check 13."""
        for scope in self.scopes.of(order):
            rate = scope.order_rate
            if rate is not None and not rate.has_room(now_ns, ahead):
                return rate_refusal(rate.limit, rate.interval_ns, scope.name)
        return None


def _duplicate(order: Order) -> Refusal:
    text = f"ORD015 client order id {order.client_order_id} is used already. Make a new order."
    return Refusal("DUPLICATE_CLIENT_ORDER_ID", text)


def rate_refusal(limit: int, interval_ns: int, scope: str) -> Refusal:
    """Check 13 has failed, by the rate of the limits named `scope`."""
    text = f"ORD014 {limit} orders passed within {interval_ns // NS_PER_SECOND} s, the limit."
    return Refusal("ORDER_RATE_EXCEEDED", f"{text} Send fewer or raise {scope}.max_order_rate.")


def funds_refusal(code: str, order: Order, instrument: Instrument) -> Refusal:
    """Check 12 has failed."""
    text = f"ORD013 the account of {instrument.venue} cannot carry {order.quantity} {order.instrument_id}."
    return Refusal(code, f"{text} Lower the quantity.")
