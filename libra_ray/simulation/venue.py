"""The simulated venue: takes orders and changes, and says what arrives executes, waits or is refused."""

from collections.abc import Callable
from fractions import Fraction
from heapq import heappop

from libra_ray.kernel.settings import VenueSettings
from libra_ray.messages.commands import ModifyOrder
from libra_ray.messages.events import (
    OrderCancelRejected,
    OrderModifyRejected,
)
from libra_ray.model.enums import InstrumentKind, OrderType, TimeInForce
from libra_ray.model.orders import Order
from libra_ray.portfolio import Funds, Portfolio
from libra_ray.runtime import NEVER_NS
from libra_ray.simulation.account_watch import AccountWatch
from libra_ray.simulation.latency import CommandKind, DueCommands, Latency
from libra_ray.simulation.market import Market
from libra_ray.simulation.queue_places import QueuePlaces
from libra_ray.simulation.reports import EngineLinks
from libra_ray.simulation.settlements import Settlements, next_rollover_ns
from libra_ray.simulation.working import Working

__all__ = ["SimulatedVenue"]

_GTC = TimeInForce.GTC
_MARKET = OrderType.MARKET
_MARKET_TO_LIMIT = OrderType.MARKET_TO_LIMIT
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK)
_AUCTIONS = (TimeInForce.AT_THE_OPEN, TimeInForce.AT_THE_CLOSE)


