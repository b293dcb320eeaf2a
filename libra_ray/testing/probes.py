"""Probes: a test's own actor, which says what it expects to hear and shows what came instead."""

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

import msgspec

from libra_ray.bus import Bus, Request
from libra_ray.errors import printable
from libra_ray.runtime import Actor, ActorConfig, LocalHost
from libra_ray.testing.cell import Cell
from libra_ray.testing.grounds import Ground, LiveGround, ground_of

if TYPE_CHECKING:
    from libra_ray.sessions.deployment import Deployment

__all__ = ["Heard", "Probe"]

T = TypeVar("T")

WAITING_MAX: Final = 65_536
"""So many messages may wait for a probe; one more faults it."""
_TAKEN_SHOWN: Final = 3
_WAITING_SHOWN: Final = 5
_CHARS_MAX: Final = 300
_SECOND_NS: Final = 10**9


class Heard(msgspec.Struct, frozen=True):
    """A message as it came: when, by which pattern, endpoint or `reply:{correlation}`, and itself."""

    ts_ns: int
    by: str
    message: Any


class ProbeActor(Actor):
    """The half of a probe that lives in a host."""

    config: ActorConfig

    def __init__(self, actor_id: str, hear: Callable[[Heard], None]) -> None:
        super().__init__(ActorConfig(actor_id=actor_id))
        self._hear = hear
        self._handlers: dict[str, Callable[[Any], None]] = {}

    def hears(self, by: str) -> Callable[[Any], None]:
        """The handler for what comes by that way; one for each, so that subscribing twice counts once."""
        return self._handlers.setdefault(by, partial(self._take, by))

    def answers(self, endpoint: str, answer: Callable[[Any], object]) -> Callable[[Any], None]:
        """The handler of an endpoint that answers requests by itself."""

        def take(message: Any) -> None:  # noqa: ANN401 - whatever is sent
            self._take(endpoint, message)
            if isinstance(message, Request):
                self.reply(message, answer(message.body))

        return take

    def on_reply(self, correlation_id: int, reply: Any) -> None:  # noqa: ANN401 - as the hook has it
        self._take(f"reply:{correlation_id}", reply)

    def _take(self, by: str, message: Any) -> None:  # noqa: ANN401 - whatever is heard
        self._hear(Heard(self.clock.now_ns(), by, message))


