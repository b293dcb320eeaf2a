"""Links between the parts: who answers at an endpoint here, and how a message gets to one elsewhere."""

from types import MethodType
from typing import Any, Final
from weakref import WeakKeyDictionary

from libra_ray.errors import ConfigError, NoReceiverError, quoted
from libra_ray.runtime import Actor, Delivery, LocalHost, State
from libra_ray.runtime.views import Handler

__all__ = ["Endpoint", "is_replay", "link", "link_of", "made_once", "open_door"]

_NOT_YET: Final = (State.READY, State.STARTING)


class Endpoint(Delivery):
    """A door of a part of the kernel. What comes before it runs is kept; one that has failed or stopped still answers.

    Trading is halted then: new orders are denied, and cancels and reports go on.
    """

    __slots__ = ()

    def __init__(self, host: LocalHost, actor: Actor, handler: Handler) -> None:
        super().__init__(host, actor, handler, keeps=True)

    def __call__(self, message: Any) -> None:  # noqa: ANN401 - the handler knows what it takes
        actor = self.actor
        if actor.is_active or actor.state in _NOT_YET:
            super().__call__(message)
        else:
            self.host.run(actor, self.handler, message)


def open_door(host: LocalHost, endpoint: str, actor: Actor, handler: Handler) -> None:
    """Let `handler` of `actor` receive at `endpoint`, in place of a former instance of the actor."""
    host.bus.unregister(endpoint)
    host.bus.register(endpoint, Endpoint(host, actor, handler))


def made_once(host: LocalHost, actor_id: str) -> None:
    """Take note that a part of the kernel is made in `host`. Raises `ConfigError` CONF010 for the second time.

    A part that has failed goes on answering, with trading halted; it begins anew with its host and the host's journal.
    """
    made = _made.setdefault(host, {})
    if actor_id in made:
        what = f"{quoted(actor_id)} is a part of the kernel and cannot be made anew in a host that runs"
        raise ConfigError("CONF010", None, what, "Restart its host.", actor_id)
    made[actor_id] = None


_made: WeakKeyDictionary[LocalHost, dict[str, None]] = WeakKeyDictionary()


def is_replay(host: LocalHost) -> bool:
    """Whether the messages in hand were taken in by an earlier life of this host, which has sent what came of them."""
    return bool(getattr(host.bus, "is_muted", False))


def link(host: LocalHost, endpoint: str) -> Handler:
    """Sends to whoever has `endpoint` by then, here or elsewhere. It raises `NoReceiverError` when nobody has."""

    def send(message: object) -> None:
        if not host.bus.send(endpoint, message):
            raise NoReceiverError(endpoint)

    return send


def link_of(actor: Actor, send: Handler) -> Handler:
    """The same link as one of `actor`: what it raises when the message's turn comes is that actor's fault."""

    def send_for(_actor: Actor, message: object) -> None:
        send(message)

    return MethodType(send_for, actor)
