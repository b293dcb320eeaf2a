"""The cast of a run in lockstep: an actor performs on its own host and has a stand-in on every other.

Every host replays the whole market and computes the whole kernel; what it does not have are the handlers of actors
that live elsewhere. Where one would be called, its stand-in does what the performer has told: the same calls of the
same interface, at the same place in the order of things. So nothing about that order exists twice.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from libra_ray.errors import UserError
from libra_ray.model.orders import Order
from libra_ray.runtime import Actor, ActorBus, ActorClock, LocalHost, Rank, inject, known_hooks
from libra_ray.runtime.faults import RAISED, charged, fault_of
from libra_ray.simulation.lockstep.calls import (
    Asked,
    Call,
    Callback,
    CallbackBook,
    LockstepBroken,
    Raised,
    Turn,
    packed_arguments,
    unpacked_arguments,
)
from libra_ray.simulation.lockstep.exchange import PROMISE_EVERY, Exchange
from libra_ray.simulation.system import ActorEntry
from libra_ray.strategy import ExecAlgorithm, OrderFactory, Strategy
from libra_ray.strategy.compiled import CompiledStrategy
from libra_ray.strategy.compiled.rows import ROWS
from libra_ray.strategy.order_hooks import OrderHooks
from libra_ray.strategy.primary_desk import PrimaryDesk

__all__ = ["Cast"]

_OURS: Final = (Actor, Strategy, OrderHooks, PrimaryDesk, ExecAlgorithm)
"""Their own hooks are the library's: every host runs them itself."""

_BUS: Final = ("publish", "send", "command", "request", "reply", "subscribe", "unsubscribe", "register")
_CLOCK: Final = ("set_alert", "set_timer", "cancel_timer")
_STRATEGY: Final = ("submit_order", "submit_order_list", "modify_order", "cancel_order", "cancel_all_orders")
_ALGORITHM: Final = (
    "_spawn", "submit_child", "submit_primary", "cancel_primary", "deny_primary", "cancel_child", "move_child",
)  # fmt: skip
_MADE: Final = "orders._made_now"


class Cast:
    """Makes the actors of a system for one host: performers for its own, stand-ins for all others."""

    def __init__(self, exchange: Exchange, mine: frozenset[str]) -> None:
        self._exchange, self._mine = exchange, mine

    def make(self, entry: ActorEntry) -> Actor:
        """The actor of an entry, or its stand-in."""
        mirror: _Performer | _StandIn
        parts: dict[str, Any]
        if entry.actor_id in self._mine:
            mirror = _Performer(entry.actor_id, self._exchange)
            parts = {name: _performed(getattr(entry.cls, name)) for name in _own_hooks(entry.cls)}
            parts |= {name: _recorded(name, getattr(entry.cls, name), _itself) for name in _interface(entry.cls)}
            if issubclass(entry.cls, CompiledStrategy):
                parts["handle_by"] = _handled(entry.cls.handle_by)
        else:
            mirror = _StandIn(entry.actor_id, self._exchange)
            # What `handle_by` gives a performer, its stand-ins have from their class.
            given = ROWS if issubclass(entry.cls, CompiledStrategy) else ()
            parts = {name: _followed(mirror) for name in (*_own_hooks(entry.cls), *given)}
        parts |= {"__module__": entry.cls.__module__, "_bind": _bound(entry.cls), "_mirror": mirror}
        derived = type(entry.cls.__name__, (entry.cls,), parts)
        return entry._replace(cls=derived).make()


