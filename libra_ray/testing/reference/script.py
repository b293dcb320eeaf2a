"""The scripted strategy: what the document's actions do, and when (spec/scenarios.md, "actions")."""

from decimal import Decimal
from typing import Any

from libra_ray.testing.reference.clock import STRATEGY_RANK, Clock
from libra_ray.testing.reference.document import Instrument, unknown_instrument
from libra_ray.testing.reference.exact import ts_ns, ts_text
from libra_ray.testing.reference.kernel import Kernel
from libra_ray.testing.reference.orders import Order
from libra_ray.testing.reference.state import State

__all__ = ["Script"]

Operation = dict[str, Any]


class Script:
    """Blocks of the document and what they wait for."""

    def __init__(self, state: State, kernel: Kernel, clock: Clock, blocks: list[dict[str, Any]]) -> None:
        self.state, self.kernel, self.clock, self.blocks = state, kernel, clock, blocks
        self.default = next(iter(state.instruments))
        self.seen: dict[tuple[str, str], int] = {}
        self.by_row: dict[int, list[Operation]] = {}
        self.by_event: dict[tuple[str, str, int], list[Operation]] = {}
        for block in blocks:
            if "at" in block:
                self.by_row.setdefault(block["at"], []).extend(block["do"])
            elif "on" in block:
                label, event, number = (*block["on"], 1)[:3]
                self.by_event.setdefault((label, event, number), []).extend(block["do"])

    # ---------------------------------------------------------------------- handlers

    def on_start(self) -> None:
        """Before any data; alerts of `time` blocks are set here too."""
        for block in self.blocks:
            if "start" in block:
                self.run(block["do"])
            elif "time" in block:
                self._alert_block(block)

    def _alert_block(self, block: dict[str, Any]) -> None:
        self.clock.set(ts_ns(block["time"]), STRATEGY_RANK, lambda _: self.run(block["do"]))

    def on_row(self, index: int) -> None:
        """Data row `index` is delivered."""
        self.state.timeline.append(["row", index])
        self.run(self.by_row.get(index, []))

    def on_event(self, order: Order, event: str) -> None:
        """An event of an order is delivered."""
        key = (order.label, event)
        self.seen[key] = self.seen.get(key, 0) + 1
        self.run(self.by_event.get((*key, self.seen[key]), []))

    # ---------------------------------------------------------------------- operations

    def run(self, operations: list[Operation]) -> None:
        """In order."""
        for operation in operations:
            getattr(self, f"_{operation['op']}")(operation)

    def _instrument(self, operation: Operation) -> Instrument:
        name = operation.get("instrument", self.default)
        return self.state.instruments.get(name) or unknown_instrument(name)

    def _order(self, form: Operation) -> Order:
        order = Order.read(form, self._instrument(form))
        if "position" in form:
            label = str(form["position"])
            order.position_id = self.state.seen_position_ids.get(label, label)
        return order

    def _submit(self, operation: Operation) -> None:
        self.kernel.submit([self._order(operation)])

    def _submit_list(self, operation: Operation) -> None:
        self.kernel.submit([self._order(form) for form in operation["orders"]])

    def _bracket(self, operation: Operation) -> None:
        """Orders 5: entry, SL, TP; the exits reduce-only, OUO with each other, OTO children of the entry."""
        label, side = operation["order"], operation["side"]
        entry_form = {"type": "MARKET", **operation, "contingency": "OTO"}
        exit_form: Operation = {
            "side": "SELL" if side == "BUY" else "BUY",
            "qty": operation["qty"],
            "reduce_only": True,
            "contingency": "OUO",
            "parent": label,
        }
        stop, target = f"{label}-SL", f"{label}-TP"
        forms = [
            entry_form,
            {**exit_form, "order": stop, "type": "STOP_MARKET", "trigger": operation["sl"], "linked": [target]},
            {**exit_form, "order": target, "type": "LIMIT", "price": operation["tp"], "linked": [stop]},
        ]
        instrument = self._instrument(operation)
        orders = [Order.read(form, instrument) for form in forms]
        orders[0].bracket = (Decimal(operation["sl"]), Decimal(operation["tp"]))
        self.kernel.submit(orders)

    def _modify(self, operation: Operation) -> None:
        order = self.state.orders.get(operation["order"])
        if order is not None:
            qty, price, trigger = (
                Decimal(operation[key]) if key in operation else None for key in ("qty", "price", "trigger")
            )
            self.kernel.modify(order, qty, price, trigger)

    def _cancel(self, operation: Operation) -> None:
        order = self.state.orders.get(operation["order"])
        if order is not None:
            self.kernel.cancel(order)

    def _cancel_all(self, operation: Operation) -> None:
        self.kernel.cancel_all(operation.get("instrument"))

    def _close(self, operation: Operation) -> None:
        """Market, reduce-only, whole; nothing when flat. The position is that of the message in hand."""
        instrument = self._instrument(operation)
        position_id = instrument.id
        if "position" in operation:
            position_id = self.state.seen_position_ids.get(operation["position"], "")
        signed = self.state.seen_positions.get(position_id, Decimal(0))
        if signed == 0:
            return
        side, qty = "SELL" if signed > 0 else "BUY", abs(signed)
        order = Order(operation["order"], instrument, "MARKET", side, qty, reduce_only=True, asked_qty=qty)
        if self.state.options.is_hedging:
            order.position_id = position_id
        self.kernel.submit([order])

    def _trading_state(self, operation: Operation) -> None:
        self.kernel.set_trading_state(operation["state"])

    def _alert(self, operation: Operation) -> None:
        ts = max(ts_ns(operation["ts"]), self.state.now)

        def act(fired: int) -> None:
            self.state.timeline.append(["timer", operation["name"], ts_text(fired)])
            self.run(operation.get("do", []))

        self.clock.set(ts, STRATEGY_RANK, act)

    def _timer(self, operation: Operation) -> None:
        interval = ts_ns(operation["interval"])

        def act(fired: int) -> None:
            self.state.timeline.append(["timer", operation["name"], ts_text(fired)])

        self.clock.set(self.state.now + interval, STRATEGY_RANK, act, interval)
