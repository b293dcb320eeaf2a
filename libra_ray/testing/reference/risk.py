"""The risk engine: checks in order, the first failure denies (orders 15)."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.orders import CLOSED, Order, sign
from libra_ray.testing.reference.self_trade import SelfTrades
from libra_ray.testing.reference.state import State

__all__ = ["RateWindow", "Risk"]

ZERO: Final = Decimal(0)
BASIS_POINTS: Final = 10_000
UNSUPPORTED_TRIGGERS: Final = frozenset(["DOUBLE_LAST", "DOUBLE_BID_ASK", "INDEX_PRICE"])
NEVER_POST_ONLY: Final = frozenset(
    ["MARKET", "MARKET_TO_LIMIT", "STOP_MARKET", "MARKET_IF_TOUCHED", "TRAILING_STOP_MARKET"]
)
TAKING_TIFS: Final = frozenset(["IOC", "FOK", "AT_THE_OPEN", "AT_THE_CLOSE"])


class RateWindow:
    """`limit` in (now - interval, now]."""

    def __init__(self, rate: tuple[int, int]) -> None:
        self.limit, self.interval = rate
        self.passed: list[int] = []

    def is_full(self, now: int, more: int = 0) -> bool:
        """Whether `limit` already passed, `more` of them in this list."""
        self.passed = [ts for ts in self.passed if ts > now - self.interval]
        return len(self.passed) + more >= self.limit

    def count(self, now: int) -> None:
        """One passed."""
        self.passed.append(now)


class Risk:
    """Checks orders and modifications."""

    def __init__(self, state: State, account: Account, self_trades: SelfTrades) -> None:
        self.state, self.account, self.self_trades = state, account, self_trades
        self.orders = RateWindow(state.limits.order_rate)
        self.modifies = RateWindow(state.limits.modify_rate)

    # ---------------------------------------------------------------------- orders

    def failures(self, orders: list[Order]) -> list[str]:
        """The code of each order of a list, "" where it passes; one failure denies all."""
        codes: list[str] = []
        before: list[Order] = []
        for order in orders:
            code = self._first_failure(order, before, len(codes))
            codes.append(code)
            if code:
                break
            if not self._waits_for_parent(order):
                before.append(order)
        if any(codes):
            codes += [""] * (len(orders) - len(codes))
            return [code or "LIST_DENIED" for code in codes]
        for _ in orders:
            self.orders.count(self.state.now)
        return codes

    def _waits_for_parent(self, order: Order) -> bool:
        return bool(order.parent) and self.state.options.support_contingent_orders

    def _first_failure(self, order: Order, before: list[Order], in_list: int) -> str:
        return next((code for code in self._checks(order, before, in_list) if code), "")

    def _checks(self, order: Order, before: list[Order], in_list: int) -> Iterator[str]:
        """The codes of all checks in order; each is made only when those before it passed."""
        is_child = self._waits_for_parent(order)
        yield "TRADING_HALTED" if self.state.trading_state == "HALTED" else ""  # 1
        yield self._inactive(order)  # 2
        yield self._form(order)  # 3
        yield self.prices(order, order.price, order.trigger, order.activation)  # 4
        yield self.quantity(order, order.qty)  # 5
        yield self._expire_time(order)  # 6
        yield self._notional(order)  # 7
        yield "" if is_child else self._reducing(order, before)  # 8
        yield self._collar(order)  # 9
        yield "" if is_child else self._exposure(order, before)  # 10
        yield self.self_trades.failure(order)  # 11
        yield "" if is_child else self._funds(order, before)  # 12
        yield "ORDER_RATE_EXCEEDED" if self.orders.is_full(self.state.now, in_list) else ""  # 13

    def _inactive(self, order: Order) -> str:
        instrument, now = order.instrument, self.state.now
        if instrument.id not in self.state.instruments:
            return "UNKNOWN_INSTRUMENT"
        too_early = instrument.activation is not None and now < instrument.activation
        too_late = instrument.expiration is not None and now >= instrument.expiration
        return "INSTRUMENT_NOT_ACTIVE" if too_early or too_late else ""

    def _form(self, order: Order) -> str:
        if order.is_duplicate:
            return "DUPLICATE_CLIENT_ORDER_ID"
        if order.is_auction and order.type not in ("MARKET", "LIMIT"):
            return "UNSUPPORTED_TIME_IN_FORCE"
        if order.trigger_type in UNSUPPORTED_TRIGGERS:
            return "UNSUPPORTED_TRIGGER_TYPE"
        if order.post_only and (order.type in NEVER_POST_ONLY or order.tif in TAKING_TIFS):
            return "FLAGS_CONFLICT"
        if self._lacks_price(order):
            return "PRICE_MISSING"
        if order.bracket is not None and self._has_wrong_bracket(order, *order.bracket):
            return "BRACKET_PRICES"
        if order.position_id and not self.state.options.is_hedging:
            return "POSITION_ID_NOT_ALLOWED"
        return ""

    @staticmethod
    def _lacks_price(order: Order) -> bool:
        if order.type == "TRAILING_STOP_LIMIT":
            return order.offset is None or order.limit_offset is None
        if order.is_trailing:
            return order.offset is None
        if order.waits_for_trigger and order.trigger is None:
            return True
        return order.is_limit and order.price is None

    @staticmethod
    def _has_wrong_bracket(order: Order, stop: Decimal, target: Decimal) -> bool:
        """A long needs SL < TP, and SL < entry price < TP where the entry has a price; mirrored for a short."""
        rising = [stop, target] if order.price is None else [stop, order.price, target]
        s = sign(order.side)
        return any(s * low >= s * high for low, high in pairwise(rising))

    def prices(self, order: Order, *prices: Decimal | None) -> str:
        """Check 4, of an order or a modification."""
        for price in prices:
            if price is None:
                continue
            if price <= 0:
                return "PRICE_NOT_POSITIVE"
            if price % order.instrument.tick != 0:
                return "PRICE_OFF_TICK"
        return ""

    def quantity(self, order: Order, qty: Decimal) -> str:
        """Check 5, of an order or a modification."""
        instrument = order.instrument
        if qty <= 0:
            return "QUANTITY_NOT_POSITIVE"
        if not order.quote_qty:
            if qty % instrument.step != 0:
                return "QUANTITY_OFF_STEP"
            if qty < instrument.min_qty:
                return "QUANTITY_BELOW_MIN"
            if instrument.max_qty is not None and qty > instrument.max_qty:
                return "QUANTITY_ABOVE_MAX"
        display = order.display
        if display is not None:
            too_much = not order.quote_qty and display > qty
            if not order.is_limit or display <= 0 or too_much or display % instrument.step != 0:
                return "DISPLAY_QTY_INVALID"
        return ""

    def _expire_time(self, order: Order) -> str:
        is_past = order.tif == "GTD" and order.expire is not None and order.expire <= self.state.now
        return "EXPIRE_TIME_PAST" if is_past else ""

    def _notional(self, order: Order) -> str:
        price, instrument = self.account.order_price(order), order.instrument
        if order.quote_qty or price is None:
            return ""
        notional = instrument.notional(order.qty, price)
        if notional < instrument.min_notional and not order.reduce_only:
            return "NOTIONAL_BELOW_MIN"
        if instrument.max_notional is not None and notional > instrument.max_notional:
            return "NOTIONAL_ABOVE_MAX"
        limit = self.state.limits.of(self.state.limits.max_notional_per_order, instrument.id)
        return "NOTIONAL_ABOVE_MAX_PER_ORDER" if limit is not None and notional > limit else ""

    def _reducing(self, order: Order, before: list[Order]) -> str:
        if self.state.trading_state != "REDUCING":
            return ""
        net = self.state.positions.net(order.instrument)
        is_opposite = net != 0 and (net > 0) == (order.side == "SELL")
        on_side = sum((other.leaves for other in self._on_side(order, before)), order.qty)
        return "" if is_opposite and on_side <= abs(net) else "TRADING_REDUCING"

    def _on_side(self, order: Order, before: list[Order]) -> Iterator[Order]:
        mine = (other for other in before if other.instrument is order.instrument)
        others = [*self.state.open_orders(order.instrument), *mine]
        return (other for other in others if other.side == order.side)

    def _collar(self, order: Order) -> str:
        bps, middle = self.state.limits.price_collar_bps, self.state.market(order).mid_or_last
        if bps is None or middle is None or order.price is None or not order.is_limit:
            return ""
        return "PRICE_COLLAR" if abs(order.price - middle) * BASIS_POINTS > bps * middle else ""

    def _exposure(self, order: Order, before: list[Order]) -> str:
        """An order that does not raise the figure passes."""
        limits, instrument = self.state.limits, order.instrument
        if limits.max_open_orders is not None:
            open_count = sum(other.counts_as_open for other in self.state.live.values()) + len(before)
            if open_count + 1 > limits.max_open_orders:
                return "MAX_OPEN_ORDERS"
        limit = limits.of(limits.max_position, instrument.id)
        if limit is not None:
            now = self.account.quantity_at_risk(instrument, before)
            then = self.account.quantity_at_risk(instrument, [*before, order])
            if then > limit and then > now:
                return "MAX_POSITION"
        for code, amount in limits.max_exposure.items():
            gross = self.account.exposure(code, [*before, order])
            if gross > amount and gross > self.account.exposure(code, before):
                return "MAX_EXPOSURE"
        return ""

    def _funds(self, order: Order, before: list[Order]) -> str:
        if self.state.options.is_cash:
            lock = self.account.cash_lock(order)
            if lock is None:
                return ""
            code, amount = lock
            free = self.account.totals.get(code, ZERO) - self.account.locked(before).get(code, ZERO)
            return "INSUFFICIENT_BALANCE" if amount > free else ""
        if order.instrument.margin_init == 0:
            return ""
        code = self.account.currency_of(order.instrument.settlement)
        now = self.account.locked(before).get(code, ZERO)
        then = self.account.locked([*before, order]).get(code, ZERO)
        is_short = then > now and Fraction(then) > self.account.equity(code)
        return "INSUFFICIENT_MARGIN" if is_short else ""

    # ---------------------------------------------------------------------- modifications (orders 7)

    def modify_failure(self, order: Order, qty: Decimal | None, price: Decimal | None, trigger: Decimal | None) -> str:
        """Refused locally, with the first of these codes."""
        if order.seen_status in CLOSED:
            return "ORDER_CLOSED"
        if self.state.trading_state == "HALTED":
            return "TRADING_HALTED"
        seen = order.seen if order.seen is not None else (order.qty, order.price, order.trigger)
        given = [(new, old) for new, old in zip((qty, price, trigger), seen, strict=True) if new is not None]
        if all(new == old for new, old in given):
            return "NO_CHANGE"
        code = self.prices(order, price, trigger) or ("" if qty is None else self.quantity(order, qty))
        if code:
            return code
        if self.modifies.is_full(self.state.now):
            return "MODIFY_RATE_EXCEEDED"
        self.modifies.count(self.state.now)
        return ""
