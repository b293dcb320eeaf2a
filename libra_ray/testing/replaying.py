"""The replayer: what was recorded, given once more to a fresh host in its own order."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from libra_ray.bus import Bus, Request
from libra_ray.clock import VirtualClock
from libra_ray.errors import LibraError
from libra_ray.hosts.market_views import MarketViews
from libra_ray.runtime import LocalHost
from libra_ray.runtime.topics import MARKET_DATA_PREFIX
from libra_ray.testing.traffic import Crossing, read_traffic
from libra_ray.testing.traffic_taps import BusTap

__all__ = ["ReplayDivergedError", "Replayed", "Replayer"]


class ReplayDivergedError(LibraError):
    """A host does not do what the recorded one did: `expected` is what was recorded, `what` stands against it."""

    def __init__(self, number: int, expected: str, what: str) -> None:
        super().__init__(number, expected, what)
        self.number, self.expected, self.what = number, expected, what

    @property
    def message(self) -> str:
        """Which record, and what was found instead."""
        return f"BUG000 record {self.number:,} was '{self.expected}', but {self.what}."


class Replayed(msgspec.Struct, frozen=True):
    """What a replay did: messages given to the host, timers fired as recorded, and records of the host's own actors."""

    given: int
    fired: int
    own: int


class Replayer:
    """Gives what was recorded to a fresh host: each message from outside at its time, in the recorded order.

        replayer = Replayer(path)
        with Recorder(again, host):
            replayer.into(host)
        assert_same_traffic(path, again)

    What actors of the host sent is not given: they send it themselves. Endpoints they sent to that nobody in the host
    has get a receiver that does nothing. The clock stands at the time of each record; where timers were recorded they
    fire when they did then, else when they are due.
    """

    def __init__(self, source: Path | Iterable[Crossing]) -> None:
        """Damage of a file raises `DataError` DATA011 when it is reached."""
        self._source = source if isinstance(source, Path) else list(source)

    def __iter__(self) -> Iterator[Crossing]:
        return read_traffic(self._source) if isinstance(self._source, Path) else iter(self._source)

    def into(self, host: LocalHost) -> Replayed:
        """Replay all of it. The actors must be there and started; what they have queued is settled first.

        Raises `ReplayDivergedError` when the host has not the timer or request that was recorded, `TypeError` for a
        host whose clock cannot be moved.
        """
        if not isinstance(host.bus, Bus):
            raise TypeError(f"{type(host.bus).__name__} is no Bus")
        if not isinstance(host.clock, VirtualClock):
            raise TypeError(f"{type(host.clock).__name__} cannot be moved; replay into a host of a VirtualClock")
        return _Replay(host, host.bus, host.clock, self).run()


