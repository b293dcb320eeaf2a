"""Actors of the contract suite."""

from typing import Any

from libra_ray.bus import Request
from libra_ray.runtime import Actor, ActorConfig, Signal


class Listener(Actor):
    """Subscribes to patterns in `on_start` and writes down what it hears."""

    def __init__(self, name: str, *patterns: str, priority: int = 0) -> None:
        super().__init__(ActorConfig(actor_id=name))
        self.patterns, self.priority = patterns, priority
        self.heard: list[Any] = []

    def on_start(self) -> None:
        for pattern in self.patterns:
            self.subscribe(pattern, priority=self.priority)

    def on_event(self, event: Any) -> None:  # noqa: ANN401 - as the hook has it
        self.heard.append(event)

    def on_signal(self, signal: Signal) -> None:
        self.heard.append(signal.value)

    def on_data(self, data: Any) -> None:  # noqa: ANN401 - as the hook has it
        self.heard.append(data)


class Sender(Actor):
    """Does what it is told to and writes down how its requests ended."""

    def __init__(self, name: str = "sender") -> None:
        super().__init__(ActorConfig(actor_id=name))
        self.ends: list[tuple[int, Any]] = []

    def on_reply(self, correlation_id: int, reply: Any) -> None:  # noqa: ANN401 - as the hook has it
        self.ends.append((correlation_id, reply))


class Oracle(Actor):
    """Answers a number by its double after that many milliseconds: 0 at once, below 0 never, 100 and more twice."""

    def __init__(self, name: str = "Oracle") -> None:
        super().__init__(ActorConfig(actor_id=name))
        self.asked: list[Request] = []

    def on_start(self) -> None:
        self.bus.register("Oracle.query", self.answer)

    def answer(self, request: Request) -> None:
        self.asked.append(request)
        body = request.body
        if body >= 100:
            self.reply(request, body)
            self.reply(request, body)
        elif body > 0:
            due_ns = self.clock.now_ns() + body * 1_000_000
            name = str(request.correlation_id)
            self.clock.set_alert(name, at_ns=due_ns, callback=lambda _timer: self.reply(request, 2 * body))
        elif body == 0:
            self.reply(request, 0)


class Box(Actor):
    """Has the endpoint `{name}.execute` and keeps what comes."""

    def __init__(self, name: str) -> None:
        super().__init__(ActorConfig(actor_id=name))
        self.got: list[Any] = []

    def on_start(self) -> None:
        self.bus.register(f"{self.actor_id}.execute", self.got.append)
