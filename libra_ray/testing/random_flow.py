"""Whole scenario documents with random market data and random order flow, for comparing two implementations.

A document is a pure function of its seed, kind and number of orders. Prices hover around one level on a coarse tick and
sizes are small, so that orders trigger, touch and run out of liquidity all the time. What the specification leaves to
the library's own generator (probabilities between 0 and 1) is left out.
"""

from collections.abc import Callable
from typing import Any, Final

from libra_ray.testing.random_draw import Draw
from libra_ray.testing.random_market import market_rows
from libra_ray.testing.random_orders import OrderFlow
from libra_ray.testing.scenario_needs import needs_of

__all__ = ["KINDS", "random_scenario"]

KINDS: Final = ("quotes", "trades", "trades_only", "bars", "l2", "l3")
BOOKS: Final = {"l2": "L2", "l3": "L3"}
ORDERS_PER_ROW: Final = 0.9
INSTRUMENT: Final = "X.SIM"


def random_scenario(seed: int, *, kind: str, orders: int, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A document of one kind that submits about `orders` orders, without the features named in `leave_out`.

    `kind` is one of `KINDS`: quotes, quotes with trades, trades alone, bars, a book by price, a book by order.
    """
    draw = Draw(seed)
    rows = max(4, int(orders / ORDERS_PER_ROW))
    instruments = [_instrument(draw, kind, leave_out)]
    has_second = draw.chance(0.15) and kind == "quotes" and "conversion" not in leave_out
    venue = _venue(draw, kind, instruments[0], leave_out)
    if has_second:
        venue, second = _with_conversion(venue, instruments[0])
        instruments.append(second)
    data, path = market_rows(draw, kind, rows, instruments, leave_out)
    if has_second:
        leave_out |= {"start"}  # before the first row no rate is known
    risk = _risk(draw, leave_out, has_latency="latency" in venue.get("options", {}))
    if "stp" in risk:
        leave_out |= {"oto", "oco", "ouo", "bracket"}  # what two orders of one list take of one resting is not written
    if "support_contingent_orders" in venue.get("options", {}):
        risk.pop("max_open_orders", None)  # whether ignored links still make children is not written
        leave_out |= {"trading_state"}
    if "reject_stop_orders" in venue.get("options", {}):
        leave_out |= {"oto", "bracket"}  # a child that fires while its sibling is still held is not written
    if draw.chance(0.5) or "max_position" in risk or "margin_init" in instruments[0]:
        leave_out |= {"quote_qty"}  # in quote currency it has no quantity to hold against a position
    else:
        leave_out |= {"trading_state"}
    flow = OrderFlow(draw, instruments[0], venue, kind, leave_out)
    document: dict[str, Any] = {
        "name": f"random-{kind.replace('_', '-')}-{seed}",
        "why": f"random flow of kind {kind}, seed {seed}",
        "needs": ["market"],
        "seed": seed,
        "venue": venue,
        "instruments": instruments,
        "data": data,
        "actions": flow.actions(data, path, orders),
        "expect": {"events": [], "final": {}},
    }
    document["risk"] = risk
    document["needs"] = needs_of(document)
    return document


def _instrument(draw: Draw, kind: str, leave_out: frozenset[str]) -> dict[str, Any]:
    tick, step = draw.pick(["0.01", "0.05", "0.5"]), draw.pick(["1", "1", "0.1", "5"])
    form: dict[str, Any] = {"id": INSTRUMENT, "kind": "equity", "quote": "USD", "tick": tick, "step": step}
    what = draw.pick(["equity", "equity", "pair", "future", "perpetual", "inverse"])
    if what == "pair":
        form |= {"kind": "pair", "base": "BTC"}
    elif what == "future":
        form |= {"kind": "future", "multiplier": draw.pick(["10", "0.1"])}
    elif what == "perpetual":
        form |= {"kind": "perpetual", "base": "BTC"}
    elif what == "inverse" and "inverse" not in leave_out:
        form |= {"kind": "perpetual", "base": "BTC", "inverse": True}
    if draw.chance(0.5):
        form |= {"maker_fee": draw.pick(["0.0002", "-0.0001"]), "taker_fee": "0.0005"}
    if draw.chance(0.3):
        form |= {"margin_init": "0.1", "margin_maint": "0.05"}
    if draw.chance(0.1) and kind != "bars":
        form["min_qty"] = {"5": "10", "0.1": "0.2"}.get(step, "2")
    return form


def _venue(draw: Draw, kind: str, instrument: dict[str, Any], leave_out: frozenset[str]) -> dict[str, Any]:
    is_cash = draw.chance(0.15) and instrument["kind"] in ("equity", "pair") and "cash" not in leave_out
    is_hedging = not is_cash and draw.chance(0.15) and "hedging" not in leave_out
    balances = {"USD": "100000000", "BTC": "1000000"}
    if is_cash and draw.chance(0.5):
        balances = {"USD": "20000", "BTC": "200"}
    venue: dict[str, Any] = {
        "book": BOOKS.get(kind, "L1"),
        "account": "CASH" if is_cash else "MARGIN",
        "oms": "HEDGING" if is_hedging else "NETTING",
        "balances": balances,
    }
    if draw.chance(0.2) and not is_cash:
        venue["leverage"] = "10"
    if is_hedging:
        leave_out |= {"support_contingent_orders"}
    options = _options(draw, kind, leave_out)
    if options:
        venue["options"] = options
    return venue


def _options(draw: Draw, kind: str, leave_out: frozenset[str]) -> dict[str, Any]:
    """Each option at its default most of the time."""
    options: dict[str, Any] = {}

    def maybe(chance: float, name: str, make: Callable[[], Any]) -> None:
        if draw.chance(chance) and name not in leave_out:
            options[name] = make()

    if kind == "bars":
        maybe(0.4, "bar_fill", lambda: "this_close")
        maybe(0.4, "bar_path", lambda: "adaptive")
    maybe(0.1, "liquidity_consumption", lambda: False)
    maybe(0.15, "reject_stop_orders", lambda: False)
    maybe(0.1, "support_contingent_orders", lambda: False)
    maybe(0.2, "oto_mode", lambda: "full")
    maybe(0.1, "allow_borrowing", lambda: True)
    maybe(0.15, "price_protection", lambda: draw.integer(1, 3))
    if kind in ("trades", "l2", "l3"):
        maybe(0.6, "queue", lambda: draw.pick(["fifo", "prob"]))
        if options.get("queue") == "prob":
            maybe(0.5, "queue_power", lambda: draw.integer(1, 5))
        maybe(0.05, "trade_execution", lambda: False)
    if kind in ("quotes", "trades"):
        maybe(0.05, "prob_slippage", lambda: "1")
    maybe(0.05, "prob_fill_on_limit", lambda: "0")
    maybe(0.3, "latency", lambda: _latency(draw))
    maybe(0.15, "fee", lambda: _fee(draw))
    maybe(0.1, "sessions", lambda: [["2", "9"], ["12", "30"], ["33", "90"]])
    return options


def _latency(draw: Draw) -> dict[str, str]:
    """Delays of half seconds and less, some of them zero; no report delay, whose view of the kernel is not written."""
    delays = ["0", "0.25", "0.5", "1", "1.75"]
    names = ["base", "insert", "modify", "cancel"]
    return {name: draw.pick(delays) for name in names if draw.chance(0.6)} or {"insert": "0.5"}


def _fee(draw: Draw) -> dict[str, Any]:
    model = draw.pick(["maker_taker", "fixed", "per_contract", "tiered"])
    if model == "maker_taker":
        return {"model": model, "maker": "-0.0001", "taker": "0.0003"}
    if model == "fixed":
        return {"model": model, "amount": "1.25", "once": draw.chance(0.5)}
    if model == "per_contract":
        return {"model": model, "amount": "0.35"}
    return {"model": model, "tiers": [["0", "0.001", "0.002"], ["2000", "0.0005", "0.001"]]}


def _risk(draw: Draw, leave_out: frozenset[str], *, has_latency: bool) -> dict[str, Any]:
    """The rate limit is raised most of the time, so that it is not all that there is to see.

    No self-trade prevention with latency: of orders in flight, which it looks at too, the rules do not speak.
    """
    risk: dict[str, Any] = {"max_order_rate": "100000/1s", "max_modify_rate": "100000/1s"}
    if draw.chance(0.05):
        risk = {"max_order_rate": "3/1s", "max_modify_rate": "2/2s"}
    if draw.chance(0.1):
        risk["max_position"] = "60"
    if draw.chance(0.1):
        risk["max_open_orders"] = 12
    if draw.chance(0.05):
        risk["price_collar_bps"] = "50"
    if draw.chance(0.05):
        risk["max_notional_per_order"] = "500"
    if draw.chance(0.05) and "stp" not in leave_out and not has_latency:
        risk["stp"] = draw.pick(["cancel_newest", "cancel_oldest", "decrement"])
    return risk


def _with_conversion(venue: dict[str, Any], instrument: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A base currency that is neither side of the instrument, and the pair that leads to it."""
    if venue["account"] == "CASH" or instrument.get("inverse"):
        other = {"id": "EURUSD.SIM", "kind": "pair", "base": "EUR", "quote": "USD", "tick": "0.0001", "step": "1"}
        return venue, other
    instrument["quote"] = "EUR"
    other = {"id": "EURUSD.SIM", "kind": "pair", "base": "EUR", "quote": "USD", "tick": "0.0001", "step": "1"}
    return {**venue, "base_currency": "USD", "balances": {"USD": "100000000"}}, other
