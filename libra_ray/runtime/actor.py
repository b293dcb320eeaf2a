"""Actor: a plain class with a lifecycle, a clock, a bus and hooks."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from libra_ray.messages.schemas import Bar, Quote, Trade
from libra_ray.runtime.actor_bus import ActorBus
from libra_ray.runtime.actor_clock import ActorClock
from libra_ray.runtime.actor_config import ActorConfig, OnError, config_of
from libra_ray.runtime.injected import Injected, inject
from libra_ray.runtime.lifecycle import State
from libra_ray.runtime.outbox import Staged
from libra_ray.runtime.rank import Rank
from libra_ray.runtime.signals import Signal, SignalValue
from libra_ray.runtime.timers import Timer
from libra_ray.runtime.topics import bars_topic, book_topic, quotes_topic, signal_topic, trades_topic
from libra_ray.runtime.views import Handler, Log, Replyable, ReplyHandler

if TYPE_CHECKING:
    from libra_ray.runtime.host import LocalHost

__all__ = ["Actor"]


class Actor:
    """Override the hooks you need; the defaults do nothing.

    Hooks are synchronous and have an outbox: what a hook sends, publishes, subscribes or sets happens when it returns,
    in order, and not at all when it raises. A raise faults the actor and nobody else (`ActorConfig.on_error`).

    Attributes:
        config: the settings, an instance of the class that annotates `config`. Always there.
        state: where the lifecycle stands. Always there, for reading.
        is_active: RUNNING or DEGRADED, the states in which data and event handlers run. Always there.
        actor_id, rank, clock, bus, log, cache, portfolio: from INITIALIZE on; before, `NotInitializedError`.

    """

    KNOWN_HOOKS: ClassVar[frozenset[str]] = frozenset(
        {
            "on_start",
            "on_stop",
            "on_resume",
            "on_reset",
            "on_dispose",
            "on_degrade",
            "on_fault",
            "on_save",
            "on_load",
            "on_bar",
            "on_quote",
            "on_trade",
            "on_book",
            "on_data",
            "on_signal",
            "on_timer",
            "on_event",
            "on_reply",
            "on_gap",
        }
    )

    on_error: ClassVar[OnError]
    """What a data or event handler that raises leads to, where the settings do not say: `ActorConfig.on_error`."""

    config: ActorConfig
    is_active: bool

    actor_id: Injected[str] = Injected()
    rank: Injected[Rank] = Injected()
    rank_no: Injected[int] = Injected()
    clock: Injected[ActorClock] = Injected()
    bus: Injected[ActorBus] = Injected()
    log: Injected[Log] = Injected()
    cache: Injected[Any] = Injected()
    portfolio: Injected[Any] = Injected()
    _host: "Injected[LocalHost]" = Injected()

    def __init__(self, config: ActorConfig | None = None, **settings: Any) -> None:  # noqa: ANN401 - pydantic checks them
        self.config = config_of(type(self), config, settings)
        self._state = State.PRE_INITIALIZED
        self.is_active = False

    @property
    def state(self) -> State:
        """Where the lifecycle stands, kept by the host."""
        return self._state

    @state.setter
    def state(self, _value: object) -> NoReturn:
        """An author who has a `state` of his own would else stop his actor without a word."""
        what = "is where its lifecycle stands and not to be set. Give yours another name."
        raise AttributeError(f"{type(self).__name__}.state {what}")

    # --- what is sent -------------------------------------------------------------------------------------------

    def publish(self, topic: str, message: object) -> None:
        """To all subscribers of `topic`, when this handler has returned."""
        self.bus.publish(topic, message)

    def publish_signal(self, name: str, value: SignalValue) -> None:
        """A `Signal` to whoever subscribed to `signals.{name}`."""
        self.bus.publish(signal_topic(name), Signal(name, value, self.clock.now_ns(), self.actor_id))

    def send(self, endpoint: str, message: object) -> bool:
        """To the one receiver of `endpoint`; when there is none a dead letter and False, and for a command a raise."""
        return self.bus.send(endpoint, message)

    def request(self, endpoint: str, message: object, timeout_ns: int, callback: ReplyHandler | None = None) -> int:
        """Ask `endpoint`; returns the correlation id with which `on_reply` (or `callback`) will be called, once."""
        return self.bus.request(endpoint, message, timeout_ns=timeout_ns, callback=callback)

    def reply(self, request: Replyable, reply: object) -> None:
        """Answer a request that one of this actor's endpoints was given."""
        self.bus.reply(request, reply)

    # --- what is received ---------------------------------------------------------------------------------------

    def subscribe_bars(self, instrument_id: str, period: str) -> bool:
        """Bars of `period` (`1h`) come to `on_bar`. False when that was subscribed already, here and below."""
        return self.bus.subscribe(bars_topic(instrument_id, period))

    def subscribe_quotes(self, instrument_id: str) -> bool:
        """Quotes come to `on_quote`."""
        return self.bus.subscribe(quotes_topic(instrument_id))

    def subscribe_trades(self, instrument_id: str) -> bool:
        """Trades come to `on_trade`."""
        return self.bus.subscribe(trades_topic(instrument_id))

    def subscribe_book(self, instrument_id: str) -> bool:
        """Changes of the book come to `on_book`."""
        return self.bus.subscribe(book_topic(instrument_id))

    def subscribe_signal(self, name: str) -> bool:
        """Signals of that name come to `on_signal`."""
        return self.bus.subscribe(signal_topic(name))

    def subscribe(self, pattern: str, handler: Handler | None = None, priority: int = 0) -> bool:
        """Messages on topics that match `pattern` come to `handler`, or to the hook of the topic (`ActorBus`)."""
        return self.bus.subscribe(pattern, handler, priority)

    def unsubscribe_bars(self, instrument_id: str, period: str) -> bool:
        """End `subscribe_bars`. False when that was not subscribed, here and below."""
        return self.bus.unsubscribe(bars_topic(instrument_id, period))

    def unsubscribe_quotes(self, instrument_id: str) -> bool:
        """End `subscribe_quotes`."""
        return self.bus.unsubscribe(quotes_topic(instrument_id))

    def unsubscribe_trades(self, instrument_id: str) -> bool:
        """End `subscribe_trades`."""
        return self.bus.unsubscribe(trades_topic(instrument_id))

    def unsubscribe_book(self, instrument_id: str) -> bool:
        """End `subscribe_book`."""
        return self.bus.unsubscribe(book_topic(instrument_id))

    def unsubscribe_signal(self, name: str) -> bool:
        """End `subscribe_signal`."""
        return self.bus.unsubscribe(signal_topic(name))

    def unsubscribe(self, pattern: str, handler: Handler | None = None) -> bool:
        """End `subscribe` with the same arguments."""
        return self.bus.unsubscribe(pattern, handler)

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers that depend on the run's seed, this actor's id and `purpose` alone.

        Each call begins the same numbers anew: ask once, in `on_start`, and keep the generator.
        """
        return self._host.rng(self.actor_id, purpose)

    # --- lifecycle hooks ----------------------------------------------------------------------------------------
    # A raise in any of them faults the actor, but for those two where it says so.

    def on_start(self) -> None:
        """Look up instruments, subscribe, set timers. Orders sent here wait until all actors run."""

    def on_stop(self) -> None:
        """Cancel orders or leave them, by policy; unsubscribe. Afterwards data is discarded, events are kept."""

    def on_resume(self) -> None:
        """Subscribe again, compare with the cache. Then come the events that were kept, then new ones."""

    def on_reset(self) -> None:
        """Forget everything of the last run: afterwards the actor is as new.

        Subscriptions, endpoints and timers go by themselves.
        """

    def on_dispose(self) -> None:
        """Close files and sockets. A raise is recorded and reported, and the actor is disposed all the same."""

    def on_degrade(self, reason: str) -> None:
        """Go on with less: stop opening, keep managing."""

    def on_fault(self, error: Exception) -> None:
        """Last words: nothing sent here reaches a venue except cancels. A raise is recorded, and that is all."""

    def on_save(self) -> Mapping[str, bytes]:
        """Your own state for the next start, as bytes by name. Part of a snapshot; sends nothing."""
        return {}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """What `on_save` gave, in a new instance: after `on_start` has returned and before the first event."""

    # --- data and event hooks -----------------------------------------------------------------------------------
    # They run in RUNNING and DEGRADED only. A raise faults or degrades the actor, by `config.on_error`.

    def on_bar(self, bar: Bar) -> None:
        """A bar that was subscribed has closed."""

    def on_quote(self, quote: Quote) -> None:
        """The best bid or ask has changed."""

    def on_trade(self, trade: Trade) -> None:
        """A trade happened in the market."""

    def on_book(self, book: Any) -> None:  # noqa: ANN401 - the view of the book that the host has
        """The book has changed; all changes of one message of the venue are in it."""

    def on_data(self, data: Any) -> None:  # noqa: ANN401 - types of users
        """Other data came: funding, marks, custom types."""

    def on_signal(self, signal: Signal) -> None:
        """Another actor, or this one, published a signal."""

    def on_timer(self, timer: Timer) -> None:
        """An alert or timer without a callback of its own is due."""

    def on_event(self, event: Any) -> None:  # noqa: ANN401 - whatever the subscription matches
        """An event of a topic that was subscribed without a handler."""

    def on_reply(self, correlation_id: int, reply: Any) -> None:  # noqa: ANN401 - the receiver decides
        """The end of a request: its reply, `TimedOut` or `NoReceiver`, exactly one."""

    def on_gap(self, topic: str, from_seq: int, to_seq: int) -> None:
        """Batches `from_seq` to `to_seq` of a topic were lost between hosts; a snapshot has been asked for."""

    # --- for the host -------------------------------------------------------------------------------------------

    def _bind(self, host: "LocalHost", actor_id: str, rank: Rank) -> None:
        """INITIALIZE: take what the host gives. A subclass with more to take extends this."""
        inject(self, _host=host, actor_id=actor_id, rank=rank, rank_no=rank.number)
        inject(self, clock=ActorClock(host, self), bus=ActorBus(host, self), log=host.log_of(actor_id))
        for name, view in (("cache", host.cache), ("portfolio", host.portfolio)):
            if view is not None:
                inject(self, **{name: view})

    def _rollback(self) -> None:
        """A handler of this actor raised and its outbox was discarded: set back what a subclass counted in it."""

    def _last_words(self, staged: list[Staged]) -> list[Staged]:
        """What `on_fault` staged, as it may leave: a subclass that sends orders lets none of them reach a venue."""
        return staged

    def _forget(self) -> None:
        """RESET: drop what a subclass of the library keeps from the last run. Runs after `on_reset`."""
