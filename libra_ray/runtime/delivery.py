"""A delivery: one actor's handler as the bus calls it, with the actor's state, outbox and faults minded."""

from typing import TYPE_CHECKING, Any

from libra_ray.messages.events import OrderEvent, PositionEvent
from libra_ray.runtime.faults import RAISED
from libra_ray.runtime.views import Handler

if TYPE_CHECKING:
    from libra_ray.runtime.actor import Actor
    from libra_ray.runtime.host import LocalHost

__all__ = ["Delivery"]


class Delivery:
    """Calls `handler(message)` of an active actor; an error faults that actor and nobody else.

    While the actor is not active a message is kept until it runs again (`keeps`, events and commands; events of orders
    and positions by whatever pattern they come) or discarded and counted (market data, signals). Two deliveries of one
    handler are equal, so that subscribing twice counts once.
    """

    __slots__ = ("actor", "handler", "host", "keeps", "rank_no")

    def __init__(self, host: "LocalHost", actor: "Actor", handler: Handler, *, keeps: bool) -> None:
        self.host, self.actor, self.handler, self.keeps = host, actor, handler, keeps
        self.rank_no = actor.rank_no

    def __call__(self, message: Any) -> None:  # noqa: ANN401 - the handler knows what it takes
        actor, host = self.actor, self.host
        if not actor.is_active:
            keep = self.keeps or isinstance(message, OrderEvent | PositionEvent)
            host.hold(actor, self.handler, (message,), keep=keep)
            return
        start = len(host.staged)
        try:
            self.handler(message)
        except RAISED as error:
            host.on_handler_error(actor, error, start, self.handler)
        else:
            if len(host.staged) > start:
                host.commit(start)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Delivery) and other.actor is self.actor and other.handler == self.handler

    def __hash__(self) -> int:
        return hash((self.rank_no, self.handler))

    def __repr__(self) -> str:
        return f"Delivery({self.actor.actor_id}, {getattr(self.handler, '__name__', self.handler)})"
