"""The order emulator and algorithms on hosts of their own: orders come to them, wait there, and go on."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from libra_ray.execution import OrderEmulator
from libra_ray.kernel.apart.host_view import HostView
from libra_ray.kernel.apart.links import is_replay, link, open_door
from libra_ray.kernel.apart.projection import LOCAL, Projection
from libra_ray.kernel.apart.remote_execution import RemoteExecution
from libra_ray.kernel.apart.risk_desk import ONWARD, RISK
from libra_ray.messages.commands import CancelOrder, Command, ModifyOrder, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import (
    AnyEvent,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderReleased,
    OrderSubmitted,
)
from libra_ray.model.enums import OrderStatus
from libra_ray.model.orders import Order
from libra_ray.runtime import Actor, Delivery, Fault, LocalHost
from libra_ray.strategy import ExecAlgorithm

__all__ = ["EMULATOR", "HolderDesk", "add_algorithm_desk", "add_emulator_desk"]

EMULATOR = "OrderEmulator"
_GONE_ON = (OrderReleased, OrderSubmitted, OrderFilled, OrderCanceled, OrderExpired)


class _Holder(Protocol):
    """Takes orders up, and what their strategies want of them."""

    def __call__(self, command: Command) -> None: ...


class HolderDesk:
    """Stands before a holder of orders: makes this host's own orders of those that come with commands.

    Attributes:
        resent: commands with new orders that had come before; they are ignored.
    """

    def __init__(
        self, view: HostView, execution: RemoteExecution, endpoint: str, holder: _Holder, holds: Callable[[str], bool]
    ) -> None:
        self.resent = 0
        self._projection, self._execution = view.projection, execution
        self._endpoint, self._holder, self._holds = endpoint, holder, holds

    def execute(self, command: Command) -> None:
        """The holder's endpoint."""
        if isinstance(command, SubmitOrder):
            orders = self._arrived((command.order,))
            if orders:
                self._holder(SubmitOrder(command.ts_ns, command.strategy_id, orders[0]))
        elif isinstance(command, SubmitOrderList):
            orders = self._arrived(command.orders)
            if orders:
                self._holder(SubmitOrderList(command.ts_ns, command.strategy_id, orders))
        elif isinstance(command, CancelOrder | ModifyOrder):
            order = self._projection.known(command.order)
            if not self._holds(order.client_order_id):
                self._execution.unhold(order)  # else what is passed on would come back
            self._holder(msgspec.structs.replace(command, order=order))
        else:
            self._holder(command)

    def _arrived(self, copies: tuple[Order, ...]) -> tuple[Order, ...]:
        orders = [self._projection.own(copy, self._endpoint) for copy in copies]
        known = tuple(order for order in orders if order is not None)
        if len(known) < len(orders):
            self.resent += 1
            return ()
        new = self._projection.cache.new
        new.update((order.client_order_id, order) for order in known if order.status is OrderStatus.INITIALIZED)
        return known


class _ToRisk:
    """The way to the risk engine. What was sent counts as working here, so that a cancel of it is sent after it."""

    def __init__(self, host: LocalHost, projection: Projection) -> None:
        self._send, self._cache = link(host, f"{RISK}.execute"), projection.cache

    def __call__(self, command: Command) -> None:
        self._send(command)
        orders = command.orders if isinstance(command, SubmitOrderList) else ()
        for order in (command.order,) if isinstance(command, SubmitOrder) else orders:
            if not order.is_closed:
                self._cache.new.pop(order.client_order_id, None)
                self._cache.working.setdefault(order.client_order_id, order)


def add_emulator_desk(host: LocalHost, view: HostView, emulator: OrderEmulator) -> HolderDesk:
    """Wire the order emulator of this host."""
    projection, endpoint = view.projection, f"{EMULATOR}.execute"
    to_risk = _ToRisk(host, projection)

    def forward(command: Command) -> None:
        """A released order: to the algorithm that it names, else to the risk engine."""
        algorithm = command.order.exec_algorithm_id if isinstance(command, SubmitOrder) else None
        way = f"{algorithm}.execute"
        if algorithm is not None and host.bus.has_endpoint(way):
            link(host, way)(command)
        else:
            to_risk(command)

    execution = RemoteExecution(projection, endpoint, link(host, ONWARD), host.clock)
    emulator.wire(
        projection.cache,
        execution,
        forward=forward,
        day_end_ns=projection.books.day_end_ns,
        fills_whole=projection.books.fills_whole,
    )
    desk = HolderDesk(view, execution, endpoint, emulator.execute, emulator.is_held)
    open_door(host, endpoint, emulator, desk.execute)

    def on_event(event: AnyEvent) -> None:
        """An order has gone on that is held here: an earlier life of this host has let it go."""
        if isinstance(event, _GONE_ON):
            emulator.let_go(event.client_order_id)

    view.follow(Delivery(host, emulator, on_event, keeps=True))
    return desk


def add_algorithm_desk(host: LocalHost, view: HostView, algorithm: ExecAlgorithm) -> HolderDesk:
    """Wire an execution algorithm of this host."""
    projection, endpoint = view.projection, f"{algorithm.actor_id}.execute"
    execution = RemoteExecution(projection, endpoint, link(host, ONWARD), host.clock)
    algorithm.link_order_path(execution, _ToRisk(host, projection))
    desk = HolderDesk(view, execution, endpoint, algorithm.receive, algorithm.works)

    def execute(command: Command) -> None:
        if not is_replay(host):  # what it had begun in an earlier life has ended with that
            desk.execute(command)

    open_door(host, endpoint, algorithm, execute)
    if host.epoch > 1:
        host.keepers[f"#{endpoint}"] = _Orphans(host, view, algorithm, execution)
    return desk


class _Orphans:
    """What an algorithm had begun in an earlier life of its host ends: its plans are gone, the orders are not."""

    def __init__(self, host: LocalHost, view: HostView, algorithm: ExecAlgorithm, execution: RemoteExecution) -> None:
        self._host, self._cache = host, view.cache
        self._algorithm, self._execution = algorithm, execution
        view.follow(Delivery(host, algorithm, self._on_event, keeps=True))

    def on_save(self) -> Mapping[str, bytes]:
        """Nothing of its own."""
        return {}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Nothing of its own."""

    def on_ready(self) -> None:
        """Children first, then their primaries."""
        for order in reversed(list(self._cache.orders.values())):
            self._end(order)

    def _on_event(self, event: AnyEvent) -> None:
        order = self._cache.orders.get(event.client_order_id) if isinstance(event, OrderInitialized) else None
        if order is not None and not is_replay(self._host):
            self._end(order)

    def _end(self, order: Order) -> None:
        is_mine = order.exec_algorithm_id == self._algorithm.actor_id and not order.is_closed
        if not is_mine or self._algorithm.primary_of(order.client_order_id) is not None:
            return
        now_ns = self._host.clock.now_ns()
        if order.status in LOCAL:
            head = (now_ns, order.strategy_id, order.instrument_id, order.client_order_id)
            self._execution.propose(OrderCanceled(*head, "ALGORITHM_FAULTED"))
        elif order.exec_spawn_id not in (None, order.client_order_id):
            self._execution.execute(CancelOrder(now_ns, order.strategy_id, order))


def end_algorithm(host: LocalHost, algorithm: Actor, _fault: Fault) -> None:
    """A failed algorithm takes no more orders; its children are canceled, then its primaries end."""
    host.bus.unregister(f"{algorithm.actor_id}.execute")
    if isinstance(algorithm, ExecAlgorithm):
        host.queue.append((algorithm, algorithm.give_up, None))
