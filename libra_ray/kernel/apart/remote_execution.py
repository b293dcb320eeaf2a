"""The execution engine as the order emulator and algorithms have it apart: each call is a message, in order."""

from libra_ray.clock import Clock
from libra_ray.kernel.apart.letters import HoldOrder, OrderReport, TakeOrder, UnholdOrder
from libra_ray.kernel.apart.projection import Projection
from libra_ray.messages.commands import Command
from libra_ray.messages.events import OrderDenied, OrderEvent, OrderModifyRejected
from libra_ray.model.enums import OrderStatus
from libra_ray.model.orders import Order
from libra_ray.runtime.views import Handler

__all__ = ["RemoteExecution"]


class RemoteExecution:
    """What a holder of orders does to them happens here at once, ahead of the events, and at the engine in its turn.

    Messages take the way of the orders, through the risk engine's host, so that none overtakes an order sent before it.

    Args: the holder's endpoint, to which cancels and changes of held orders come; `onward`, the way.
    """

    def __init__(self, projection: Projection, endpoint: str, onward: Handler, clock: Clock) -> None:
        self._projection, self._cache = projection, projection.cache
        self._endpoint, self._onward, self._clock = endpoint, onward, clock

    def take(self, order: Order) -> None:
        """A new order is taken up."""
        if self._cache.new.pop(order.client_order_id, None) is None or order.status is not OrderStatus.INITIALIZED:
            return
        self._onward(TakeOrder(self._clock.now_ns(), order.strategy_id, order))
        self._projection.lead(order, self._endpoint)

    def hold(self, order: Order, _holder: Handler) -> None:
        """`order` is kept here."""
        self._projection.lead(order, self._endpoint)
        self._onward(HoldOrder(self._clock.now_ns(), order.strategy_id, order.client_order_id, self._endpoint))

    def unhold(self, order: Order) -> None:
        """It is kept no longer."""
        self._onward(UnholdOrder(self._clock.now_ns(), order.strategy_id, order.client_order_id, self._endpoint))

    def holds(self, order: Order) -> bool:
        """Whether a cancel of it may find somebody: the engine knows, and says so where nobody is found."""
        return not order.is_closed

    def recall(self, order: Order) -> None:
        """An order of an earlier life, from a snapshot."""
        self._cache.orders[order.client_order_id] = order
        self._onward(TakeOrder(self._clock.now_ns(), order.strategy_id, order))

    def refuse(self, order: Order, event: OrderEvent) -> None:
        """`OrderDenied`, or `OrderModifyRejected` which leaves the order as it is."""
        if isinstance(event, OrderDenied | OrderModifyRejected):
            self._onward(OrderReport(event.ts_ns, order.strategy_id, order, event))
        if isinstance(event, OrderDenied):
            self._projection.tell(event)

    def process_local(self, event: OrderEvent) -> None:
        """An event of the holder's own."""
        self._projection.tell(event)
        self._onward(event)

    def propose(self, event: OrderEvent) -> None:
        """An event of an order that is not kept here any more: whether it happens is the engine's to say."""
        self._projection.led.pop(event.client_order_id, None)
        self._onward(event)

    def execute(self, command: Command) -> None:
        """Cancels and changes of orders that are kept elsewhere, or work."""
        self._onward(command)
