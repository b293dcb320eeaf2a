"""Actors that live in the processes of these tests. They keep what they know in `on_save`."""

import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from libra_ray.bus import Request
from libra_ray.runtime import Actor, ActorConfig


class Relay(Actor):
    """Takes numbers at `{id}.execute`, remembers them, and sends each on to `Counter.execute`."""

    def __init__(self, config: ActorConfig | None = None, **settings: Any) -> None:  # noqa: ANN401 - pydantic checks them
        super().__init__(config, **settings)
        self.numbers: list[int] = []
        self.story: list[str] = []

    def on_start(self) -> None:
        self.story.append("start")
        self.bus.register(f"{self.actor_id}.execute", self.take)
        self.bus.register(f"{self.actor_id}.query", self.tell)
        self.subscribe("events.order.*", self.take)

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.story.append("load")
        self.numbers = msgspec.msgpack.decode(state["numbers"], type=list[int])

    def on_save(self) -> Mapping[str, bytes]:
        return {"numbers": msgspec.msgpack.encode(self.numbers)}

    def on_stop(self) -> None:
        self.send("Counter.execute", -1)

    def take(self, number: int) -> None:
        if number == 13_000_000:
            raise ValueError("bad luck")
        if number == 14_000_000:
            time.sleep(3)  # noqa: TID251 - a handler that hangs is what is tested
        self.numbers.append(number)
        self.send("Counter.execute", number)

    def tell(self, request: Request) -> None:
        self.reply(request, (os.getpid(), self.story, self.numbers))


class Fickle(Actor):
    """Cannot be made the second time, but for the third."""

    made: ClassVar[list[str]] = []

    def __init__(self, config: ActorConfig | None = None, **settings: Any) -> None:  # noqa: ANN401 - pydantic checks them
        super().__init__(config, **settings)
        self.made.append("once more")
        if len(self.made) == 2:
            raise OSError("the file is gone")


class Counter(Actor):
    """Remembers what comes to `Counter.execute` and tells it at `Counter.query`."""

    def __init__(self, config: ActorConfig | None = None, **settings: Any) -> None:  # noqa: ANN401 - pydantic checks them
        super().__init__(config, **settings)
        self.numbers: list[int] = []

    def on_start(self) -> None:
        self.bus.register("Counter.execute", self.numbers.append)
        self.bus.register("Counter.query", lambda request: self.reply(request, self.numbers))

    def on_load(self, state: Mapping[str, bytes]) -> None:
        self.numbers[:] = msgspec.msgpack.decode(state["numbers"], type=list[int])

    def on_save(self) -> Mapping[str, bytes]:
        return {"numbers": msgspec.msgpack.encode(self.numbers)}


class Quiet(Actor):
    """Does nothing."""


class NoStart(Actor):
    """Cannot start."""

    def on_start(self) -> None:
        raise ValueError("not today")


NotAnActor = int
