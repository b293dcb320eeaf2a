"""Strategy: an actor that sends orders. What it sends waits in the outbox until its handler has returned."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Literal

from libra_ray.messages.commands import (
    CancelAllOrders,
    CancelOrder,
    ModifyOrder,
    RefuseCommand,
    SubmitOrder,
    SubmitOrderList,
)
from libra_ray.messages.events import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderDenied,
    OrderEmulated,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderInitialized,
    OrderModifyRejected,
    OrderPendingCancel,
    OrderPendingUpdate,
    OrderRejected,
    OrderReleased,
    OrderSubmitted,
    OrderTriggered,
    OrderUpdated,
    PositionChanged,
    PositionClosed,
    PositionEvent,
    PositionOpened,
)
from libra_ray.model.enums import OrderSide
from libra_ray.model.numbers import DecimalLike
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.portfolio import Cache, StrategyPortfolio
from libra_ray.runtime import Actor, ActorConfig, Injected, LocalHost, Rank, inject
from libra_ray.runtime.outbox import Staged
from libra_ray.runtime.views import Handler
from libra_ray.strategy.order_factory import OrderFactory

__all__ = ["Strategy", "StrategyConfig"]


class StrategyConfig(ActorConfig):
    """What every strategy may be told.

    Attributes:
        fault_policy: what becomes of its orders and positions once it has faulted: `keep` all, `cancel` the orders,
            or `flatten`: cancel the orders and close the positions.
    """

    fault_policy: Literal["keep", "cancel", "flatten"] = "cancel"


_BUY: Final = OrderSide.BUY
_SELL: Final = OrderSide.SELL
_HOOKS: dict[type, tuple[str, str]] = {
    OrderInitialized: ("on_order_initialized", "on_order_event"),
    OrderDenied: ("on_order_denied", "on_order_event"),
    OrderEmulated: ("on_order_emulated", "on_order_event"),
    OrderReleased: ("on_order_released", "on_order_event"),
    OrderSubmitted: ("on_order_submitted", "on_order_event"),
    OrderAccepted: ("on_order_accepted", "on_order_event"),
    OrderRejected: ("on_order_rejected", "on_order_event"),
    OrderCanceled: ("on_order_canceled", "on_order_event"),
    OrderExpired: ("on_order_expired", "on_order_event"),
    OrderTriggered: ("on_order_triggered", "on_order_event"),
    OrderUpdated: ("on_order_updated", "on_order_event"),
    OrderPendingUpdate: ("on_order_pending_update", "on_order_event"),
    OrderPendingCancel: ("on_order_pending_cancel", "on_order_event"),
    OrderModifyRejected: ("on_order_modify_rejected", "on_order_event"),
    OrderCancelRejected: ("on_order_cancel_rejected", "on_order_event"),
    OrderFilled: ("on_order_filled", "on_order_event"),
    PositionOpened: ("on_position_opened", "on_position_event"),
    PositionChanged: ("on_position_changed", "on_position_event"),
    PositionClosed: ("on_position_closed", "on_position_event"),
}


class Strategy(Actor):
    """Override `on_start` and the data handlers; send orders by `buy`, `sell`, `target` or the factory in `orders`.

    Events of its own orders and positions come to `on_order_<what>`, then `on_order_event`, then `on_event`; none of
    another strategy's. `cache` and `portfolio` stand exactly at the message being handled.
    """

    KNOWN_HOOKS: ClassVar[frozenset[str]] = Actor.KNOWN_HOOKS | {name for names in _HOOKS.values() for name in names}

    config: StrategyConfig
    cache: Injected[Cache] = Injected()
    portfolio: Injected[StrategyPortfolio] = Injected()
    orders: Injected[OrderFactory] = Injected()

    # --- orders -------------------------------------------------------------------------------------------------

    def buy(self, instrument_id: str, quantity: DecimalLike, **terms: Any) -> Order:  # noqa: ANN401 - see `order`
        """Send a buy order. Market, unless `price` or `trigger_price` says otherwise; see `OrderFactory.order`."""
        order = self.orders.order(instrument_id, OrderSide.BUY, quantity, **terms)
        self.submit_order(order)
        return order

    def sell(self, instrument_id: str, quantity: DecimalLike, **terms: Any) -> Order:  # noqa: ANN401
        """Send a sell order; as `buy`."""
        order = self.orders.order(instrument_id, OrderSide.SELL, quantity, **terms)
        self.submit_order(order)
        return order

    def target(self, instrument_id: str, quantity: DecimalLike) -> Order | None:
        """Bring the net position to the signed `quantity` by one market order; None when it is, or will be, there.

        Market orders of this strategy that have not executed yet count as executed.
        """
        return self.target_raw(instrument_id, *self.orders.size(instrument_id, quantity))

    def target_raw(self, instrument_id: str, net_raw: int, precision: int) -> Order | None:
        """`target` of a raw quantity at the instrument's `precision`."""
        cache, missing = self.cache, net_raw - self.portfolio.net_qty_raw(instrument_id)
        if cache.new or cache.working:
            missing -= self.portfolio.in_flight_raw(instrument_id)
        if missing == 0:
            return None
        order = self.orders.market_raw(instrument_id, _BUY if missing > 0 else _SELL, abs(missing), precision)
        self.submit_order(order)
        return order

    def submit_order(self, order: Order) -> None:
        """Send an order that the factory made: to the order emulator or an algorithm where it names one, else on.

        It is INITIALIZED until it is taken up.
        """
        cache, order_id = self.cache, order.client_order_id
        cache.orders.setdefault(order_id, order)
        cache.new[order_id] = order
        receiver = self._risk
        if order.emulation_trigger is not None or order.exec_algorithm_id is not None:
            receiver = self.first_receiver(order)
        self._host.staged.append((self, receiver, SubmitOrder(self.clock.now_ns(), self.actor_id, order)))

    def submit_order_list(self, orders: Sequence[Order]) -> None:
        """Send orders that stand or fall together, such as `orders.bracket` makes: one denied denies all."""
        cache = self.cache
        for order in orders:
            cache.orders.setdefault(order.client_order_id, order)
            cache.new[order.client_order_id] = order
        receiver = self._risk
        if any(order.emulation_trigger is not None for order in orders):
            receiver = self._emulator
        command = SubmitOrderList(self.clock.now_ns(), self.actor_id, tuple(orders))
        self._host.staged.append((self, receiver, command))

    def modify_order(
        self,
        order: Order,
        *,
        quantity: DecimalLike | None = None,
        price: DecimalLike | None = None,
        trigger_price: DecimalLike | None = None,
    ) -> None:
        """Change a working order; the answer is OrderUpdated or OrderModifyRejected."""
        size_raw, size_precision = None, order.size_precision
        if quantity is not None:
            size_raw, size_precision = self.orders.size(order.instrument_id, quantity)
        px_raw, trigger_raw, _, px_precision = self.orders.prices(order.instrument_id, price, trigger_price)
        now_ns = self.clock.now_ns()
        command = ModifyOrder(now_ns, self.actor_id, order, size_raw, px_raw, trigger_raw, size_precision, px_precision)
        self._host.staged.append((self, self._risk, command))

    def cancel_order(self, order: Order) -> None:
        """Take a working order off; the answer is OrderCanceled or OrderCancelRejected."""
        self._host.staged.append((self, self._execution, CancelOrder(self.clock.now_ns(), self.actor_id, order)))

    def cancel_all_orders(self, instrument_id: str | None = None) -> None:
        """Cancel this strategy's working orders, all or of one instrument, in order of acceptance."""
        command = CancelAllOrders(self.clock.now_ns(), self.actor_id, instrument_id)
        self._host.staged.append((self, self._execution, command))

    def close_position(self, position: Position | str) -> Order | None:
        """Close a position, or that of an instrument id, by a reduce-only market order; None when flat."""
        if isinstance(position, str):
            found = self.portfolio.position(position)
            if found is None:
                return None
            position = found
        order = self.orders.closing(position)
        self.submit_order(order)
        return order

    def close_all_positions(self) -> list[Order]:
        """Close every open position of this strategy; the orders sent."""
        closing = [self.close_position(position) for position in self.portfolio.positions()]
        return [order for order in closing if order is not None]

    # --- order and position hooks -------------------------------------------------------------------------------
    # They run in RUNNING and DEGRADED; in other states the events are kept. A raise faults, by `config.on_error`.

    def on_order_event(self, event: OrderEvent) -> None:
        """Any event of an order of this strategy, after its own hook."""

    def on_order_initialized(self, event: OrderInitialized) -> None:
        """The risk engine takes up an order that this strategy made."""

    def on_order_denied(self, event: OrderDenied) -> None:
        """Refused by us; `event.code` says why. It never reached the venue."""

    def on_order_emulated(self, event: OrderEmulated) -> None:
        """Held by the order emulator until its trigger is hit."""

    def on_order_released(self, event: OrderReleased) -> None:
        """Its trigger was hit; it goes to the risk engine and on to the venue."""

    def on_order_submitted(self, event: OrderSubmitted) -> None:
        """On its way to the venue."""

    def on_order_accepted(self, event: OrderAccepted) -> None:
        """Working at the venue."""

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Refused by the venue; `event.code` says why."""

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """No longer working; `event.code` is empty where this strategy asked for it."""

    def on_order_expired(self, event: OrderExpired) -> None:
        """Its time in force ended."""

    def on_order_triggered(self, event: OrderTriggered) -> None:
        """A stop-limit is a limit order now."""

    def on_order_updated(self, event: OrderUpdated) -> None:
        """Quantity, price or trigger changed."""

    def on_order_pending_update(self, event: OrderPendingUpdate) -> None:
        """A modification is on its way."""

    def on_order_pending_cancel(self, event: OrderPendingCancel) -> None:
        """A cancel is on its way."""

    def on_order_modify_rejected(self, event: OrderModifyRejected) -> None:
        """A modification was refused; the order is as it was."""

    def on_order_cancel_rejected(self, event: OrderCancelRejected) -> None:
        """A cancel was refused; the order is as it was."""

    def on_order_filled(self, event: OrderFilled) -> None:
        """A fill; position and account contain it already."""

    def on_position_event(self, event: PositionEvent) -> None:
        """Any event of a position of this strategy, after its own hook."""

    def on_position_opened(self, event: PositionOpened) -> None:
        """A position came to be."""

    def on_position_changed(self, event: PositionChanged) -> None:
        """A position grew or shrank."""

    def on_position_closed(self, event: PositionClosed) -> None:
        """A position is flat."""

    # --- for the host and the kernel ----------------------------------------------------------------------------

    def _bind(self, host: LocalHost, actor_id: str, rank: Rank) -> None:
        super()._bind(host, actor_id, rank)
        inject(self, orders=OrderFactory(actor_id, host, self))
        self._handlers: dict[type, tuple[Callable[[Any], None], ...]] = {}
        for kind, (hook, general) in _HOOKS.items():
            called = [getattr(self, name) for name in (hook, general, "on_event") if self._overrides(name)]
            if called:
                self._handlers[kind] = tuple(called)

    def link_order_path(self, link: Callable[[str], Handler] | None = None) -> None:
        """Resolve the order path's first links, by `link` or on the bus. Called by the kernel."""
        link = link or self._host.bus.link
        self._risk, self._execution = link("RiskEngine.execute"), link("ExecEngine.execute")
        self._emulator = link("OrderEmulator.execute")

    def first_receiver(self, order: Order) -> Handler:
        """Who is sent an order: the emulator, an algorithm that is there, else the risk engine."""
        if order.emulation_trigger is not None:
            return self._emulator
        if order.exec_algorithm_id is None:
            return self._risk
        endpoint = f"{order.exec_algorithm_id}.execute"
        return self._host.bus.link(endpoint) if self._host.bus.has_endpoint(endpoint) else self._risk

    @property
    def hears_orders(self) -> bool:
        """Whether it overrides a hook for its own orders or positions."""
        return bool(self._handlers)

    def hear(self, event: OrderEvent | PositionEvent) -> None:
        """Give an event of its own order or position to the hooks that are overridden."""
        for handler in self._handlers.get(type(event), ()):
            handler(event)

    def _forget(self) -> None:
        super()._forget()
        self.orders.forget()

    def _last_words(self, staged: list[Staged]) -> list[Staged]:
        return [
            (self, self._risk, RefuseCommand(message.ts_ns, message.strategy_id, message))
            if isinstance(message, SubmitOrder | SubmitOrderList | ModifyOrder)
            else (actor, handler, message)
            for actor, handler, message in staged
        ]

    @classmethod
    def _overrides(cls, name: str) -> bool:
        return getattr(cls, name) is not getattr(Strategy, name)