class _Replay:
    """One replay on its way.

    Attributes:
        asked: by actor, the requests that stand-ins have been given and the recording has not yet named.
        correlations: recorded correlation to the one of this replay, for requests without an end.
    """

    def __init__(self, host: LocalHost, bus: Bus, clock: VirtualClock, source: Replayer) -> None:
        self.host, self.bus, self.clock, self.source = host, bus, clock, source
        self.given = self.fired = self.own = self.number = 0
        self.has_timers = False
        self.stand_ins: dict[str, None] = {}
        self.asked: dict[str, deque[Request]] = {}
        self.correlations: dict[int, int] = {}
        self.views = MarketViews()

    def run(self) -> Replayed:
        host = self.host
        host.settle()
        for crossing in self.source:
            self.has_timers |= crossing.kind in ("TIMER", "DEADLINE")
            if crossing.kind in ("SEND", "REQUEST") and crossing.source in host.actors:
                self._stand_in(crossing.destination)
        try:
            for crossing in self.source:
                self.number += 1
                self._replay(crossing)
            host.settle()
        finally:
            for endpoint in self.stand_ins:
                host.bus.unregister(endpoint)
        return Replayed(self.given, self.fired, self.own)

    def _replay(self, crossing: Crossing) -> None:
        is_own = crossing.source in self.host.actors
        if crossing.kind == "TIMER":
            if is_own:
                self._fire(crossing, crossing.destination)
        elif crossing.kind == "DEADLINE":
            if is_own or crossing.extra in self.correlations:
                self._fire(crossing, self.correlations.pop(crossing.extra, crossing.extra))
        elif is_own:
            self.own += 1
            self._let_happen(crossing)
        else:
            self._give(crossing)

    # --- the host's own -----------------------------------------------------------------------------------------

    def _let_happen(self, crossing: Crossing) -> None:
        """An actor of the host did this: it does so now, of itself."""
        self.host.settle()
        if not self.has_timers and crossing.ts_ns > self.clock.ts_ns:
            self.host.advance_to(crossing.ts_ns)
        if crossing.kind == "REQUEST" and crossing.destination in self.stand_ins:
            asked = self.asked.get(crossing.source)
            if not asked:
                raise ReplayDivergedError(self.number, str(crossing), f"{crossing.source} asks nothing now")
            self.correlations[crossing.extra] = asked.popleft().correlation_id

    def _fire(self, crossing: Crossing, name: str | int) -> None:
        """The timer that fired then fires now, whichever else is due."""
        self.host.settle()
        self._stand_at(crossing.ts_ns)
        timers, owner = self.host.timers, self.host.actors.get(crossing.source)
        key = (0 if owner is None else owner.rank_no, name)
        alarm = timers.cancel(key)
        if alarm is None:
            raise ReplayDivergedError(self.number, str(crossing), f"{crossing.source} has no timer {name!r} now")
        following = alarm.after()
        if following is not None:
            timers.put(following)
        self.fired += 1
        self.host.fire(alarm)
        self.host.settle()

    # --- what came from outside ---------------------------------------------------------------------------------

    def _give(self, crossing: Crossing) -> None:
        bus, destination = self.bus, crossing.destination
        is_for_own = bus.has_endpoint(destination) and destination not in self.stand_ins
        if crossing.kind == "REPLY":
            number = self.correlations.pop(crossing.extra, None)
            if number is not None:
                self._at(crossing, lambda: bus.reply(number, crossing.message))
        elif crossing.kind == "PUBLISH":
            self._at(crossing, lambda: self._publish(crossing))
        elif crossing.kind == "SEND" and is_for_own:
            self._at(crossing, lambda: bus.send(destination, crossing.message))
        elif crossing.kind == "REQUEST" and is_for_own:
            self._at(crossing, lambda: self._ask(crossing))

    def _publish(self, crossing: Crossing) -> None:
        """As it was given then: a live host gives actors a batch of market data row by row."""
        topic, message = crossing.destination, crossing.message
        if not crossing.host or not topic.startswith(MARKET_DATA_PREFIX):
            self.bus.publish(topic, message)
            return
        tap = getattr(self.bus.publish, "__self__", None)
        if isinstance(tap, BusTap):
            tap.see_published(topic, message)
        self.views.deliver(message, self.bus.receivers(topic))

    def _ask(self, crossing: Crossing) -> None:
        bus = self.bus
        number = self.correlations[crossing.extra] = bus.next_correlation_id()
        bus.request(
            crossing.destination,
            crossing.message,
            timeout_ns=max(1, crossing.timeout_ns),
            on_reply=lambda _number, _reply: self.correlations.pop(crossing.extra, None),
            source=crossing.source,
            correlation_id=number,
        )

    def _at(self, crossing: Crossing, give: Any) -> None:  # noqa: ANN401 - any call
        """Make it the time of `crossing`, and give in the name of its source. What it brings about is settled later."""
        if crossing.ts_ns > self.clock.ts_ns:
            self.host.settle()
            if not self.has_timers:
                self.host.advance_to(crossing.ts_ns - 1)
            self._stand_at(crossing.ts_ns)
        self.given += 1
        bus = self.bus
        before, bus.origin = bus.origin, crossing.source
        try:
            give()
        finally:
            bus.origin = before
        if self.host.staged:
            self.host.commit()

    def _stand_at(self, ts_ns: int) -> None:
        self.clock.advance_to(max(ts_ns, self.clock.ts_ns))

    def _stand_in(self, endpoint: str) -> None:
        """Receive at `endpoint` what is for somebody who is not in this host, unless somebody is."""
        if not self.bus.has_endpoint(endpoint):
            self.bus.register(endpoint, self._take_in)
            self.stand_ins[endpoint] = None

    def _take_in(self, message: object) -> None:
        if isinstance(message, Request):
            self.asked.setdefault(message.source, deque()).append(message)
