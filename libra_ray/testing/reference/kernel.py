"""Commands on their way: taken in the order they were made, checked, delayed, executed (matching 1 and 6)."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from heapq import heappush

from libra_ray.testing.reference.clock import Clock
from libra_ray.testing.reference.exact import text
from libra_ray.testing.reference.orders import CLOSED, Order, Place
from libra_ray.testing.reference.risk import Risk
from libra_ray.testing.reference.self_trade import SelfTrades
from libra_ray.testing.reference.state import State
from libra_ray.testing.reference.venue import Venue

__all__ = ["Kernel"]


class Kernel:
    """The command side of the kernel.

    Attributes:
        queue: commands that were made and not yet taken.
        due: commands on their way to the venue, by (due ts, seq).
        to_emulator, to_algorithm, cancel_local, modify_local: what the emulator and the algorithms do with theirs.
        after_command: checks after each command executed at the venue.
    """

    def __init__(self, state: State, venue: Venue, clock: Clock) -> None:
        self.state, self.venue, self.clock = state, venue, clock
        self.self_trades = SelfTrades(state, venue.links)
        self.risk = Risk(state, venue.account, self.self_trades)
        self.queue: deque[Callable[[], None]] = deque()
        self.due: list[tuple[int, int, Callable[[], None]]] = []
        self.to_emulator: Callable[[Order], None] = lambda _: None
        self.to_algorithm: Callable[[Order], None] = lambda _: None
        self.cancel_local: Callable[[Order], None] = lambda _: None
        self.after_command: Callable[[], None] = lambda: None
        self.rearm: Callable[[], None] = lambda: None

    def _send(self, delay: int, act: Callable[[], None]) -> None:
        """A total delay of 0 is executed in its settle; any other makes it due under number 3."""

        def execute() -> None:
            act()
            self.after_command()

        if delay == 0:
            execute()
        else:
            heappush(self.due, (self.state.now + delay, self.state.next_seq(), execute))

    # ---------------------------------------------------------------------- submit

    def submit(self, orders: list[Order]) -> None:
        """Make a command of one order or a list."""
        for order in orders:
            if self.state.orders.setdefault(order.label, order) is not order:
                order.is_duplicate = True
            self.state.wake_at(order.expire)
        self.queue.append(lambda: self._take_orders(orders))

    def _take_orders(self, orders: list[Order]) -> None:
        direct = [order for order in orders if not order.emulate and not order.algo]
        for order in orders:
            if order.emulate:
                self.to_emulator(order)
            elif order.algo:
                self.to_algorithm(order)
        if direct:
            self._check_and_send(direct)

    def take_released(self, order: Order) -> None:
        """An order that the emulator let go: the risk checks are made now, on the order as it will be sent."""
        if order.algo:
            self.to_algorithm(order)
        else:
            self._check_and_send([order])

    def _check_and_send(self, orders: list[Order]) -> None:
        codes = self.risk.failures(orders)
        for order, code in zip(orders, codes, strict=True):
            if code:
                self.state.emit(order, "DENIED", is_local=True, code=code)
        if any(codes):
            for order in orders:
                self.venue.links.ended(order)
            return
        self.self_trades.prevent(orders)
        for order in orders:
            order.status = order.seen_status = "SUBMITTED"
            order.place = Place.IN_FLIGHT
            order.is_unreleased = self.venue.links.must_wait(order)
            self.state.live[order.label] = order
        self._send(self.state.options.latency.insert, lambda: self.venue.arrive_list(orders))

    # ---------------------------------------------------------------------- modify and cancel

    def modify(
        self, order: Order, qty: Decimal | None = None, price: Decimal | None = None, trigger: Decimal | None = None
    ) -> None:
        """Make a command."""
        self.queue.append(lambda: self._take_modify(order, qty, price, trigger))

    def _take_modify(self, order: Order, qty: Decimal | None, price: Decimal | None, trigger: Decimal | None) -> None:
        code = self.risk.modify_failure(order, qty, price, trigger)
        if code:
            self.state.emit(order, "MODIFY_REJECTED", is_local=True, code=code)
        elif order.place in (Place.EMULATED, Place.LOCAL):
            self._modify_local(order, qty, price, trigger)
        else:
            order.pend("PENDING_UPDATE")
            self._send(self.state.options.latency.modify, lambda: self.venue.modify(order, qty, price, trigger))

    def _modify_local(self, order: Order, qty: Decimal | None, price: Decimal | None, trigger: Decimal | None) -> None:
        given = {"qty": qty, "price": price, "trigger": trigger}
        changed = {name: new for name, new in given.items() if new is not None and new != getattr(order, name)}
        order.asked_qty = changed.get("qty", order.asked_qty)
        self.state.update(order, **changed)

    def cancel(self, order: Order) -> None:
        """Make a command."""
        self.queue.append(lambda: self._take_cancel(order))

    def _take_cancel(self, order: Order) -> None:
        if not order.is_closed and not order.reached_venue and order.place is not Place.IN_FLIGHT:
            self.cancel_local(order)
            return
        if order.seen_status in CLOSED:  # known here to be closed: no way to the venue
            self.state.emit(order, "CANCEL_REJECTED", code="ORDER_CLOSED", is_local=True)
            return
        if order.cancel_sent:  # a second cancel while one is pending is not sent
            return
        order.cancel_sent = True
        order.pend("PENDING_CANCEL")
        self._send(self.state.options.latency.cancel, lambda: self.venue.cancel(order))

    def cancel_all(self, instrument_id: str | None) -> None:
        """Make a command: in order of acceptance, orders in flight too."""
        self.queue.append(lambda: self._take_cancel_all(instrument_id))

    def _take_cancel_all(self, instrument_id: str | None) -> None:
        accepted = self.state.working()
        others = [order for order in self.state.live.values() if not order.is_accepted]
        for order in [*accepted, *others]:
            if not order.is_closed and instrument_id in (None, order.instrument.id):
                self._take_cancel(order)

    # ---------------------------------------------------------------------- trading state

    def set_trading_state(self, trading_state: str) -> None:
        """Make a command of the strategy's controller."""

        def act() -> None:
            self.state.trading_state = trading_state
            self.rearm()

        self.queue.append(act)

    # ---------------------------------------------------------------------- children of algorithms

    def spawn(self, primary: Order, qty: Decimal, order_type: str, number: int, price: Decimal | None = None) -> None:
        """Orders 9: the primary is reduced first, then the child is sent."""
        if qty > primary.leaves:
            raise ValueError(f"{primary.label}: {text(qty)} is more than its {text(primary.leaves)}")
        self.state.update(primary, qty=primary.qty - qty)
        child = Order(f"{primary.label}-E{number}", primary.instrument, order_type, primary.side, qty, price=price)
        child.asked_qty, child.spawned_from = qty, primary.label
        child.reduce_only, child.position_id = primary.reduce_only, primary.position_id
        self.submit([child])
