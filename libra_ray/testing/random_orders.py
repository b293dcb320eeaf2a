"""Random order flow: the actions of a scenario document."""

from decimal import Decimal
from typing import Any, Final

from libra_ray.testing.random_draw import Draw

__all__ = ["OrderFlow"]

TYPES: Final = (
    "MARKET", "MARKET", "LIMIT", "LIMIT", "LIMIT", "LIMIT", "LIMIT", "STOP_MARKET", "STOP_LIMIT", "MARKET_TO_LIMIT",
    "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED", "TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT",
)  # fmt: skip
TRIGGERED: Final = ("STOP_MARKET", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED")
LIMITS: Final = ("LIMIT", "STOP_LIMIT", "LIMIT_IF_TOUCHED")
TRAILING: Final = ("TRAILING_STOP_MARKET", "TRAILING_STOP_LIMIT")
OPERATIONS: Final = ("submit",) * 25 + ("bracket",) * 2 + ("list",) * 2 + ("close",)
CHANGES: Final = ("cancel",) * 14 + ("modify",) * 16 + ("cancel_all", "trading_state")
TRADING_STATES: Final = ("REDUCING", "ACTIVE", "HALTED", "ACTIVE", "ACTIVE")
RECENT: Final = 8
Form = dict[str, Any]


class OrderFlow:
    """Makes operations around the middle price of each row."""

    def __init__(self, draw: Draw, instrument: Form, venue: Form, kind: str, leave_out: frozenset[str]) -> None:
        self.draw, self.kind, self.leave_out = draw, kind, leave_out
        self.tick, self.step = Decimal(instrument["tick"]), Decimal(instrument["step"])
        self.multiplier = Decimal(instrument.get("multiplier", "1"))
        self.fewest = int(Decimal(str(instrument.get("min_qty", self.step))) / self.step)
        self.venue, self.options = venue, venue.get("options", {})
        self.is_hedging = venue["oms"] == "HEDGING"
        self.is_cash = venue["account"] == "CASH"
        self.has_sessions = "sessions" in self.options
        self.has_latency = "latency" in self.options
        self.count = 0
        self.labels: list[str] = []
        self.entries: list[str] = []
        self.forms: dict[str, Form] = {}
        self.canceled: set[str] = set()
        self.middle = 0
        self.time = Decimal(0)

    def _has(self, feature: str, chance: float) -> bool:
        return self.draw.chance(chance) and feature not in self.leave_out

    # ---------------------------------------------------------------------- blocks

    def actions(self, rows: list[list[Any]], middles: list[int], orders: int) -> list[Form]:
        """Blocks for the rows and their middle prices until `orders` orders are submitted."""
        blocks: list[Form] = []
        if self._has("start", 0.2):
            self.middle = middles[0]
            blocks.append({"start": True, "do": [self._submit(), self._submit()]})
        for row, middle in enumerate(middles):
            self.middle, self.time = middle, Decimal(rows[row][1])
            share = orders * (row + 1) / len(middles)
            operations: list[Form] = []
            while self.count < share:
                operations.append(self._operation())
            if self.draw.chance(0.35):
                operations.append(self._change())
            operations = [each for each in operations if each]
            if operations:
                blocks.append({"at": row, "do": operations})
            if self._has("on", 0.08) and self.labels:
                event = self.draw.pick(["FILLED", "FILLED", "ACCEPTED", "CANCELED"])
                label = self.draw.pick(self._recent())
                known = len(self.labels)
                blocks.append({"on": [label, event], "do": [self._operation()]})
                del self.labels[known:]  # nobody knows whether they will be there
        return blocks

    def _recent(self) -> list[str]:
        return self.labels[-RECENT:]

    def _operation(self) -> Form:
        kind = self.draw.pick(OPERATIONS)
        if kind == "bracket" and "bracket" not in self.leave_out:
            return self._bracket()
        if kind == "list" and not {"oco", "ouo", "oto"} <= self.leave_out:
            return self._list()
        names_one = not self.is_hedging or bool(self.entries)  # the net of several positions is not written
        if kind == "close" and "close" not in self.leave_out and names_one:
            return self._close()
        return self._submit()

    def _change(self) -> Form:
        kind = self.draw.pick(CHANGES)
        if not self.labels:
            return {}
        if kind == "cancel":
            return self._cancel()
        if kind == "cancel_all" and "cancel_all" not in self.leave_out:
            self.canceled.update(self.labels)
            return {"op": "cancel_all"}
        if kind == "trading_state" and "trading_state" not in self.leave_out:
            return {"op": "trading_state", "state": self.draw.pick(TRADING_STATES)}
        return self._modify() if "modify" not in self.leave_out else {}

    # ---------------------------------------------------------------------- numbers

    def _price(self, ticks: int) -> str:
        return f"{self.tick * ticks:f}"

    def _near(self, spread: int = 5) -> str:
        return self._price(self.middle + self.draw.integer(-spread, spread))

    def _quantity(self, most: int = 25) -> str:
        return f"{self.step * self.draw.integer(self.fewest, self.fewest + most):f}"

    def _label(self) -> str:
        self.count += 1
        label = f"O{self.count}"
        self.labels.append(label)
        return label

    # ---------------------------------------------------------------------- orders

    def _submit(self) -> Form:
        form = {"op": "submit", **self._order(self.draw.pick(TYPES))}
        self.entries.append(form["order"])
        return form

    def _order(self, order_type: str) -> Form:
        if order_type.lower() in self.leave_out:
            order_type = "LIMIT"
        draw = self.draw
        form: Form = {
            "order": self._label(),
            "type": order_type,
            "side": draw.pick(["BUY", "SELL"]),
            "qty": self._quantity(),
        }
        self._add_prices(form)
        self._add_tif(form)
        self._add_flags(form)
        self.forms[form["order"]] = form
        return form

    def _add_prices(self, form: Form) -> None:
        draw, order_type = self.draw, form["type"]
        up = 1 if form["side"] == "BUY" else -1
        if order_type in TRIGGERED:
            away = up if order_type.startswith("STOP") else -up
            trigger = self.middle + away * draw.integer(-1, 6)
            form["trigger"] = self._price(trigger)
            if order_type in LIMITS:
                form["price"] = self._price(trigger + draw.integer(-3, 3))
        elif order_type == "LIMIT":
            form["price"] = self._price(self.middle - up * draw.integer(-3, 6))
        elif order_type in TRAILING:
            kind = draw.pick(["PRICE", "TICKS", "BASIS_POINTS"])
            form["offset_type"] = kind
            form["offset"] = self._offset(kind)
            if order_type == "TRAILING_STOP_LIMIT":
                form["limit_offset"] = self._offset(kind)
            if draw.chance(0.2):
                form["activation"] = self._near()
        if order_type in (*TRIGGERED, *TRAILING) and self._has("trigger_type", 0.25):
            kinds = ["BID_ASK", "LAST_PRICE", "MID_POINT", "MARK_PRICE"]
            if "trade_execution" in self.options:
                kinds.remove("LAST_PRICE")  # trades still move the last price, but do not match
            form["trigger_type"] = draw.pick(kinds)

    def _offset(self, kind: str) -> str:
        ticks = self.draw.integer(1, 4)
        if kind == "TICKS":
            return str(ticks)
        return self._price(ticks) if kind == "PRICE" else str(self.draw.integer(20, 130))

    def _add_tif(self, form: Form) -> None:
        draw = self.draw
        tif = draw.pick(["GTC"] * 12 + ["IOC", "IOC", "FOK", "FOK", "GTD", "GTD", "DAY", "AUCTION"])
        if tif.lower() in self.leave_out:
            return
        if tif == "AUCTION":
            if not self.has_sessions or form["type"] not in ("MARKET", "LIMIT"):
                return
            tif = draw.pick(["AT_THE_OPEN", "AT_THE_CLOSE"])
        if tif in ("IOC", "FOK") and form["type"] == "MARKET_TO_LIMIT":
            return
        if tif == "GTD":
            form["expire"] = f"{self.time + Decimal(draw.integer(0, 40)) / 4:f}"
        if tif != "GTC":
            form["tif"] = tif

    def _add_flags(self, form: Form) -> None:
        draw, tif = self.draw, form.get("tif", "GTC")
        is_auction = tif.startswith("AT_THE")
        if form["type"] in LIMITS and not is_auction:
            if self._has("post_only", 0.12) and tif not in ("IOC", "FOK"):
                form["post_only"] = True
            if self._has("iceberg", 0.12):
                most = int(Decimal(form["qty"]) / self.step)
                form["display"] = f"{self.step * draw.integer(1, max(1, most // 2)):f}"
        if self._has("reduce_only", 0.12) and not is_auction and not self.is_cash:
            form["reduce_only"] = True
        if self._has("quote_qty", 0.04) and "display" not in form and not is_auction:
            form["quote_qty"] = True
            form["qty"] = (
                f"{Decimal(draw.integer(1, 20)) * 600 * self.tick * self.step * self.multiplier * self.fewest:f}"
            )
        if self.is_hedging and self.entries and draw.chance(0.5):
            form |= {"position": draw.pick(self.entries[-RECENT:]), "reduce_only": True}

    # ---------------------------------------------------------------------- lists

    def _bracket(self) -> Form:
        draw, label = self.draw, self._label()
        side = draw.pick(["BUY", "SELL"])
        up = 1 if side == "BUY" else -1
        form: Form = {"op": "bracket", "order": label, "side": side, "qty": self._quantity()}
        entry = self.middle
        if draw.chance(0.6):
            form["type"] = draw.pick(["LIMIT", "LIMIT", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"])
            entry = self.middle - up * draw.integer(-1, 4)
            trigger = self.middle + (up if form["type"] == "STOP_LIMIT" else -up) * draw.integer(1, 4)
            if form["type"] != "LIMIT":
                form["trigger"] = self._price(trigger)
            if form["type"] == "MARKET_IF_TOUCHED":
                entry = trigger
            else:
                form["price"] = self._price(entry)
        form["sl"] = self._price(entry - up * draw.integer(2, 8))
        form["tp"] = self._price(entry + up * draw.integer(1, 8))
        self.count += 2
        for name in (label, f"{label}-SL", f"{label}-TP"):
            self.forms[name] = form
            self.labels.append(name)
        self.entries.append(label)
        return form

    def _list(self) -> Form:
        """OCO or OUO pairs, or an OTO parent with children."""
        draw = self.draw
        kinds = [kind for kind in ("OCO", "OUO", "OTO") if kind.lower() not in self.leave_out]
        kind = draw.pick(kinds)
        if kind == "OTO":
            return self._parent_and_children()
        forms = [self._plain(draw.pick(["LIMIT", "LIMIT", "STOP_MARKET"])) for _ in range(draw.pick([2, 2, 3]))]
        return {"op": "submit_list", "orders": self._linked(forms, kind)}

    def _plain(self, order_type: str) -> Form:
        """An order of a list: no time limit and no flags of its own."""
        form: Form = {
            "order": self._label(),
            "type": order_type,
            "side": self.draw.pick(["BUY", "SELL"]),
            "qty": self._quantity(),
        }
        self._add_prices(form)
        form.pop("trigger_type", None)
        self.forms[form["order"]] = form
        return form

    @staticmethod
    def _linked(forms: list[Form], kind: str) -> list[Form]:
        labels = [form["order"] for form in forms]
        for form in forms:
            form |= {"contingency": kind, "linked": [label for label in labels if label != form["order"]]}
        return forms

    def _parent_and_children(self) -> Form:
        draw = self.draw
        parent = self._plain(draw.pick(["LIMIT", "LIMIT", "MARKET", "STOP_MARKET"]))
        parent["contingency"] = "OTO"
        if parent["type"] == "LIMIT" and draw.chance(0.2):
            parent["tif"] = "IOC"
        children = [self._plain(draw.pick(["LIMIT", "STOP_MARKET"])) for _ in range(draw.pick([1, 2]))]
        for child in children:
            child |= {"parent": parent["order"], "qty": parent["qty"]}
            if self._has("reduce_only", 0.6):
                child |= {"side": "SELL" if parent["side"] == "BUY" else "BUY", "reduce_only": True}
        if len(children) > 1 and draw.chance(0.6):
            self._linked(children, draw.pick(["OCO", "OUO"]))
        return {"op": "submit_list", "orders": [parent, *children]}

    def _close(self) -> Form:
        form: Form = {"op": "close", "order": self._label()}
        self.labels.pop()  # nothing is made when flat
        if self.is_hedging:
            form["position"] = self.draw.pick(self.entries[-RECENT:])
        return form

    # ---------------------------------------------------------------------- changes

    def _cancel(self) -> Form:
        label = self.draw.pick(self._recent())
        if self.has_latency and label in self.canceled:
            return {}
        self.canceled.add(label)
        return {"op": "cancel", "order": label}

    def _modify(self) -> Form:
        """Fields that the order's type has."""
        draw, label = self.draw, self.draw.pick(self._recent())
        form = self.forms.get(label)
        if form is None or label in self.canceled or form.get("quote_qty") or form.get("op") == "bracket":
            return {}
        change: Form = {"op": "modify", "order": label}
        if draw.chance(0.4) and ("display" not in form or "display_modify" not in self.leave_out):
            change["qty"] = self._quantity()
        if "price" in form and draw.chance(0.7):
            change["price"] = self._near()
        if "trigger" in form and "price" not in form and draw.chance(0.5):  # a limit may be triggered already
            change["trigger"] = self._near(7)
        return change if len(change) > len(("op", "order")) else {}