class Probe:
    """Hears what it subscribes to, in order, and keeps it until the test has looked at it.

        probe = Probe(host, "signals.*")
        host.bus.publish("signals.x", Signal("x", 3, 0, "test"))
        probe.expect(Signal, name="x", value=3)
        probe.expect_none(within_ns=SECOND_NS)

    It stands on a `LocalHost` on virtual time, on the bus of one, or on a `Cell`; among live hosts on a `ProbeHost` or
    a `Deployment`. On virtual time waiting lets time pass, as far as the message that is waited for and no further.

    What is expected is a type, a tuple of types, a value, or a predicate; keyword arguments are fields that must have
    these values. What does not fit fails with `AssertionError`, shows what came instead, and stays where it was.
    """

    def __init__(
        self, target: "LocalHost | Bus | Cell | LiveGround | Deployment", *patterns: str, name: str = ""
    ) -> None:
        """Listen to topics that match `patterns`. Raises `TypeError` for what it cannot stand on.

        `name` is the actor's id, by default `Probe-{n}`, among live hosts `{host}-Probe-{n}`.
        """
        self._ground: Ground = ground_of(target)
        self._waiting: deque[Heard] = deque()
        self._taken: deque[Heard] = deque(maxlen=_TAKEN_SHOWN)
        self._is_closed = False
        self._actor = self._ground.do(partial(self._begin, name))
        self._start_ns = self._ground.now_ns()
        for pattern in patterns:
            self.subscribe(pattern)

    def _begin(self, name: str, host: LocalHost) -> ProbeActor:
        names = (f"{self._ground.prefix}Probe-{number}" for number in range(1, len(host.actors) + 2))
        actor = ProbeActor(name or next(free for free in names if free not in host.actors), self._hear)
        host.start(host.add(actor))
        return actor

    @property
    def actor_id(self) -> str:
        """The id of its actor."""
        return self._actor.actor_id

    # --- what it listens to -------------------------------------------------------------------------------------

    def subscribe(self, pattern: str, priority: int = 0) -> bool:
        """Hear what is published on matching topics. False when it does already."""
        actor = self._actor
        return self._do(lambda: actor.subscribe(pattern, actor.hears(pattern), priority))

    def unsubscribe(self, pattern: str) -> bool:
        """End `subscribe`."""
        actor = self._actor
        return self._do(lambda: actor.unsubscribe(pattern, actor.hears(pattern)))

    def register(self, endpoint: str, answer: Callable[[Any], object] | None = None) -> None:
        """Be the receiver of `endpoint`; requests are answered by `answer(body)` if it is given.

        Raises `EndpointTakenError` when somebody is it already.
        """
        actor = self._actor
        handler = actor.hears(endpoint) if answer is None else actor.answers(endpoint, answer)
        self._do(lambda: actor.bus.register(endpoint, handler))

    # --- what it says -------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: object) -> None:
        """To all subscribers."""
        self._say(lambda: self._actor.publish(topic, message))

    def send(self, endpoint: str, message: object) -> None:
        """To the one receiver; a dead letter when there is none."""
        self._say(lambda: self._actor.send(endpoint, message))

    def command(self, endpoint: str, message: object) -> None:
        """As `send`, but raises `NoReceiverError` when nobody receives there."""
        self._say(lambda: self._actor.bus.command(endpoint, message))

    def request(self, endpoint: str, message: object, *, timeout_ns: int) -> int:
        """Ask; the end of it is heard by `reply:{correlation}`. Returns the correlation."""
        return self._say(lambda: self._actor.request(endpoint, message, timeout_ns))

    def ask(self, endpoint: str, message: object, *, timeout_ns: int = _SECOND_NS) -> Any:  # noqa: ANN401 - any reply
        """Ask, and wait for the end of it: the reply, `TimedOut` or `NoReceiver`. Other messages stay as they are."""
        by = f"reply:{self.request(endpoint, message, timeout_ns=timeout_ns)}"
        until_ns = self._ground.now_ns() + timeout_ns + self._ground.within_ns
        found = self._find(lambda heard: heard.by == by, until_ns)
        if found is None:
            raise self._failure(f"the end of its request to {endpoint}", timeout_ns)
        self._waiting.remove(found)
        return found.message

    def reply(self, request: Request, reply: object) -> None:
        """Answer a request that one of its endpoints was given."""
        self._say(lambda: self._actor.reply(request, reply))

    def act(self, call: Callable[[LocalHost], T]) -> T:
        """Call `call(host)` on the thread of its host, as if a handler did it."""
        return self._ground.do(call)

    # --- what it expects ----------------------------------------------------------------------------------------

    @overload
    def expect(self, wanted: type[T], *, within_ns: int | None = None, **fields: object) -> T: ...
    @overload
    def expect(self, wanted: object, *, within_ns: int | None = None, **fields: object) -> Any: ...  # noqa: ANN401
    def expect(self, wanted: object, *, within_ns: int | None = None, **fields: object) -> Any:
        """The next message, which must be this one. Waits at most `within_ns` for it."""
        wish = _Wish(wanted, fields)
        within_ns = self._ground.within_ns if within_ns is None else within_ns
        if not self._has_more_than(0, self._ground.now_ns() + within_ns) or wish.refusal(self._waiting[0].message):
            raise self._failure(wish, within_ns)
        return self._take().message

    @overload
    def fish(self, wanted: type[T], *, within_ns: int | None = None, **fields: object) -> T: ...
    @overload
    def fish(self, wanted: object, *, within_ns: int | None = None, **fields: object) -> Any: ...  # noqa: ANN401
    def fish(self, wanted: object, *, within_ns: int | None = None, **fields: object) -> Any:
        """The first message that is this one; those before it are skipped, but stay when none is found."""
        wish = _Wish(wanted, fields)
        within_ns = self._ground.within_ns if within_ns is None else within_ns
        found = self._find(lambda heard: not wish.refusal(heard.message), self._ground.now_ns() + within_ns)
        if found is None:
            raise self._failure(wish, within_ns, "among all")
        while self._take() is not found:
            pass
        return found.message

    def receive(self, count: int, *, within_ns: int | None = None) -> list[Any]:
        """The next `count` messages, whatever they are."""
        within_ns = self._ground.within_ns if within_ns is None else within_ns
        if not self._has_more_than(count - 1, self._ground.now_ns() + within_ns):
            raise self._failure(f"{count:,} messages", within_ns)
        return [self._take().message for _ in range(count)]

    def expect_all(self, *wanted: object, within_ns: int | None = None) -> list[Any]:
        """As many messages as are wanted, in any order; returned in the order in which they are wanted."""
        within_ns = self._ground.within_ns if within_ns is None else within_ns
        until_ns = self._ground.now_ns() + within_ns
        wishes = [_Wish(each, {}) for each in wanted]
        found: dict[int, Heard] = {}
        for place in range(len(wishes)):
            has_come = self._has_more_than(place, until_ns)
            open_wishes = [index for index in range(len(wishes)) if index not in found]
            fitting = [
                each for each in open_wishes if has_come and not wishes[each].refusal(self._waiting[place].message)
            ]
            if not fitting:
                texts = " and ".join(wishes[index].text for index in open_wishes)
                raise self._failure(texts, within_ns, f"after {place:,} others" if place else "")
            found[fitting[0]] = self._waiting[place]
        for _ in wishes:
            self._take()
        return [found[index].message for index in range(len(wishes))]

    def expect_none(self, wanted: object = object, *, within_ns: int | None = None, **fields: object) -> None:
        """Nothing comes within this time and nothing waits, or nothing that is `wanted`; other messages stay."""
        wish = _Wish(wanted, fields)
        within_ns = self._ground.quiet_ns if within_ns is None else within_ns
        found = self._find(lambda heard: not wish.refusal(heard.message), self._ground.now_ns() + within_ns)
        if found is not None:
            what = "nothing" if wanted is object and not fields else f"no {wish.text}"
            raise self._failure(what, within_ns, marked=found)

    def skip(self) -> int:
        """Forget what waits; returns how many messages that were."""
        self._ground.wait(lambda: False, self._ground.now_ns())
        with self._ground.here:
            skipped = len(self._waiting)
            self._waiting.clear()
        return skipped

    @property
    def waiting(self) -> list[Heard]:
        """What has come and was not looked at, oldest first."""
        self._ground.settle()
        with self._ground.here:
            return list(self._waiting)

    @property
    def last(self) -> Heard:
        """The message that was taken last, with when and by which way it came. Raises `LookupError` without one."""
        if not self._taken:
            raise LookupError(f"{self.actor_id} has taken no message yet")
        return self._taken[-1]

    # --- the end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Listen no more; twice is fine."""
        if not self._is_closed:
            self._is_closed = True
            self._ground.do(self._end)
            self._ground.settle()

    def _end(self, host: LocalHost) -> None:
        if self._actor.is_active:
            host.stop(self.actor_id)
        host.dispose(self.actor_id)
        host.remove(self.actor_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- inside -------------------------------------------------------------------------------------------------

    def _do(self, call: Callable[[], T]) -> T:
        return self._ground.do(lambda _host: call())

    def _say(self, call: Callable[[], T]) -> T:
        said = self._do(call)
        self._ground.settle()
        return said

    def _hear(self, heard: Heard) -> None:
        with self._ground.here:
            if len(self._waiting) >= WAITING_MAX:
                raise OverflowError(f"{WAITING_MAX:,} messages wait for {self.actor_id}: expect or skip() them")
            self._waiting.append(heard)
            self._ground.here.notify_all()

    def _has_more_than(self, count: int, until_ns: int) -> bool:
        """Whether more messages than that wait, or did in time."""
        self._ground.wait(lambda: len(self._waiting) > count, until_ns)
        return len(self._waiting) > count

    def _find(self, is_it: Callable[[Heard], bool], until_ns: int) -> Heard | None:
        """The first of what waits, and of what comes until then, that is it. Each is looked at once."""
        looked_at = 0
        while True:
            if not self._has_more_than(looked_at, until_ns):
                return None
            heard = self._waiting[looked_at]
            if is_it(heard):
                return heard
            looked_at += 1

    def _take(self) -> Heard:
        with self._ground.here:
            heard = self._waiting.popleft()
        self._taken.append(heard)
        return heard

    # --- what it says when it is disappointed ---------------------------------------------------------------------

    def _failure(
        self, wish: "_Wish | str", within_ns: int, where: str = "", *, marked: Heard | None = None
    ) -> AssertionError:
        text = wish if isinstance(wish, str) else wish.text
        with self._ground.here:
            waiting = list(self._waiting)
        head = f"{self.actor_id} expected {text} within {_seconds(within_ns)}"
        lines = [f"{head}{f' {where}' if where else ''}; {'heard' if waiting else 'nothing came'}"]
        for heard in waiting[:_WAITING_SHOWN]:
            why = wish.refusal(heard.message) if isinstance(wish, _Wish) and marked is None else ""
            lines.append(f"  {self._shown(heard)}{f'  <- {why}' if why else ''}")
        if len(waiting) > _WAITING_SHOWN:
            lines.append(f"  and {len(waiting) - _WAITING_SHOWN:,} more")
        if marked is not None and marked not in waiting[:_WAITING_SHOWN]:
            lines.append(f"  among them {self._shown(marked)}")
        if self._taken:
            lines += ["before that it took", *(f"  {self._shown(heard)}" for heard in self._taken)]
        faults = self._ground.faults()
        if faults:
            lines += ["actors of its host raised", *(f"  {_cut(fault)}" for fault in faults)]
        return AssertionError("\n".join(lines))

    def _shown(self, heard: Heard) -> str:
        return f"{_seconds(heard.ts_ns - self._start_ns)} by {heard.by}: {_cut(repr(heard.message))}"


class _Wish:
    """What is expected, and why a message is not it."""

    def __init__(self, wanted: object, fields: dict[str, object]) -> None:
        self._wanted, self._fields = wanted, fields
        given = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        self.text = _name_of(wanted) + (f" with {given}" if given else "")

    def refusal(self, message: object) -> str:
        """Why it is not it; empty when it is."""
        wanted = self._wanted
        if isinstance(wanted, type | tuple) and _is_types(wanted):
            if not isinstance(message, wanted):
                return f"it is a {type(message).__name__}"
        elif callable(wanted):
            if not wanted(message):
                return "it does not fit"
        elif type(message) is not type(wanted) or message != wanted:
            return "it is another"
        for name, value in self._fields.items():
            if not hasattr(message, name):
                return f"it has no {name}"
            if getattr(message, name) != value:
                return f"{name} is {_cut(repr(getattr(message, name)))}"
        return ""


def _is_types(wanted: object) -> bool:
    return isinstance(wanted, type) or (
        isinstance(wanted, tuple) and bool(wanted) and all(isinstance(each, type) for each in wanted)
    )


def _name_of(wanted: object) -> str:
    if isinstance(wanted, type):
        return "a message" if wanted is object else wanted.__name__
    if isinstance(wanted, tuple) and _is_types(wanted):
        return " or ".join(each.__name__ for each in wanted)
    code = getattr(wanted, "__code__", None)
    if code is not None:
        return f"what fits {wanted.__name__} of {Path(code.co_filename).name}:{code.co_firstlineno}"  # type: ignore[attr-defined]
    return _cut(repr(wanted))


def _seconds(duration_ns: int) -> str:
    whole, rest = divmod(duration_ns, _SECOND_NS)
    return f"{whole:,}{f'.{rest:09}'.rstrip('0') if rest else ''} s"


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _CHARS_MAX else f"{text[:_CHARS_MAX]}..."
