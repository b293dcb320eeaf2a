"""The venue's side of commands: orders arrive, are modified and canceled (orders 2 to 7)."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.contingencies import Contingencies
from libra_ray.testing.reference.exact import floor_to, text
from libra_ray.testing.reference.execution import Execution
from libra_ray.testing.reference.market import Market
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.queue_position import join
from libra_ray.testing.reference.sessions import Sessions
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.trailing import first_trigger

__all__ = ["Venue"]

ZERO: Final = Decimal(0)
IMMEDIATE: Final = frozenset(["IOC", "FOK"])


class Venue:
    """Takes commands that are due."""

    def __init__(self, state: State, account: Account) -> None:
        self.state, self.account = state, account
        self.sessions = Sessions(state.options)
        self.execution = Execution(state, account)
        self.links = Contingencies(state)
        self.links.release = self.release
        self.to_emulator: Callable[[Order], None] = lambda _: None

    # ---------------------------------------------------------------------- ends

    def end(self, order: Order, event: str, code: str = "") -> None:
        """REJECTED, CANCELED or EXPIRED, and what follows from it."""
        self.state.emit(order, event, code=code, is_local=not order.reached_venue)
        self.links.ended(order)

    def accept(self, order: Order, place: Place) -> None:
        """ACCEPTED; it now has its place in the order of acceptance."""
        order.place = place
        order.accepted_seq = order.priority = self.state.next_seq()
        order.entered_step = self.state.market(order).step_no
        if order.tif == "DAY" or order.is_auction:
            order.closes_at = self.sessions.close_for(self.state.now)
            self.state.wake_at(order.closes_at)
        self.state.emit(order, "ACCEPTED")

    # ---------------------------------------------------------------------- arrival

    def arrive_list(self, orders: list[Order]) -> None:
        """Orders of a list arrive together: those that wait for a parent are known before the first one executes."""
        held: list[str] = []
        for order in orders:
            order.reached_venue = True
            if not order.is_closed and self.links.must_wait(order):
                order.place = Place.HELD
                held.append(order.label)
        for order in orders:
            if not order.is_closed and order.label not in held:
                self._arrive(order)

    def release(self, order: Order) -> None:
        """A child is let go: treated as arriving at that moment."""
        if order.emulate and not order.reached_venue:
            self.to_emulator(order)
        else:
            self._arrive(order)

    def _arrive(self, order: Order) -> None:
        now, market = self.state.now, self.state.market(order)
        order.place, order.is_unreleased = Place.IN_FLIGHT, False
        if market.is_expired:
            self.end(order, "REJECTED", "INSTRUMENT_EXPIRED")
        elif order.expire is not None and order.tif == "GTD" and order.expire <= now:
            self.end(order, "REJECTED", "EXPIRED_ON_ARRIVAL")
        elif order.is_auction and not self.sessions.has_calendar:
            self.end(order, "REJECTED", "NO_SESSION")
        elif not self._executes_now(market) and not order.is_auction and self._is_immediate(order):
            self.end(order, "REJECTED", "MARKET_CLOSED")
        elif self._fit_quantity(order, market):
            if order.is_auction:
                self.accept(order, Place.AUCTION)
            elif order.waits_for_trigger:
                self._arrive_stop(order, market)
            elif order.type == "LIMIT":
                self._arrive_limit(order, market)
            else:
                self._arrive_market(order, market)

    def _is_immediate(self, order: Order) -> bool:
        """Matching 9: MARKET, IOC and FOK cannot wait for a session. IOC on a stop applies when it is hit."""
        if order.waits_for_trigger:
            return False
        return order.type != "LIMIT" or order.tif in IMMEDIATE

    def _fit_quantity(self, order: Order, market: Market) -> bool:
        """quote_quantity, then reduce_only, then what a CASH account may sell short. False: it was rejected."""
        if order.quote_qty and not self._convert_quantity(order, market):
            return False
        if order.reduce_only:
            room = self.links.room(order)
            if room == 0:
                self.end(order, "REJECTED", "REDUCE_ONLY_NO_POSITION")
                return False
            if order.leaves > room:
                self.state.update(order, qty=order.filled + room)
        options, instrument = self.state.options, order.instrument
        may_be_short = not options.is_cash or instrument.is_pair or options.allow_borrowing
        if order.side == "SELL" and not may_be_short and order.leaves > self.state.positions.net(instrument):
            self.end(order, "REJECTED", "SHORT_NOT_ALLOWED")
            return False
        return True

    def _convert_quantity(self, order: Order, market: Market) -> bool:
        """Orders 4: at the own price, the trigger, or the opposite best; floored to the size step; UPDATED first."""
        price = order.price if order.price is not None else order.trigger
        if price is None:
            price = market.opposite(order.side)
        if price is None:
            self.end(order, "REJECTED", "NO_MARKET")
            return False
        instrument = order.instrument
        per_unit = Fraction(price) * Fraction(instrument.multiplier)
        if instrument.inverse:
            per_unit = Fraction(instrument.multiplier)
        qty = floor_to(Fraction(order.qty) / per_unit, instrument.step)
        if qty < instrument.step or qty < instrument.min_qty:
            self.end(order, "REJECTED", "QUANTITY_BELOW_MIN")
            return False
        order.quote_qty = False
        order.qty = order.asked_qty = qty
        self.state.emit(order, "UPDATED", {"qty": text(qty)})  # also where the number is the same: its unit is not
        return True

    def _arrive_market(self, order: Order, market: Market) -> None:
        """MARKET and MARKET_TO_LIMIT."""
        if market.opposite(order.side) is None:
            self.end(order, "REJECTED", "NO_MARKET")
        elif market.waits_for_open:
            self.accept(order, Place.PENDING)
            self._pend(order)
        elif order.type == "MARKET_TO_LIMIT":
            self.accept(order, Place.IN_FLIGHT)
            self.execute(order)
        else:
            self.execute(order)

    def _arrive_limit(self, order: Order, market: Market) -> None:
        if order.post_only and market.is_marketable(order):
            self.end(order, "REJECTED", "POST_ONLY_WOULD_TAKE")
            return
        self.accept(order, Place.RESTING)
        self.act_as_limit(order)

    def act_as_limit(self, order: Order) -> None:
        """The marketable part executes, the rest waits. Outside sessions all of it waits."""
        market = self.state.market(order)
        if not self._executes_now(market):
            self._rest(order)
        elif market.is_marketable(order) and market.waits_for_open:
            self._pend(order)
        elif market.is_marketable(order) or order.tif in IMMEDIATE:
            self.execute(order)
        else:
            self._rest(order)

    def _pend(self, order: Order) -> None:
        """next_open: it waits for the open, behind what waits already."""
        order.place, order.pending_seq = Place.PENDING, self.state.next_seq()

    def _rest(self, order: Order) -> None:
        market = self.state.market(order)
        order.place, order.entered_step = Place.RESTING, market.step_no
        order.new_slice()
        join(order, market)

    def execute(self, order: Order) -> None:
        """One taker execution with all that follows; what is left of a limit rests."""
        if order.is_limit and not self.state.market(order).is_marketable(order):
            code = {"IOC": "IOC_REST", "FOK": "FOK_UNFILLED"}.get(order.tif)
            if code is None:
                self._rest(order)
            else:
                self.end(order, "CANCELED", code)
            return
        got = self.execution.take(order)
        if not order.is_closed:
            self._rest(order)
        self.links.executed(order, got)

    # ---------------------------------------------------------------------- stops

    def _arrive_stop(self, order: Order, market: Market) -> None:
        order.is_active = order.activation is None
        is_hit = order.is_active and market.is_hit(order)
        if is_hit and self.state.options.reject_stop_orders:
            self.end(order, "REJECTED", "STOP_IN_MARKET")
            return
        self.accept(order, Place.WAITING)
        if is_hit:
            if self._executes_now(market):
                self.fire(order)
        elif order.is_trailing:
            self.start_trailing(order)

    def _executes_now(self, market: Market) -> bool:
        """Whether a stop that is hit on arrival acts: inside a session; outside it is accepted and waits."""
        return self.sessions.takes_command(self.state.now) or market.is_inside_bar

    def start_trailing(self, order: Order) -> None:
        """Orders 6: active when the source reaches the activation price; without a trigger it is computed then."""
        source = self.state.market(order).source(order)
        if source is None:
            return
        if not order.is_active:
            activation = order.activation
            reached = activation is None or (source >= activation if order.side == "SELL" else source <= activation)
            if not reached:
                return
            order.is_active = True
        if order.trigger is None:
            self.state.update(order, **first_trigger(order, source))

    def fire(self, order: Order, at: Decimal | None = None) -> None:
        """The trigger is hit: MARKET types execute, limit types are TRIGGERED and act as arriving limits.

        `at` is the price of the execution inside a bar step; between two bars with next_open it waits.
        """
        market = self.state.market(order)
        if market.waits_for_open:
            self._pend(order)
            return
        step_price = market.opposite(order.side)
        if at is not None:
            market.top.move_price(at)
        got, event, code = ZERO, "", ""
        if order.works_as_market:
            got = self.execution.take(order)
        else:
            order.is_triggered = True
            self.state.emit(order, "TRIGGERED")
            is_marketable = market.is_marketable(order)
            if order.post_only and is_marketable:
                event, code = "REJECTED", "POST_ONLY_WOULD_TAKE"
            elif is_marketable:
                got = self.execution.take(order)
            elif order.tif in IMMEDIATE:
                event, code = "CANCELED", "IOC_REST" if order.tif == "IOC" else "FOK_UNFILLED"
        if event:
            self.end(order, event, code)
        else:
            if not order.is_closed:
                self._rest(order)
            self.links.executed(order, got)
        if at is not None and step_price is not None:
            market.top.move_price(step_price)

    # ---------------------------------------------------------------------- modify and cancel (orders 7)

    def cancel(self, order: Order, code: str = "") -> None:
        """A cancel that is due."""
        if order.is_closed:
            self.state.emit(order, "CANCEL_REJECTED", code="ORDER_CLOSED")
        elif not order.reached_venue:
            self.state.emit(order, "CANCEL_REJECTED", code="UNKNOWN_ORDER")
        else:
            self.end(order, "CANCELED", code)

    def modify(self, order: Order, qty: Decimal | None, price: Decimal | None, trigger: Decimal | None) -> None:
        """A modification that is due."""
        market = self.state.market(order)
        code = self._refusal(order, market, qty, price, trigger)
        if code:
            self.state.emit(order, "MODIFY_REJECTED", code=code)
            return
        given = (("qty", qty), ("price", price), ("trigger", trigger))
        changed = {name: new for name, new in given if new is not None and new != getattr(order, name)}
        is_larger = "qty" in changed and changed["qty"] > order.qty
        if "qty" in changed:
            order.asked_qty = changed["qty"]
        self.state.update(order, **changed)
        if order.place is Place.HELD:
            return
        if is_larger or "price" in changed or "trigger" in changed:
            order.priority = self.state.next_seq()
            if order.place is Place.RESTING:
                join(order, market)
        if order.reduce_only and order.leaves > self.links.room(order) > 0:
            self.state.update(order, qty=order.filled + self.links.room(order))
        self._act_on_change(order, market, changed)

    def _refusal(
        self, order: Order, market: Market, qty: Decimal | None, price: Decimal | None, trigger: Decimal | None
    ) -> str:
        if order.is_closed:
            return "ORDER_CLOSED"
        if not order.reached_venue:
            return "UNKNOWN_ORDER"
        if qty is not None and qty <= order.filled:
            return "QUANTITY_FILLED"
        is_limit_now = order.place in (Place.RESTING, Place.PENDING) and (order.type == "LIMIT" or order.is_triggered)
        changes_price = price is not None and price != order.price
        if order.post_only and is_limit_now and changes_price and market.is_marketable(order, price):
            return "POST_ONLY_WOULD_TAKE"
        waits = order.place in (Place.WAITING, Place.PENDING) and order.waits_for_trigger and not order.is_triggered
        if waits and self.state.options.reject_stop_orders and market.is_hit(order, trigger):
            return "STOP_IN_MARKET"
        return ""

    def _act_on_change(self, order: Order, market: Market, changed: dict[str, Decimal]) -> None:
        """A price that becomes marketable executes at once; a trigger that is hit fires at once.

        What waits for the open is judged there.
        """
        is_stop = order.waits_for_trigger and not order.is_triggered
        if is_stop and "trigger" in changed:
            order.place = Place.WAITING
            if market.is_hit(order) and self._executes_now(market):
                self.fire(order)
        elif not is_stop and "price" in changed and order.place is Place.RESTING and market.is_marketable(order):
            self.act_as_limit(order)
