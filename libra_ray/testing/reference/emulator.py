"""The order emulator (orders 8)."""

from decimal import Decimal
from typing import Final

from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import text
from libra_ray.testing.reference.kernel import Kernel
from libra_ray.testing.reference.orders import Order, Place
from libra_ray.testing.reference.sessions import Sessions
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.trailing import moved_trigger

__all__ = ["Emulator"]

SOURCES: Final = {"BID_ASK": "BID_ASK", "LAST_PRICE": "LAST_PRICE"}


class Emulator:
    """Holds orders locally until their test is true."""

    def __init__(self, state: State, kernel: Kernel, sessions: Sessions) -> None:
        self.state, self.kernel, self.sessions = state, kernel, sessions

    # ---------------------------------------------------------------------- commands

    def arrive(self, order: Order) -> None:
        """A new order, or a child whose parent filled. What is hit already is released at once, without EMULATED."""
        if order.emulate not in SOURCES:
            self.state.emit(order, "DENIED", is_local=True, code="UNSUPPORTED_TRIGGER_TYPE")
            self.kernel.venue.links.ended(order)
            return
        self.state.live[order.label] = order
        if self.kernel.venue.links.must_wait(order):
            order.place = Place.HELD
            return
        order.place = Place.EMULATED
        order.is_active = order.activation is None
        order.accepted_seq = order.priority = self.state.next_seq()
        source = self._source(order)
        if source is not None:
            self._move(order, source)
            if self._is_hit(order, source):
                self._release(order, source)
                return
        if order.tif == "DAY":
            order.closes_at = self.sessions.close_for(self.state.now)
            self.state.wake_at(order.closes_at)
        self.state.emit(order, "EMULATED", is_local=True)

    def cancel(self, order: Order) -> None:
        """Local."""
        self.state.emit(order, "CANCELED", is_local=True)
        self.kernel.venue.links.ended(order)

    # ---------------------------------------------------------------------- rows

    def on_row(self, instrument: Instrument) -> None:
        """Seen when the row is delivered to actors: first the test, then the move of trailing triggers."""
        held = [order for order in self.state.live.values() if order.place is Place.EMULATED]
        for order in sorted(held, key=lambda order: order.accepted_seq):
            if order.instrument is not instrument or order.is_closed or order.place is not Place.EMULATED:
                continue
            source = self._source(order)
            if source is None:
                continue
            if self._is_hit(order, source):
                self._release(order, source)
            else:
                self._move(order, source)

    def _source(self, order: Order) -> Decimal | None:
        market = self.state.market(order)
        return market.last if order.emulate == "LAST_PRICE" else market.opposite(order.side)

    def _is_hit(self, order: Order, source: Decimal) -> bool:
        if order.type == "LIMIT":
            return order.price is not None and (source <= order.price if order.side == "BUY" else source >= order.price)
        if order.type in ("MARKET", "MARKET_TO_LIMIT"):
            return True
        if order.trigger is None or not order.is_active:
            return False
        return source <= order.trigger if order.falls else source >= order.trigger

    def _move(self, order: Order, source: Decimal) -> None:
        if not order.is_trailing:
            return
        activation = order.activation
        if activation is not None and not order.is_active:
            order.is_active = source >= activation if order.side == "SELL" else source <= activation
        if order.is_active:
            moved = moved_trigger(order, source)
            if moved:
                self.state.update(order, **moved)

    def _release(self, order: Order, source: Decimal) -> None:
        """As a new arrival of that type: MARKET for market types and LIMIT, LIMIT for the other limit types."""
        self.state.emit(order, "RELEASED", {"price": text(source)}, is_local=True)
        del self.state.live[order.label]
        order.place, order.emulate, order.trigger = Place.LOCAL, "", None
        order.parent = ""
        if order.type in ("STOP_LIMIT", "LIMIT_IF_TOUCHED", "TRAILING_STOP_LIMIT"):
            order.type = "LIMIT"
        elif order.type != "MARKET_TO_LIMIT":
            order.type, order.price = "MARKET", None
        self.kernel.queue.append(lambda: self._submit(order))

    def _submit(self, order: Order) -> None:
        if not order.is_closed:
            self.kernel.take_released(order)
