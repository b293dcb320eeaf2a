"""What the runtime asks of its surroundings. Higher layers fulfil these protocols; the runtime never imports them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

__all__ = ["BusPort", "Deadlines", "Handler", "Keeper", "Log", "ReplyHandler", "Replyable"]

Handler: TypeAlias = Callable[[Any], object]
"""Takes one message; what it returns is not looked at."""

ReplyHandler: TypeAlias = Callable[[int, Any], object]
"""Takes a correlation id and the reply, `TimedOut` or `NoReceiver`."""


class Log(Protocol):
    """What actors write to; loguru's logger fits."""

    def debug(self, message: str, /, *args: object, **kwargs: object) -> None:
        """For the author."""

    def info(self, message: str, /, *args: object, **kwargs: object) -> None:
        """For whoever follows the run."""

    def warning(self, message: str, /, *args: object, **kwargs: object) -> None:
        """For whoever must look at it some day."""

    def error(self, message: str, /, *args: object, **kwargs: object) -> None:
        """For whoever must look at it now."""


class Replyable(Protocol):
    """A request in the hands of its receiver."""

    @property
    def correlation_id(self) -> int:
        """What the reply must carry."""


class Deadlines(Protocol):
    """What the bus needs of a host: a call at a time, in the order of the host's timers."""

    def set_deadline(self, number: int, due_ns: int, rank_no: int, call: Callable[[int], None]) -> None:
        """Call `call(number)` when `due_ns` is reached, unless it is canceled before."""

    def cancel_deadline(self, number: int, rank_no: int) -> None:
        """Forget that deadline; one that is gone already is fine."""


class Keeper(Protocol):
    """What a host has besides actors and keeps with their states, so that a later life of the host goes on with it."""

    def on_save(self) -> Mapping[str, bytes]:
        """Its state."""
        ...

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """What `on_save` gave in the life before; before any actor starts."""

    def on_ready(self) -> None:
        """What the life before had taken in since was handed out once more, and actors are about to run."""


class BusPort(Protocol):
    """What the runtime needs of a bus; `libra_ray.bus.Bus` has it and documents it."""

    @property
    def version(self) -> int:
        """Grows with every change of the routing table."""

    def on_change(self, call: Callable[[], object]) -> None:
        """`call` whenever `version` grows."""

    def attach(self, deadlines: Deadlines) -> None:
        """Time-outs of requests are kept by `deadlines` from now on."""

    def publish(self, topic: str, message: object) -> None:
        """Call every subscriber of `topic`."""

    def subscribe(self, pattern: str, handler: Handler, priority: int = 0) -> bool:
        """False when the pair was subscribed already."""

    def unsubscribe(self, pattern: str, handler: Handler) -> bool:
        """False when the pair was not subscribed."""

    def withdraw(self, pattern: str, handler: Handler) -> Any:  # noqa: ANN401 - opaque: only `restore` reads it
        """Unsubscribe, and return what `restore` takes to undo that; None when the pair was not subscribed."""

    def restore(self, subscription: Any) -> None:  # noqa: ANN401 - what `withdraw` gave
        """Put a withdrawn subscription back, at its old place in the order."""

    def receivers(self, topic: str) -> tuple[Handler, ...]:
        """Subscribers of `topic`, in the order in which they are called."""

    def register(self, endpoint: str, handler: Handler) -> None:
        """Make `handler` the receiver of `endpoint`; raises `EndpointTakenError`."""

    def unregister(self, endpoint: str) -> bool:
        """False when nobody had it."""

    def link(self, endpoint: str) -> Handler:
        """The receiver of `endpoint`, to be called directly; raises `NoReceiverError`."""

    def has_endpoint(self, endpoint: str) -> bool:
        """Whether somebody receives what is sent to `endpoint`."""
        ...

    def send(self, endpoint: str, message: object) -> bool:
        """False, and a dead letter, when nobody receives there."""

    def next_correlation_id(self) -> int:
        """A new id for `request`."""

    def request(
        self,
        endpoint: str,
        message: object,
        *,
        timeout_ns: int,
        on_reply: ReplyHandler,
        rank_no: int = 0,
        source: str = "",
        correlation_id: int | None = None,
    ) -> int:
        """Send a request; `on_reply` gets exactly one of the reply, `TimedOut` and `NoReceiver`."""

    def reply(self, correlation_id: int, reply: object) -> bool:
        """False, and a dead letter, when nobody waits for it."""