class SimulatedVenue(Settlements):
    """One venue with all its instruments. Ids count up from 1 in the order of birth.

    Attributes:
        due: commands on their way, by when they are due.
        report_ns: how much later actors hear of what happened.
    """

    __slots__ = (
        "_commands_seen",
        "_is_prompt",
        "_latency",
        "_looks_twice",
        "account_watch",
        "children",
        "due",
        "places",
        "report_ns",
    )

    def __init__(
        self,
        settings: VenueSettings,
        portfolio: Portfolio,
        funds: Funds,
        markets: dict[str, Market],
        links: EngineLinks,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(settings, portfolio, markets, links, seed)
        self.children: dict[str, list[Working]] = {}
        self.places = QueuePlaces(settings.queue, settings.queue_power)
        for market in markets.values():
            market.has_queue, market.has_sessions = self.places.is_on, self.sessions.has_calendar
        self.account_watch = AccountWatch(
            settings, portfolio, funds, markets, liquidate=self._liquidate, call=links.call
        )
        if not self._fees.is_plain:
            funds.hold_back_by(self._fees.to_hold_back)
        self._latency = Latency(settings.latency, seed, settings.name)
        self._is_prompt = self._latency.is_none
        self._looks_twice = self._is_cash or self.sessions.has_calendar
        self._commands_seen = 0
        self.due = DueCommands()
        self.next_rollover_ns = self.next_contract_end_ns = NEVER_NS
        self._liquidations = 0
        self.report_ns = self._latency.report_ns

    @property
    def is_timed(self) -> bool:
        """Whether anything but orders' own times may be due: delayed commands and reports, expiry, roll-over."""
        ends = any(market.instrument.expiration_ns is not None for market in self.markets.values())
        return ends or bool(self.settings.rollover) or not self._latency.is_none or self.report_ns > 0

    def begin(self, ts_ns: int) -> None:
        """The first row is about to come."""
        self._now_ns = ts_ns
        ends = [m.instrument.expiration_ns for m in self.markets.values() if m.instrument.expiration_ns is not None]
        self.next_contract_end_ns = min(ends, default=self.next_contract_end_ns)
        if self.settings.rollover:
            self.next_rollover_ns = next_rollover_ns(ts_ns)

    # ------------------------------------------------------------------ commands

    def submit(self, order: Order, ts_ns: int) -> None:
        """An order is sent."""
        if self._is_prompt and order.parent_order_id is None and not order.linked_order_ids:
            self._now_ns = ts_ns
            self._arrive(self._register(order))
            if self.account_watch.is_on:
                self.account_watch.check(ts_ns)
        else:
            self._delay("insert", ts_ns, lambda due_ns: self._submit((order,), due_ns))

    def submit_list(self, orders: tuple[Order, ...], ts_ns: int) -> None:
        """Orders that depend on each other are sent."""
        self._delay("insert", ts_ns, lambda due_ns: self._submit(orders, due_ns))

    def modify(self, command: ModifyOrder) -> None:
        """A change is sent."""
        self._delay("modify", command.ts_ns, lambda due_ns: self._modify(command, due_ns))

    def cancel(self, order: Order, ts_ns: int, code: str = "") -> None:
        """A cancel is sent; `code` says why where its strategy did not ask."""
        self._delay("cancel", ts_ns, lambda due_ns: self._cancel_asked(order, due_ns, code))

    def _delay(self, kind: CommandKind, ts_ns: int, call: Callable[[int], None]) -> None:
        """Executed in its settle where nothing delays it, otherwise when it is due."""
        self._commands_seen += 1
        due_ns = ts_ns if self._is_prompt else self._latency.due_ns(kind, ts_ns, self._commands_seen)
        if due_ns == ts_ns:
            call(ts_ns)
        else:
            self.due.put(due_ns, call)

    def _submit(self, orders: tuple[Order, ...], ts_ns: int) -> None:
        self._now_ns = ts_ns
        arrived = [self._register(order) for order in orders]
        free = []
        for working in arrived:
            if self._register_links(working):
                self.held[working.order.client_order_id] = working
                self._note_end(working)
            else:
                free.append((working, self._missed_by(working)))
        self.arriving.update((working.order.client_order_id, working) for working, _ in free)
        for working, missed in free:
            self.arriving.pop(working.order.client_order_id, None)
            if not working.order.is_closed:
                self._arrive_linked(working, missed)
        if self.account_watch.is_on:
            self.account_watch.check(ts_ns)

    def _arrive_linked(self, working: Working, missed: int) -> None:
        """A child or sibling that comes after others have filled or ended is as large as they leave it, or ends."""
        order = working.order
        if self.settings.support_contingent_orders and (order.parent_order_id or order.linked_order_ids):
            quantity = self._quantity_left(working, missed)
            if quantity <= order.filled_raw:
                self._cancel(working, "CONTINGENCY")
                return
            if quantity != order.quantity_raw:
                self._update(order, quantity=quantity)
        self._arrive(working)

    def _modify(self, command: ModifyOrder, ts_ns: int) -> None:
        self._now_ns = ts_ns
        order = command.order
        working = self._find(order)
        if working is None:
            code = "ORDER_CLOSED" if order.venue_order_id else "UNKNOWN_ORDER"
        else:
            code = self._modify_refusal(working, command) or ""
        if code or working is None:
            self._report(OrderModifyRejected(*self._head(order), code))
            return
        market = working.market
        retriggers = command.trigger_raw is not None and command.trigger_raw != order.trigger_raw
        moves = retriggers or (command.price_raw is not None and command.price_raw != order.price_raw)
        loses_priority = moves or (command.quantity_raw is not None and command.quantity_raw > order.quantity_raw)
        if command.quantity_raw is not None:
            working.asked_raw = command.quantity_raw
        self._update(
            order,
            quantity=None if command.quantity_raw == order.quantity_raw else command.quantity_raw,
            price=None if command.price_raw == order.price_raw else command.price_raw,
            trigger=None if command.trigger_raw == order.trigger_raw else command.trigger_raw,
        )
        if order.client_order_id in self.held:
            return
        if loses_priority:
            self._lose_priority(working)
        market.changed()
        if order.reduce_only:
            self._follow_positions(market)
        if retriggers and working.pending and working.waits and order.time_in_force not in _AUCTIONS:
            market.release(working)  # its trigger may be hit no longer
        if moves and not working.pending and not order.is_closed:
            self._act_after_change(working)
        if self.account_watch.is_on:
            self.account_watch.check(ts_ns)

    def _cancel_asked(self, order: Order, ts_ns: int, reason: str) -> None:
        self._now_ns = ts_ns
        working = self._find(order)
        if working is None:
            code = "ORDER_CLOSED" if order.venue_order_id else "UNKNOWN_ORDER"
            self._report(OrderCancelRejected(*self._head(order), code))
        else:
            self._cancel(working, reason)
            if self.account_watch.is_on:
                self.account_watch.check(ts_ns)

    # ------------------------------------------------------------------ time

    @property
    def next_expiry_ns(self) -> int | None:
        """When the next GTD order that still works expires."""
        while self.expiries and self.expiries[0][2].order.is_closed:
            heappop(self.expiries)
        return self.expiries[0][0] if self.expiries else None

    @property
    def next_close_ns(self) -> int | None:
        """When the next session closes that an order waits for, or ends with."""
        for heap in (self.closings, self.day_ends):
            while heap and heap[0][2].order.is_closed:
                heappop(heap)
        return min((heap[0][0] for heap in (self.closings, self.day_ends) if heap), default=None)

    def expire(self, ts_ns: int) -> None:
        """GTD orders with `expire_time` up to `ts_ns` end, by expire time and acceptance, each stamped with its own."""
        while (due_ns := self.next_expiry_ns) is not None and due_ns <= ts_ns:
            working = heappop(self.expiries)[2]
            self._now_ns = due_ns
            self._expire(working)

    # ------------------------------------------------------------------ arrival

    def _arrive(self, working: Working) -> None:
        """An order arrives and acts: what it may not do is refused first."""
        order, market = working.order, working.market
        tif = order.time_in_force
        if tif is not _GTC or order.reduce_only or self._looks_twice or order.quote_quantity or not market.is_alive:
            code = self._refusal_on_arrival(working)
            if code is not None:
                self._reject(working, code)
                return
            if tif in _AUCTIONS:
                self._wait_for_auction(working)
                return
        if order.type is _MARKET or order.type is _MARKET_TO_LIMIT:
            self._arrive_market(working)
        elif order.type is OrderType.LIMIT:
            self._arrive_limit(working)
        else:
            self._arrive_trigger(working)

    def _refusal_on_arrival(self, working: Working) -> str | None:
        order, now_ns = working.order, self._now_ns
        if order.time_in_force is TimeInForce.GTD and order.expire_ns is not None and order.expire_ns <= now_ns:
            return "EXPIRED_ON_ARRIVAL"
        if not working.market.is_alive:
            return "INSTRUMENT_EXPIRED"
        if order.time_in_force in _AUCTIONS and not self.sessions.has_calendar:
            return "NO_SESSION"
        if self.sessions.has_calendar and not self._is_open(working.market):
            is_market = order.type is OrderType.MARKET or order.type is OrderType.MARKET_TO_LIMIT
            is_immediate = order.time_in_force in _IMMEDIATE and not working.waits
            if (is_market and order.time_in_force not in _AUCTIONS) or is_immediate:
                return "MARKET_CLOSED"
        if order.quote_quantity:
            code = self._convert_quote_quantity(working)
            if code is not None:
                return code
        return self._refusal_by_position(working)

    def _refusal_by_position(self, working: Working) -> str | None:
        order = working.order
        held = self._held_raw(order)
        if order.reduce_only:
            if held == 0 or (held > 0) == order.is_buy:
                return "REDUCE_ONLY_NO_POSITION"
            if order.leaves_raw > abs(held):
                self._update(order, quantity=order.filled_raw + abs(held))
        if self._is_cash and not order.is_buy and not self.settings.allow_borrowing:
            kind = working.market.instrument.kind
            if kind is not InstrumentKind.PAIR and order.leaves_raw > max(held, 0):
                return "SHORT_NOT_ALLOWED"
        return None

    def _convert_quote_quantity(self, working: Working) -> str | None:
        """An amount of quote currency becomes a quantity, down to the size step, at the price the order counts at."""
        order, market = working.order, working.market
        instrument = market.instrument
        px_raw = order.price_raw if order.price_raw is not None else order.trigger_raw
        if px_raw is None:
            px_raw = market.stand_at_latest().opposite_px(is_buy=order.is_buy)
        if px_raw is None or px_raw <= 0:
            return "NO_MARKET"
        amount = Fraction(order.quantity_raw, 10**order.size_precision)
        price = Fraction(px_raw, 10**instrument.price_precision)
        worth = Fraction(instrument.multiplier.num, instrument.multiplier.den) * (1 if instrument.inverse else price)
        steps = int(amount / worth * 10**instrument.size_precision) // instrument.step_raw
        quantity = steps * instrument.step_raw
        if quantity < max(instrument.min_qty_raw or 0, instrument.step_raw):
            return "QUANTITY_BELOW_MIN"
        if quantity > instrument.largest_raw:
            return "QUANTITY_ABOVE_MAX"
        self._update(order, quantity=quantity)
        working.asked_raw = quantity
        return None

    def _arrive_market(self, working: Working) -> None:
        market, order = working.market, working.order
        if self._holds(market):
            if market.rows.last() is None:
                self._reject(working, "NO_MARKET")
            else:
                self._accept(working)
                self._hold(working)
        elif market.stand_at_latest().opposite_px(is_buy=order.is_buy) is None:
            self._reject(working, "NO_MARKET")
        else:
            if order.type is OrderType.MARKET_TO_LIMIT:
                self._accept(working)
            self._execute_taker(working)

    def _arrive_limit(self, working: Working) -> None:
        order, market = working.order, working.market
        market.stand_at_latest()
        is_marketable = market.is_marketable(working.price, is_buy=order.is_buy)
        if order.post_only and is_marketable:
            self._reject(working, "POST_ONLY_WOULD_TAKE")
            return
        self._accept(working)
        if not is_marketable:
            self._end_taker(working, 0, self._end_code(working, None))
        else:
            self._act(working)

    def _arrive_trigger(self, working: Working) -> None:
        market = working.market
        market.stand_at_latest()
        is_hit = market.is_hit(working, working.trigger)
        if is_hit and self.settings.reject_stop_orders:
            self._reject(working, "STOP_IN_MARKET")
            return
        self._accept(working)
        if is_hit:
            self._act(working)
            return
        self._wait(working)
        if working.is_trailing:
            self._follow_market(working)

    def _act(self, working: Working) -> None:
        """What is marketable or hit acts now, unless bars let it wait for the next open, or the market is closed."""
        market = working.market
        if self._has_calendar and not self._is_open(market):
            self._wait(working) if working.waits else self._rest(working)
        elif self._holds(market):
            self._hold(working)
        elif working.waits:
            self._wait(working)
            self._trigger(working)
        else:
            self._execute_taker(working)

    def _is_open(self, market: Market) -> bool:
        """Whether orders execute now: inside a session, or within the steps of a bar that ends with one."""
        return self.sessions.takes_command(self._now_ns) or market.rows.step_px is not None

    def _wait_for_auction(self, working: Working) -> None:
        """An order for an open or a close is accepted and waits for it."""
        order, market = working.order, working.market
        self._accept(working)
        if order.time_in_force is TimeInForce.AT_THE_OPEN:
            is_bar = market.is_bars_only
            opens_ns = self.sessions.open_for_auction(self._now_ns, market.last_row_ns(), is_bar=is_bar)
            if opens_ns is not None:
                market.auction.append((opens_ns, working))
        working.pending = True
        self._wait(working)
        market.changed()

    # ------------------------------------------------------------------ changes

    def _modify_refusal(self, working: Working, command: ModifyOrder) -> str | None:
        order, market = working.order, working.market
        market.stand_at_latest()
        if command.quantity_raw is not None and command.quantity_raw <= order.filled_raw:
            return "QUANTITY_FILLED"
        if order.client_order_id in self.held:
            return None
        if working.waits:
            trigger = command.trigger_raw if command.trigger_raw is not None else working.trigger
            if self.settings.reject_stop_orders and market.is_hit(working, trigger):
                return "STOP_IN_MARKET"
            return None
        asked = command.price_raw
        if not order.post_only or asked is None or asked == order.price_raw:
            return None
        return "POST_ONLY_WOULD_TAKE" if market.is_marketable(asked, is_buy=order.is_buy) else None

    def _act_after_change(self, working: Working) -> None:
        """What became marketable, or was hit, by a change acts as if it arrived now."""
        order, market = working.order, working.market
        if working.waits:
            acts = market.is_hit(working, working.trigger)
        else:
            acts = market.is_marketable(working.price, is_buy=order.is_buy)
        if acts:
            self._act(working)
