"""What the actors of one host see of the kernel and of the market, and how it is kept right."""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from libra_ray.kernel.apart.letters import AskState
from libra_ray.kernel.apart.links import is_replay, link
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.apart.projection import Projection
from libra_ray.kernel.apart.row_view import RowView
from libra_ray.kernel.apart.state import StatePage, loaded_pages, saved_pages
from libra_ray.messages.commands import SetTradingState, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import AnyEvent
from libra_ray.model.enums import TradingState
from libra_ray.runtime import NEVER_NS, Actor, Alarm, Delivery, Fault, LocalHost
from libra_ray.runtime.views import Handler

__all__ = ["STATE_ASKED", "STATE_FOR_ALL", "VIEW", "HostView", "halt_on_faults", "view_of"]

STATE_ASKED: Final = "events.state.asked"
"""Where a projection asks for the state; the answer comes on a topic, so that it is in step with the events."""
STATE_FOR_ALL: Final = "events.state.all"
"""Where the execution engine tells its state when it begins, or begins anew."""

_EVENTS: Final = ("events.order.*", "events.position.*", "events.account.*")
_FIRST: Final = 1_000
_ASK_AGAIN_NS: Final = 200_000_000
_ALARM: Final = (-1, "state")
VIEW: Final = "#view"
"""The name of the view among the keepers of its host."""
_AHEAD: Final = "ahead"


class HostView:
    """One per host: a projection of the kernel's books and of the rows that come here, given to every actor.

    In a later life of its host it goes on from what it has saved: what comes before that is loaded waits.

    Attributes:
        projection: cache, portfolio and funds.
        rows: the market.
    """

    def __init__(self, host: LocalHost, plan: KernelPlan, name: str) -> None:
        self.projection = Projection(plan, host.clock.now_ns())
        self.cache, self.portfolio = self.projection.cache, self.projection.portfolio
        self.rows = RowView(host, self.cache, [spec.name for spec in plan.bars])
        self._host = host
        self._topic = f"events.state.of.{name}"
        self._early: list[AnyEvent | StatePage] | None = None
        self._hearers: dict[str, Delivery] = {}
        self._saved_new: frozenset[str] = frozenset()
        host.provide(cache=self.cache, portfolio=self.portfolio)
        host.keepers[VIEW] = self
        halt_on_faults(host)
        for topic in _EVENTS:
            host.bus.subscribe(topic, self._on_event, _FIRST)
        for topic in (STATE_FOR_ALL, self._topic):
            host.bus.subscribe(topic, self._on_page, _FIRST)
        if host.epoch == 1:
            self._ask()
        else:
            self._early = []

    def follow(self, listener: Handler) -> None:
        """Call `listener` with each event of orders, positions and accounts, once it is folded."""
        for topic in _EVENTS:
            self._host.bus.subscribe(topic, listener, _FIRST - 1)

    def tell(self, strategy_id: str, hearer: Delivery) -> None:
        """Let a strategy hear of its own orders and positions, in place of a former instance of it."""
        former = self._hearers.get(strategy_id)
        self._hearers[strategy_id] = hearer
        for topic in (f"events.order.{strategy_id}", f"events.position.{strategy_id}"):
            if former is not None:
                self._host.bus.unsubscribe(topic, former)
            self._host.bus.subscribe(topic, hearer)

    def _on_event(self, event: AnyEvent) -> None:
        if self._early is None or is_replay(self._host):
            self.projection.apply(event, again=is_replay(self._host))
        else:
            self._early.append(event)

    def _on_page(self, page: StatePage) -> None:
        if self._early is not None and not is_replay(self._host):
            self._early.append(page)
            return
        self.projection.take_page(page)
        if self.projection.is_synced:
            self._host.timers.cancel(_ALARM)

    def _ask(self, _alarm: Alarm | None = None) -> None:
        """Ask until it is told; nobody may be there yet."""
        now_ns, timers = self._host.clock.now_ns(), self._host.timers
        if timers.get(_ALARM) is None:
            timers.put(Alarm(now_ns + _ASK_AGAIN_NS, _ALARM, timers.next_seq(), self._ask, _ASK_AGAIN_NS, NEVER_NS))
        self._host.bus.publish(STATE_ASKED, AskState(now_ns, "", self._topic))

    # ------------------------------------------------------------------ lives of the host

    def on_save(self) -> Mapping[str, bytes]:
        """What is open, and the latest of what was: all that the events to come may speak of."""
        projection = self.projection
        if not projection.is_synced:
            return {}
        pages = saved_pages(projection.books, projection.acceptances, self._host.clock.now_ns())
        ahead = msgspec.json.encode((list(self.cache.new), projection.led))
        return {**pages, _AHEAD: ahead}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Stand where the life before stood when it was saved."""
        if _AHEAD in state:
            new, led = msgspec.json.decode(state[_AHEAD], type=tuple[list[str], dict[str, str]])
            self.projection.restore(loaded_pages(state))
            self.projection.led.update(led)
            self.cache.new.update((order_id, self.cache.orders[order_id]) for order_id in new)
            self._saved_new = frozenset(new)

    def on_ready(self) -> None:
        """Take in what has come meanwhile; ask for the state where none was saved."""
        early, self._early = self._early, None
        self._forget_phantoms()
        for message in early or ():
            if isinstance(message, StatePage):
                self._on_page(message)
            else:
                self._on_event(message)
        if not self.projection.is_synced:
            self._ask()

    def _forget_phantoms(self) -> None:
        """Orders that handlers made when they were given old messages once more: none of them was sent."""
        sent = [entry[2] for entry in self._host.queue if isinstance(entry[2], SubmitOrder | SubmitOrderList)]
        orders = [o for c in sent for o in (c.orders if isinstance(c, SubmitOrderList) else (c.order,))]
        queued = dict.fromkeys(order.client_order_id for order in orders)
        for order_id in [name for name in self.cache.new if name not in queued and name not in self._saved_new]:
            del self.cache.new[order_id]
            del self.cache.orders[order_id]


def halt_on_faults(host: LocalHost) -> None:
    """A part of the kernel that raises in `host` halts trading: nothing more is sent."""

    def halt(actor: Actor, fault: Fault) -> None:
        reason = f"{actor.actor_id} failed: {fault.reason}"
        command = SetTradingState(host.clock.now_ns(), actor.actor_id, TradingState.HALTED, reason)
        link(host, "RiskEngine.execute")(command)

    host.on_kernel_fault = halt


_views: WeakKeyDictionary[Any, HostView] = WeakKeyDictionary()


def view_of(host: LocalHost, plan: KernelPlan, actor_id: str) -> HostView:
    """The view of a host, made with its first resident, whose id names it."""
    view = _views.get(host)
    if view is None:
        view = _views[host] = HostView(host, plan, actor_id)
    return view
