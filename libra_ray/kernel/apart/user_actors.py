"""Strategies, algorithms and other actors of the user: what they are wired to in a host of the kernel apart."""

from libra_ray.kernel.apart.execution_desk import EXECUTION
from libra_ray.kernel.apart.holder_desk import add_algorithm_desk, end_algorithm
from libra_ray.kernel.apart.host_view import HostView
from libra_ray.kernel.apart.letters import FaultPolicy
from libra_ray.kernel.apart.links import link, link_of
from libra_ray.messages.commands import CancelAllOrders, CancelOrder, Command
from libra_ray.model.enums import OrderStatus
from libra_ray.portfolio import StrategyPortfolio
from libra_ray.runtime import Actor, Delivery, Fault, Kind, LocalHost
from libra_ray.runtime.views import Handler
from libra_ray.strategy import ExecAlgorithm, Strategy

__all__ = ["add_user_actor"]


class _CancelWay:
    """The way of a strategy's cancels: that of the order until it is known to have arrived, then straight on."""

    def __init__(self, strategy: Strategy, execution: Handler) -> None:
        self._strategy, self._execution = strategy, execution

    def __call__(self, command: Command) -> None:
        if isinstance(command, CancelOrder) and command.order.status is OrderStatus.INITIALIZED:
            self._strategy.first_receiver(command.order)(command)
            return
        if isinstance(command, CancelAllOrders):
            strategy_id, ts_ns = command.strategy_id, command.ts_ns
            for order in list(self._strategy.cache.new.values()):
                if order.strategy_id == strategy_id and command.instrument_id in (None, order.instrument_id):
                    self(CancelOrder(ts_ns, strategy_id, order))
        self._execution(command)


def add_user_actor(host: LocalHost, view: HostView, actor: Actor) -> str:
    """Take an actor into the host and give it its part of the kernel; returns its id."""
    host.on_faulted = lambda failed, fault: _on_fault(host, failed, fault)
    if isinstance(actor, ExecAlgorithm):
        actor_id = host.add(actor, Kind.ALGORITHM)
        add_algorithm_desk(host, view, actor)
        return actor_id
    if not isinstance(actor, Strategy):
        return host.add(actor, Kind.ACTOR)
    actor_id = host.add(actor, Kind.STRATEGY)
    actor.portfolio = StrategyPortfolio(view.portfolio, actor_id)

    def way(endpoint: str) -> Handler:
        send = link(host, endpoint)
        return link_of(actor, _CancelWay(actor, send) if endpoint == f"{EXECUTION}.execute" else send)

    actor.link_order_path(way)
    actor.orders.count_on(*_numbers(host, view, actor_id))
    if actor.hears_orders:
        view.tell(actor_id, Delivery(host, actor, actor.hear, keeps=True))
    return actor_id


def _numbers(host: LocalHost, view: HostView, strategy_id: str) -> tuple[str, int]:
    """How ids of orders go on: each life of a host has numbers of its own, and none is used twice in it."""
    prefix = strategy_id if host.epoch == 1 else f"{strategy_id}-R{host.epoch}"
    used = (name.removeprefix(f"{prefix}-") for name in view.cache.orders if name.startswith(f"{prefix}-"))
    return prefix, max((int(number) for number in used if number.isdecimal()), default=0)


def _on_fault(host: LocalHost, actor: Actor, fault: Fault) -> None:
    """The policy of what has failed: a strategy's is the execution engine's to carry out."""
    if isinstance(actor, ExecAlgorithm):
        end_algorithm(host, actor, fault)
    elif isinstance(actor, Strategy):
        send = link(host, f"{EXECUTION}.execute")
        send(FaultPolicy(host.clock.now_ns(), actor.actor_id, actor.config.fault_policy))