class _Performer:
    """Runs the turns of an actor of this host, and tells the others what it did in them."""

    def __init__(self, actor_id: str, exchange: Exchange) -> None:
        self.actor_id, self.number = actor_id, 0
        self._exchange = exchange
        self._callbacks = CallbackBook(actor_id)
        self._calls: list[Call] = []
        self.is_in_turn = self.is_recording = False
        exchange.speak_for(self)

    def bind(self, actor: Any) -> None:  # noqa: ANN401 - an actor of whatever class
        """The actor is being initialized: what it is given records what it does."""
        self.actor = actor
        host = actor._host  # noqa: SLF001 - the host's own half of the actor
        inject(actor, bus=_RecordingBus(host, actor), clock=_RecordingClock(host, actor))
        if isinstance(actor, Strategy):
            inject(actor, orders=_RecordingFactory(self.actor_id, host, actor))

    def perform(self, function: Callable[..., object], *args: object) -> object:
        """One turn, unless it is part of one."""
        if self.is_in_turn:
            return function(*args)
        self.is_in_turn = self.is_recording = True
        self.number += 1
        calls = self._calls
        try:
            result = function(*args)
        except RAISED as error:
            raised = self._raised(charged(error), function)
            self._exchange.tell(Turn(self.actor_id, self.number, packed_arguments(calls), raised))
            raise
        else:
            if calls:
                self._exchange.tell(Turn(self.actor_id, self.number, packed_arguments(calls)))
            elif not self.number % PROMISE_EVERY:
                self._exchange.promise(self.actor_id, self.number)
            return result
        finally:
            calls.clear()
            self.is_in_turn = self.is_recording = False

    def record(self, name: str, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        """Make a call of the interface and note it, unless it raises or is part of another."""
        if not self.is_recording:
            return method(*args, **kwargs)
        if name == "bus.reply":
            args = (Asked(args[0].correlation_id), *args[1:])
        args = tuple(self._sendable(name, value) for value in args)
        kwargs = {key: self._sendable(name, value) for key, value in kwargs.items()}
        orders = self.actor.cache.orders
        fresh = frozenset(
            each.client_order_id
            for each in _orders_in((*args, *kwargs.values()))
            if orders.get(each.client_order_id) is not each
        )
        self.is_recording = False
        try:
            result = method(*args, **kwargs)
        finally:
            self.is_recording = True
        self._calls.append(Call(name, args, kwargs, fresh))
        return result

    def _sendable(self, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever an argument is
        if name in _TAKE_CALLBACKS and callable(value):
            return self._callbacks.of(value, lambda function: partial(self.perform, function))
        return value

    def _raised(self, error: Exception, handler: Callable[..., object]) -> Raised:
        fault = fault_of(self.actor, self.actor_id, error, 0, handler=handler)
        told = fault.to_error()
        if isinstance(told, UserError):
            return Raised(fault.hook, told.place, told.what, told.code, told.fix, told.value)
        return Raised(fault.hook, fault.place, told.message, "", "", None)


class _StandIn:
    """Does in an actor's place what its performer has told."""

    def __init__(self, actor_id: str, exchange: Exchange) -> None:
        self.actor_id, self.number, self.quiet = actor_id, 0, 0
        self._exchange = exchange
        self._told = exchange.box_of(actor_id)
        self._callbacks = CallbackBook(actor_id)
        self._made: dict[str, Order] = {}

    def bind(self, actor: Any) -> None:  # noqa: ANN401 - an actor of whatever class
        """The actor is being initialized."""
        self.actor = actor

    def turn(self, *_args: object) -> None:
        """One turn. It costs a comparison where the performer has promised that nothing happens."""
        self.number += 1
        if self.number > self.quiet:
            self._follow()

    def _follow(self) -> None:
        told = self._told
        while True:
            while not told:
                self._exchange.wait()
            turn = told[0]
            if turn.number > self.number and not turn.is_promise:
                self.quiet = turn.number - 1
                return
            told.popleft()
            if not turn.is_promise:
                self._do(turn)
                return
            self.quiet = turn.number
            if turn.number >= self.number:
                return

    def _do(self, turn: Turn) -> None:
        if turn.number != self.number:
            raise LockstepBroken(f"{self.actor_id} told its turn {turn.number} where turn {self.number} is due here")
        try:
            known = self.actor.cache.orders
            for name, args, kwargs in unpacked_arguments(turn.calls, self._order_of, known, self._callback):
                self._target(name)(*args, **kwargs)
        except Exception as error:
            what = f"what {self.actor_id} did in its turn {turn.number} cannot be done here"
            raise LockstepBroken(f"{what}: {type(error).__name__}: {error}") from error
        if turn.raised is not None:
            raise turn.raised.error(self.actor_id)

    def _callback(self, number: int) -> Callback:
        return self._callbacks.numbered(number, lambda: self.turn)

    def _order_of(self, told: Order) -> Order:
        """The order of this process for one that came whole: what was changed since it was made is changed here too."""
        mine = self._made.setdefault(told.client_order_id, told)
        if mine is not told:
            for name in Order.__struct_fields__:
                setattr(mine, name, getattr(told, name))
        return mine

    def _target(self, name: str) -> Callable[..., object]:
        if name not in _INTERFACE:
            raise LockstepBroken(f"{self.actor_id} told a call of {name!r}, which is not of its interface")
        part, _, method = name.rpartition(".")
        target: Callable[..., object] = getattr(getattr(self.actor, part) if part else self.actor, method)
        return target


_INTERFACE: Final = frozenset(
    {*(f"bus.{name}" for name in _BUS), *(f"clock.{name}" for name in _CLOCK), *_STRATEGY, *_ALGORITHM, _MADE}
)
_TAKE_CALLBACKS: Final = frozenset(
    {"bus.subscribe", "bus.unsubscribe", "bus.register", "bus.request", "clock.set_alert", "clock.set_timer"}
)


def _own_hooks(cls: type[Actor]) -> list[str]:
    """The hooks that the actor's author wrote."""
    return [name for name in sorted(known_hooks(cls)) if _author(cls, name) not in (*_OURS, None)]


def _author(cls: type[Actor], name: str) -> type | None:
    return next((each for each in cls.__mro__ if name in vars(each)), None)


def _interface(cls: type[Actor]) -> tuple[str, ...]:
    """The methods, besides those of bus and clock, by which an actor of a class does something."""
    if issubclass(cls, Strategy):
        return _STRATEGY
    return _ALGORITHM if issubclass(cls, ExecAlgorithm) else ()


def _orders_in(values: tuple[Any, ...]) -> list[Order]:
    found = []
    for value in values:
        found += [each for each in (value if isinstance(value, tuple | list) else (value,)) if isinstance(each, Order)]
    return found


# ------------------------------------------------------------------ what the derived classes are made of


def _performed(original: Callable[..., object]) -> Callable[..., object]:
    def hook(self: Any, *args: object) -> object:  # noqa: ANN401
        return self._mirror.perform(original, self, *args)

    return hook


def _handled(original: Callable[..., None]) -> Callable[..., None]:
    def handle_by(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        original(self, *args, **kwargs)
        inject(self, **{hook: partial(self._mirror.perform, getattr(self, hook)) for hook in self.program.handlers})

    return handle_by


def _followed(mirror: _StandIn) -> Callable[..., object]:
    def hook(_self: object, *_args: object) -> None:
        mirror.number += 1
        if mirror.number > mirror.quiet:
            mirror._follow()  # noqa: SLF001 - `turn` without its call: it is made for every row

    return hook


def _recorded(name: str, method: Callable[..., Any], actor_of: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return actor_of(self)._mirror.record(name, partial(method, self), args, kwargs)  # noqa: SLF001

    return call


def _itself(actor: Any) -> Any:  # noqa: ANN401
    return actor


def _actor_of(part: Any) -> Any:  # noqa: ANN401
    return part._actor  # noqa: SLF001


def _bound(cls: type[Actor]) -> Callable[..., None]:
    def bind(self: Any, host: LocalHost, actor_id: str, rank: Rank) -> None:  # noqa: ANN401
        cls._bind(self, host, actor_id, rank)
        self._mirror.bind(self)

    return bind


def _recording(base: type, prefix: str, names: tuple[str, ...], actor_of: Callable[[Any], Any]) -> Mapping[str, Any]:
    return {name: _recorded(f"{prefix}{name}", getattr(base, name), actor_of) for name in names}


_RecordingBus = type("RecordingBus", (ActorBus,), dict(_recording(ActorBus, "bus.", _BUS, _actor_of)))
_RecordingClock = type("RecordingClock", (ActorClock,), dict(_recording(ActorClock, "clock.", _CLOCK, _actor_of)))
_RecordingFactory = type(
    "RecordingFactory",
    (OrderFactory,),
    dict(_recording(OrderFactory, "orders.", ("_made_now",), lambda factory: factory._strategy)),  # noqa: SLF001
)
