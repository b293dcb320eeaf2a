"""The risk engine: an actor that every order and modification passes before anything reaches a venue."""

from collections.abc import Callable, Mapping
from typing import ClassVar, NamedTuple, TypeAlias

import msgspec

from libra_ray.messages.commands import (
    CancelOrder,
    Command,
    ModifyOrder,
    RefuseCommand,
    SetTradingState,
    SubmitOrder,
    SubmitOrderList,
)
from libra_ray.messages.events import (
    OrderDenied,
    OrderEvent,
    OrderModifyRejected,
    OrderUpdated,
    TradingStateChanged,
)
from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Currency
from libra_ray.model.orders import Order
from libra_ray.model.views import CacheView, FundsView, PortfolioView
from libra_ray.risk.breaches import BreachWatch
from libra_ray.risk.checks import Checks
from libra_ray.risk.limits import RiskRules
from libra_ray.risk.modification import form_refusal, is_change, on_grid, status_refusal
from libra_ray.risk.refusal import Refusal
from libra_ray.risk.self_trade import SelfTradeMode, SelfTrades
from libra_ray.runtime import Actor

__all__ = ["RiskEngine", "RiskLinks"]

Report: TypeAlias = Callable[[Order, OrderEvent], None]
Forward: TypeAlias = Callable[[Command], None]


class RiskLinks(NamedTuple):
    """Where the risk engine's answers go, and what it asks besides cache, portfolio and funds.

    Attributes:
        take: a new order is taken up; `report`: it is denied, or its change is refused; `forward`: it may go.
        process: an event of the risk engine's own about an order, to be applied to it.
        announce: the trading state has changed.
        knows_algorithm: whether an execution algorithm of that id runs.
        equity: an account's equity now, raw, by venue; `reporting`: the currency that it is counted in.
        hedging: venues where a strategy may hold several positions of an instrument.
    """

    take: Callable[[Order], None]
    report: Report
    forward: Forward
    process: Callable[[OrderEvent], None]
    announce: Callable[[TradingStateChanged], None]
    knows_algorithm: Callable[[str], bool]
    equity: Callable[[str], int]
    reporting: Mapping[str, Currency]
    hedging: frozenset[str] = frozenset()


