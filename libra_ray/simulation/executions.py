"""How an order at the simulated venue executes, and how it ends: the part that reports.

Each event is reported, and so applied to positions and money, before the next one is made.
"""

from collections.abc import Callable
from heapq import heappush
from typing import TypeAlias

from libra_ray.kernel.settings import VenueSettings
from libra_ray.matching import L1Book
from libra_ray.messages.events import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    OrderUpdated,
)
from libra_ray.model.enums import (
    InstrumentKind,
    LiquiditySide,
    OrderType,
    TimeInForce,
    TriggerType,
)
from libra_ray.model.orders import Order
from libra_ray.portfolio import Portfolio
from libra_ray.simulation.market import Market, Working, is_market_type

__all__ = ["Executions"]

Report: TypeAlias = Callable[[OrderEvent], None]

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_LAST = TriggerType.LAST_PRICE


class Executions:
    """Fills, triggers, cancels and reduce-only adjustments of one venue's orders.

    Attributes:
        markets: by instrument id.
        expiries: a heap of (expire_ns, seq, order) of GTD orders; closed ones are skipped when they surface.
    """

    def __init__(
        self, settings: VenueSettings, portfolio: Portfolio, markets: dict[str, Market], report: Report
    ) -> None:
        self.settings = settings
        self.markets = markets
        self.expiries: list[tuple[int, int, Working]] = []
        self._portfolio = portfolio
        self._report = report
        self._waits_for_open = settings.bar_fill == "next_open"
        self._is_cash = settings.account == "cash"
        self._is_adaptive = settings.bar_path == "adaptive"
        self._orders_seen = 0
        self._trades_made = 0
        self._priority = 0
        self._reduce_only_count = 0
        self._now_ns = 0
        self._position_ids: dict[tuple[str, str], str] = {}

    def _trigger(self, market: Market, working: Working) -> None:
        """A stop is hit: it executes as a market order, or becomes a limit that arrives now."""
        order = working.order
        working.waits = False
        if order.type is OrderType.STOP_MARKET:
            self._execute_taker(market, working, None)
            return
        self._report(OrderTriggered(*self._head(order)))
        if market.book.is_marketable(working.price, is_buy=order.is_buy):
            if order.post_only:
                self._drop(market, working)
                self._reject(order, "POST_ONLY_WOULD_TAKE")
                return
            self._execute_taker(market, working, working.price)
        else:
            self._rest(market, working)

    def _execute_taker(self, market: Market, working: Working, limit: int | None) -> None:
        """Take from the book what there is for this order; what is left ends or rests by its time in force."""
        order = working.order
        tif = order.time_in_force
        book = market.book
        is_buy = order.is_buy
        if tif is TimeInForce.FOK and not self._covers(book, order, limit):
            self._cancel(market, working, "FOK_UNFILLED")
            return
        best = book.opposite(is_buy=is_buy).px
        for quantity, px in book.offers(order.leaves_raw, limit, is_buy=is_buy, best_only=tif in _IMMEDIATE):
            if not self._fill(market, working, quantity, px, LiquiditySide.TAKER):
                break
            if px == best:
                book.use(quantity, is_buy=is_buy)
        if order.is_closed:
            self._after_execution(market, working)
        elif is_market_type(order) and tif not in _IMMEDIATE:
            self._cancel(market, working, "NO_LIQUIDITY")
        else:
            self._rest(market, working)

    @staticmethod
    def _covers(book: L1Book, order: Order, limit: int | None) -> bool:
        if limit is not None and not book.is_marketable(limit, is_buy=order.is_buy):
            return False
        return book.available(is_buy=order.is_buy) >= order.leaves_raw

    def _rest(self, market: Market, working: Working) -> None:
        """What is left of a limit waits as a maker, unless its time in force has ended here."""
        tif = working.order.time_in_force
        if tif is TimeInForce.FOK:
            self._cancel(market, working, "FOK_UNFILLED")
        elif tif is TimeInForce.IOC:
            self._cancel(market, working, "IOC_REST")
        else:
            self._wait(market, working)
            self._after_execution(market, working)

    def _wait(self, market: Market, working: Working) -> None:
        order = working.order
        if order.reduce_only and order.client_order_id not in market.working:
            self._reduce_only_count += 1
        is_new = order.client_order_id not in market.working
        if order.expire_ns is not None and order.time_in_force is TimeInForce.GTD and is_new:
            heappush(self.expiries, (order.expire_ns, working.seq, working))
        market.add(working)

    def _fill(self, market: Market, working: Working, qty_raw: int, px_raw: int, side: LiquiditySide) -> bool:
        """Report one fill; False, and the order is canceled, where a cash account cannot pay for it."""
        order = working.order
        instrument = market.instrument
        fee = self._portfolio.terms[instrument.id].fee(px_raw, qty_raw, is_taker=side is LiquiditySide.TAKER)
        if self._is_cash and not self._can_pay(market, order, qty_raw, px_raw, fee):
            self._cancel(market, working, "INSUFFICIENT_FUNDS")
            return False
        self._trades_made += 1
        unit = instrument.settlement
        key = (order.instrument_id, order.strategy_id)
        position_id = self._position_ids.get(key)
        if position_id is None:
            position_id = self._position_ids[key] = f"{order.instrument_id}-{order.strategy_id}"
        self._report(
            OrderFilled(
                self._now_ns,
                order.strategy_id,
                order.instrument_id,
                order.client_order_id,
                order.venue_order_id,
                f"T-{self.settings.name}-{self._trades_made}",
                position_id,
                order.side,
                qty_raw,
                instrument.size_precision,
                px_raw,
                instrument.price_precision,
                side,
                fee,
                unit.code,
                unit.precision,
            )
        )
        return True

    def _can_pay(self, market: Market, order: Order, qty_raw: int, px_raw: int, fee: int) -> bool:
        """A cash account never goes below zero; what is not a pair may be sold short where borrowing is allowed."""
        instrument = market.instrument
        account = self._portfolio.accounts[self.settings.name]
        worth = instrument.notional(px_raw=px_raw, qty_raw=qty_raw).raw
        cash = account.total_raw(instrument.quote.code)
        if order.is_buy:
            return cash >= worth + fee
        if instrument.kind is InstrumentKind.PAIR and instrument.base is not None:
            scale = instrument.base.precision - instrument.size_precision
            needed = qty_raw * 10**scale if scale >= 0 else -(-qty_raw // 10**-scale)
            return account.total_raw(instrument.base.code) >= needed and cash + worth >= fee
        if cash + worth < fee:
            return False
        position = self._portfolio.open.get((order.instrument_id, order.strategy_id))
        return self.settings.allow_borrowing or (position is not None and position.quantity_raw >= qty_raw)

    # ------------------------------------------------------------------ endings

    def _after_execution(self, market: Market, working: Working) -> None:
        """A filled order leaves; reduce-only orders follow the position they are held against."""
        if working.order.is_closed:
            self._drop(market, working)
        if self._reduce_only_count:
            self._follow_position(market)

    def _follow_position(self, market: Market) -> None:
        for working in list(market.working.values()):
            order = working.order
            if not order.reduce_only:
                continue
            position = self._portfolio.open.get((order.instrument_id, order.strategy_id))
            held = 0 if position is None else position.quantity_raw
            if held == 0 or (held > 0) == order.is_buy:
                self._cancel(market, working, "REDUCE_ONLY_FLAT", follow=False)
            elif order.leaves_raw > abs(held):
                self._report(OrderUpdated(*self._head(order), order.filled_raw + abs(held), None, None))

    def _cancel(self, market: Market, working: Working, code: str, *, follow: bool = True) -> None:
        self._drop(market, working)
        self._report(OrderCanceled(*self._head(working.order), code))
        if follow and self._reduce_only_count:
            self._follow_position(market)

    def _drop(self, market: Market, working: Working) -> None:
        if market.working.get(working.order.client_order_id) is working:
            if working.order.reduce_only:
                self._reduce_only_count -= 1
            market.remove(working)

    def _accept(self, order: Order) -> None:
        self._report(OrderAccepted(*self._head(order), order.venue_order_id))

    def _reject(self, order: Order, code: str) -> None:
        self._report(OrderRejected(*self._head(order), code, f"rejected by {self.settings.name}: {code}"))

    def _head(self, order: Order) -> tuple[int, str, str, str]:
        return self._now_ns, order.strategy_id, order.instrument_id, order.client_order_id

    def _next_priority(self) -> int:
        self._priority += 1
        return self._priority

    def _holds(self, market: Market) -> bool:
        """Whether nothing executes until the next bar opens."""
        return self._waits_for_open and market.is_bars_only and market.rows.step_px is None

    def _hold(self, market: Market, working: Working) -> None:
        market.hold(working)
        self._wait(market, working)
