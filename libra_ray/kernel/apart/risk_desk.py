"""The risk engine on a host of its own: what comes in becomes its own orders, what it answers becomes messages."""

import msgspec

from libra_ray.kernel.apart.host_view import HostView
from libra_ray.kernel.apart.letters import OrderReport
from libra_ray.kernel.apart.links import link, open_door
from libra_ray.kernel.apart.plan import KernelPlan
from libra_ray.kernel.risk_rules import risk_rules
from libra_ray.messages.commands import Command, ModifyOrder, RefuseCommand, SubmitOrder, SubmitOrderList
from libra_ray.messages.events import (
    AccountBooked,
    AnyEvent,
    InstrumentHalted,
    OrderCanceled,
    OrderDenied,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderModifyRejected,
    OrderRejected,
    OrderUpdated,
    TradingStateChanged,
)
from libra_ray.messages.schemas import Row
from libra_ray.model.orders import Order
from libra_ray.risk import RiskEngine, RiskLinks
from libra_ray.runtime import Delivery, LocalHost

__all__ = ["ONWARD", "RISK", "RiskDesk"]

RISK = "RiskEngine"
ONWARD = f"{RISK}.onward"
"""What holders of orders say of them goes to the execution engine by this door, behind the orders that they sent."""

_ENDS_CHANGE = (OrderModifyRejected, OrderFilled, OrderCanceled, OrderExpired, OrderRejected)


class RiskDesk:
    """Stands before a `RiskEngine` and behind it.

    What passes counts as working here at once, before the execution engine's events say so: nothing is spent twice.

    Attributes:
        resent: commands with new orders that had come before; they are ignored.
    """

    def __init__(self, host: LocalHost, view: HostView, risk: RiskEngine, plan: KernelPlan) -> None:
        self.resent = 0
        self._asked: dict[str, ModifyOrder] = {}  # the last change of an order that is on its way
        self._host, self._risk = host, risk
        self._projection = view.projection
        self._forward_on = link(host, "ExecEngine.execute")
        books = self._projection.books
        portfolio = books.portfolio
        risk.wire(
            books.cache,
            portfolio,
            books.funds_by_instrument,
            risk_rules(plan.risk),
            RiskLinks(
                take=self._take,
                report=self._report,
                forward=self._forward,
                process=self._process,
                announce=self._announce,
                knows_algorithm=lambda algorithm_id: host.bus.has_endpoint(f"{algorithm_id}.execute"),
                equity=portfolio.equity_raw,
                reporting={venue: account.reporting for venue, account in portfolio.accounts.items()},
                hedging=books.hedging,
            ),
            now_ns=host.clock.now_ns(),
        )
        self._venues = {account.account_id: venue for venue, account in portfolio.accounts.items()}
        open_door(host, f"{RISK}.execute", risk, self.execute)
        open_door(host, ONWARD, risk, self._pass_on)
        host.bus.subscribe("events.risk", Delivery(host, risk, self._on_risk_event, keeps=True))
        view.rows.want_all()
        view.follow(Delivery(host, risk, self._on_event, keeps=True))
        if risk.watches_equity:
            host.bus.subscribe("data.*", Delivery(host, risk, self._on_row, keeps=False))

    # ------------------------------------------------------------------ what comes in

    def execute(self, command: Command) -> None:
        """Endpoint `RiskEngine.execute`."""
        if isinstance(command, RefuseCommand):
            own = self._own(command.command)
            if own is not None:
                self._risk.refuse(own)
            return
        own = self._own(command)
        if own is not None:
            self._risk.execute(own)

    def _own(self, command: Command) -> Command | None:
        """The same about this host's own orders; None where its new orders had come before."""
        if isinstance(command, SubmitOrder | SubmitOrderList):
            copies = command.orders if isinstance(command, SubmitOrderList) else (command.order,)
            orders = [self._projection.own(order, RISK) for order in copies]
            known = tuple(order for order in orders if order is not None)
            if len(known) < len(orders):
                self.resent += 1
                return None
            if isinstance(command, SubmitOrderList):
                return SubmitOrderList(command.ts_ns, command.strategy_id, known)
            return SubmitOrder(command.ts_ns, command.strategy_id, known[0])
        if isinstance(command, ModifyOrder):
            return msgspec.structs.replace(command, order=self._as_asked(self._projection.known(command.order)))
        return command

    def _pass_on(self, message: object) -> None:
        self._forward_on(message)

    def _on_risk_event(self, event: object) -> None:
        if isinstance(event, InstrumentHalted):
            self._risk.halt_instrument(event.instrument_id)

    def _as_asked(self, order: Order) -> Order:
        """An order as it will be after the change that is on its way: a further one is held against that."""
        asked = self._asked.get(order.client_order_id)
        if asked is None:
            return order
        wanted = {"quantity_raw": asked.quantity_raw, "price_raw": asked.price_raw, "trigger_raw": asked.trigger_raw}
        return msgspec.structs.replace(order, **{name: raw for name, raw in wanted.items() if raw is not None})

    def _on_event(self, event: AnyEvent) -> None:
        if isinstance(event, OrderUpdated):
            asked = self._asked.get(event.client_order_id)
            if asked is not None and _is_done(asked, event):
                del self._asked[event.client_order_id]
        elif isinstance(event, _ENDS_CHANGE):
            self._asked.pop(event.client_order_id, None)
        elif isinstance(event, AccountBooked) and self._risk.watches_equity:
            venue = self._venues[event.account_id]
            self._risk.on_booking(venue, event.ts_ns, self._projection.portfolio.equity_raw(venue))

    def _on_row(self, row: Row) -> None:
        self._risk.on_row(row.ts_ns)

    # ------------------------------------------------------------------ what it answers

    def _take(self, order: Order) -> None:
        """The execution engine takes an order up when it hears of it first."""
        self._projection.cache.new.pop(order.client_order_id, None)

    def _forward(self, command: Command) -> None:
        orders: tuple[Order, ...] = ()
        if isinstance(command, SubmitOrder):
            orders = (command.order,)
        elif isinstance(command, SubmitOrderList):
            orders = command.orders
        elif isinstance(command, ModifyOrder):
            self._asked[command.order.client_order_id] = command
        for order in orders:
            self._projection.lead(order, RISK)
        self._forward_on(command)
        for order in orders:
            self._projection.submitted(order, command.ts_ns)

    def _report(self, order: Order, event: OrderEvent) -> None:
        if isinstance(event, OrderDenied):
            self._projection.lead(order, RISK)
            self._forward_on(OrderReport(event.ts_ns, order.strategy_id, order, event))
            self._projection.tell(event)
        elif isinstance(event, OrderModifyRejected):
            self._forward_on(OrderReport(event.ts_ns, order.strategy_id, order, event))

    def _process(self, event: OrderEvent) -> None:
        order = self._projection.cache.orders[event.client_order_id]
        if isinstance(event, OrderUpdated):
            self._forward_on(OrderReport(event.ts_ns, order.strategy_id, order, event))
        self._projection.tell(event)

    def _announce(self, event: TradingStateChanged) -> None:
        self._host.bus.publish("events.risk", event)


def _is_done(asked: ModifyOrder, event: OrderUpdated) -> bool:
    """Whether an update brings all that a change asks for."""
    pairs = (
        (asked.quantity_raw, event.quantity_raw),
        (asked.price_raw, event.price_raw),
        (asked.trigger_raw, event.trigger_raw),
    )
    asked_for = [(wanted, given) for wanted, given in pairs if wanted is not None and given is not None]
    return bool(asked_for) and all(wanted == given for wanted, given in asked_for)
