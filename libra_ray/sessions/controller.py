"""The controller: the supervisor's own actor on the bus. It hears of states and takes commands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from libra_ray.bus import Request
from libra_ray.hosts.actor_host import LinkHeld
from libra_ray.hosts.commands import Answer
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime import Actor, ActorConfig, Kind

if TYPE_CHECKING:
    from libra_ray.hosts.actor_host import ActorHost

__all__ = ["COMMAND_ENDPOINT", "CONTROLLER", "Controller", "ControllerResident", "News", "OnCommand"]

CONTROLLER: Final = "Controller"
"""The actor's id."""
COMMAND_ENDPOINT: Final = "Kernel.command"
"""Where any actor may send commands: those of `libra_ray.hosts.commands` that name actors, and `SetTradingState`."""

News: TypeAlias = ComponentStateChanged | LinkHeld
"""What it hears of: an actor's lifecycle, and a host that is too slow for its orders."""
OnCommand: TypeAlias = Callable[[object, Callable[[Answer], None]], None]
"""Takes a command and what to call, once, with its answer."""


class Controller(Actor):
    """Passes on what comes, and answers requests."""

    def __init__(self, config: ActorConfig, on_command: OnCommand, on_news: Callable[[News], None]) -> None:
        super().__init__(config)
        self._on_command, self._on_news = on_command, on_news

    def on_start(self) -> None:
        self.bus.register(COMMAND_ENDPOINT, self._receive)
        self.subscribe("events.system.*", self._hear)

    def listen(self, pattern: str, callback: Callable[[Any], object], on_error: Callable[[Exception], None]) -> None:
        """Call `callback` with what comes on matching topics; what it raises goes to `on_error`, not to this actor."""

        def hear(message: Any) -> None:  # noqa: ANN401 - whatever the topic carries
            try:
                callback(message)
            except Exception as error:  # noqa: BLE001 - code of the driver, which must not end the controller
                on_error(error)

        self.subscribe(pattern, hear)

    def _hear(self, event: object) -> None:
        is_own = isinstance(event, ComponentStateChanged) and event.actor_id == CONTROLLER
        if isinstance(event, ComponentStateChanged | LinkHeld) and not is_own:
            self._on_news(event)

    def _receive(self, message: Any) -> None:  # noqa: ANN401 - whatever an actor sends there
        if isinstance(message, Request):
            self._on_command(message.body, lambda answer: self.reply(message, answer))
        else:
            self._on_command(message, lambda _answer: None)


@dataclass(frozen=True, slots=True)
class ControllerResident:
    """Builds the controller in the supervisor's own host."""

    on_command: OnCommand
    on_news: Callable[[News], None]
    actor_id: str = CONTROLLER

    def make(self, host: "ActorHost") -> Actor:
        """Build and add it."""
        controller = Controller(ActorConfig(actor_id=self.actor_id), self.on_command, self.on_news)
        host.add(controller, Kind.ACTOR)
        return controller