class RiskEngine(Actor):
    """Checks in a fixed order; the first failure is the denial. A denied order uses none of the rate.

    Attributes:
        trading_state: what is let through.
        watches_equity: whether `on_row` and `on_booking` are to be called: a loss of the day or a drawdown is limited.
        denied_count: orders denied so far.
    """

    KNOWN_HOOKS: ClassVar[frozenset[str]] = Actor.KNOWN_HOOKS | {"on_booking", "on_row"}

    def wire(
        self,
        cache: CacheView,
        portfolio: PortfolioView,
        funds: Mapping[str, FundsView],
        rules: RiskRules,
        links: RiskLinks,
        *,
        now_ns: int = 0,
    ) -> None:
        """Give it what it looks at and where its answers go. Called once by the kernel, before start."""
        self._cache = cache
        self._take, self._report, self._forward = links.take, links.report, links.forward
        self._links = links
        self._checks = Checks(cache, portfolio, funds, rules, links.knows_algorithm, links.hedging)
        self._mode = rules.self_trade
        self._stops_self_trades = rules.self_trade is not SelfTradeMode.NONE
        self._on_breach = TradingState.REDUCING if rules.breaches is None else rules.breaches.on_breach
        self._watches: dict[str, BreachWatch] = {}
        if rules.breaches is not None:
            for venue, unit in links.reporting.items():
                self._watches[venue] = BreachWatch(venue, unit, rules.breaches, links.equity(venue), now_ns)
        self.watches_equity = bool(self._watches)
        self.trading_state = rules.trading_state
        self.denied_count = 0

    def halt_instrument(self, instrument_id: str) -> None:
        """Let no order and no change for an instrument pass any more; cancels do."""
        self._checks.halted.add(instrument_id)

    # ------------------------------------------------------------------ commands

    def execute(self, command: Command) -> None:
        """Endpoint `RiskEngine.execute`."""
        if type(command) is SubmitOrder:
            self.submit(command)
        elif type(command) is SubmitOrderList:
            self.submit_list(command)
        elif type(command) is ModifyOrder:
            self.modify(command)
        elif type(command) is RefuseCommand:
            self.refuse(command.command)
        elif type(command) is SetTradingState:
            self.set_state(command.state, command.reason, command.ts_ns)
        else:
            self._forward(command)

    def submit(self, command: SubmitOrder) -> None:
        """Check an order; forward it, or report `OrderDenied`."""
        order, now_ns, checks = command.order, command.ts_ns, self._checks
        self._take(order)
        trades = SelfTrades(self._mode) if self._stops_self_trades else None
        refusal = checks.refusal(order, now_ns, self.trading_state, trades)
        if trades is not None and (refusal is None or refusal.code == "SELF_TRADE"):
            self._settle_self_trades(trades, now_ns)
        if refusal is None:
            checks.count_order(order, now_ns)
            self._forward(command)
        else:
            self._deny(order, refusal, now_ns)

    def submit_list(self, command: SubmitOrderList) -> None:
        """Check the orders of a list in order; forward it whole, or report `OrderDenied` of all."""
        orders, now_ns = command.orders, command.ts_ns
        for order in orders:
            self._take(order)
        trades = SelfTrades(self._mode) if self._stops_self_trades else None
        for at, order in enumerate(orders):
            before = 0 if trades is None else len(trades.cuts)
            refusal = self._checks.refusal(order, now_ns, self.trading_state, trades, orders[:at], orders)
            if refusal is not None:
                if trades is not None and refusal.code == "SELF_TRADE":
                    self._settle_self_trades(trades.only_since(before), now_ns)
                self._deny_list(orders, at, refusal, now_ns)
                return
        if trades is not None:
            self._settle_self_trades(trades, now_ns)
        for order in orders:
            self._checks.count_order(order, now_ns)
        if orders:
            self._forward(command)

    def modify(self, command: ModifyOrder) -> None:
        """Check a modification; forward it, or report `OrderModifyRejected`."""
        order = command.order
        code = self._modify_refusal(command)
        if code is None:
            self._checks.count_modification(order, command.ts_ns)
            self._forward(on_grid(command, self._cache.instruments[order.instrument_id]))
        else:
            self._reject_change(command, code)

    def refuse(self, command: Command) -> None:
        """Answer a command of an actor that has failed: new orders are denied, a change is rejected."""
        name, now_ns = command.strategy_id, command.ts_ns
        refusal = Refusal("TRADING_HALTED", f"ORD010 {name} has failed: nothing but cancels leaves its on_fault.")
        if isinstance(command, SubmitOrder | SubmitOrderList):
            for order in command.orders if isinstance(command, SubmitOrderList) else (command.order,):
                self._take(order)
                self._deny(order, refusal, now_ns)
        elif isinstance(command, ModifyOrder):
            self._reject_change(command, refusal.code)

    def set_state(self, state: TradingState, reason: str, ts_ns: int) -> None:
        """Somebody moves the trading state; the same state again does nothing. Breaches may be told anew."""
        if state is not self.trading_state:
            self._move_to(state, reason, ts_ns)
            for watch in self._watches.values():
                watch.rearm()

    # ------------------------------------------------------------------ equity

    def on_row(self, ts_ns: int) -> None:
        """A row has moved prices: look at the equity of every account. Call it only where `watches_equity`."""
        for venue in self._watches:
            self.on_booking(venue, ts_ns, self._links.equity(venue))

    def on_booking(self, venue: str, ts_ns: int, equity_raw: int) -> None:
        """A booking has moved the equity of an account, in its reporting currency."""
        reason = self._watches[venue].on_equity(ts_ns, equity_raw)
        # A breach never loosens: what is halted stays so.
        if reason is not None and self.trading_state not in (self._on_breach, TradingState.HALTED):
            self._move_to(self._on_breach, reason, ts_ns)

    # ------------------------------------------------------------------ restart

    def on_save(self) -> Mapping[str, bytes]:
        """The trading state, and which instruments are halted."""
        return {"state": msgspec.json.encode((self.trading_state, sorted(self._checks.halted)))}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Let through what was let through. The rates count anew."""
        if "state" in state:
            trading_state, halted = msgspec.json.decode(state["state"], type=tuple[TradingState, list[str]])
            self.trading_state = trading_state
            self._checks.halted.update(halted)

    # ------------------------------------------------------------------ answers

    def _move_to(self, state: TradingState, reason: str, ts_ns: int) -> None:
        changed = TradingStateChanged(ts_ns, self.trading_state, state, reason)
        self.trading_state = state
        self._links.announce(changed)

    def _deny(self, order: Order, refusal: Refusal, now_ns: int) -> None:
        self.denied_count += 1
        denied = OrderDenied(
            now_ns, order.strategy_id, order.instrument_id, order.client_order_id, refusal.code, refusal.message
        )
        self._report(order, denied)

    def _reject_change(self, command: ModifyOrder, code: str) -> None:
        order = command.order
        event = OrderModifyRejected(command.ts_ns, order.strategy_id, order.instrument_id, order.client_order_id, code)
        self._report(order, event)

    def _deny_list(self, orders: tuple[Order, ...], failed_at: int, refusal: Refusal, now_ns: int) -> None:
        others = Refusal("LIST_DENIED", "ORD017 another order of its list is denied.")
        for at, order in enumerate(orders):
            self._deny(order, refusal if at == failed_at else others, now_ns)

    def _settle_self_trades(self, trades: SelfTrades, now_ns: int) -> None:
        """Cancel or shorten own resting orders, then shorten the new ones: all before anything new is sent."""
        for order, by_raw, is_cancel in trades.cuts:
            if order.client_order_id not in self._cache.working:
                continue  # the cut before it has ended it too
            if is_cancel:
                self._forward(CancelOrder(now_ns, order.strategy_id, order, "SELF_TRADE"))
            else:
                shorter = order.quantity_raw - by_raw
                self._forward(ModifyOrder(now_ns, order.strategy_id, order, shorter, None, None))
        for order_id, quantity_raw in trades.quantities.items():
            order = self._cache.orders[order_id]
            head = (now_ns, order.strategy_id, order.instrument_id, order_id)
            self._links.process(OrderUpdated(*head, quantity_raw, None, None))

    def _modify_refusal(self, command: ModifyOrder) -> str | None:
        order = command.order
        code = status_refusal(order)
        if code is not None:
            return code
        if self.trading_state is TradingState.HALTED or order.instrument_id in self._checks.halted:
            return "TRADING_HALTED"
        if not is_change(command):
            return "NO_CHANGE"
        code = form_refusal(command, self._cache.instruments[order.instrument_id])
        if code is not None:
            return code
        return None if self._checks.may_modify(order, command.ts_ns) else "MODIFY_RATE_EXCEEDED"
