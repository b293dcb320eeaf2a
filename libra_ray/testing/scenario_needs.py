"""Which tags a document needs (the list at the end of spec/scenarios.md)."""

from collections.abc import Iterator
from typing import Any

from libra_ray.testing.scenario_form import TAGS

__all__ = ["needs_of"]

Form = dict[str, Any]


def needs_of(document: Form) -> list[str]:
    """The tags of everything that a document uses, in the order of the list of tags."""
    used: set[str] = set()
    for operation in _operations(document["actions"]):
        used.update(_of_operation(operation))
    used.update(_of_venue(document["venue"]))
    used.update(_of_data(document))
    if document.get("risk"):
        used.update(_of_risk(document["risk"]))
    if document.get("bars"):
        used.add("aggregation")
    return [tag for tag in TAGS if tag in used]


def _operations(blocks: list[Form]) -> Iterator[Form]:
    for block in blocks:
        for operation in block["do"]:
            yield operation
            if operation["op"] == "submit_list":
                yield from operation["orders"]
            if operation["op"] == "alert":
                yield from _operations([{"do": operation.get("do", [])}])


def _of_operation(form: Form) -> Iterator[str]:
    op = form.get("op", "submit")
    if op == "bracket":
        yield from ("bracket", "oto", "ouo", "reduce_only", "stop_market", "limit", form.get("type", "MARKET").lower())
    elif op == "close":
        yield from ("market", "reduce_only")
    elif op in ("modify", "trading_state"):
        yield op
    elif op in ("alert", "timer"):
        yield "timers"
    elif op == "submit":
        yield from _of_order(form)


def _of_order(form: Form) -> Iterator[str]:
    yield form["type"].lower()
    tif = form.get("tif", "GTC")
    yield "auction" if tif.startswith("AT_THE") else tif.lower()
    names = {"display": "iceberg", "quote_qty": "quote_qty", "post_only": "post_only", "reduce_only": "reduce_only"}
    yield from (tag for key, tag in names.items() if form.get(key))
    yield form.get("contingency", "").lower()
    if "emulate" in form:
        yield "emulator"
    if "algo" in form:
        yield {"ICEBERG": "iceberg_algo"}.get(form["algo"]["id"], form["algo"]["id"].lower())


def _of_venue(venue: Form) -> Iterator[str]:
    options = venue.get("options", {})
    yield from (venue["book"].lower(), venue["account"].lower(), venue["oms"].lower())
    if "base_currency" in venue:
        yield "conversion"
    for key, tag in (("bar_fill", "this_close"), ("bar_path", "adaptive")):
        if options.get(key) == tag:
            yield tag
    names = {"latency": "latency", "prob_slippage": "slippage", "price_protection": "protection"}
    yield from (tag for key, tag in names.items() if key in options)
    if options.get("queue", "none") != "none":
        yield "queue"
    model = options.get("fee", {}).get("model")
    if model in ("fixed", "per_contract", "tiered"):
        yield f"fees_{model}"
    if options.get("fee", {}).get("currency") not in (None, "base", "quote"):
        yield "fees_third_currency"


def _of_data(document: Form) -> Iterator[str]:
    kinds = {row[0] for row in document["data"]}
    names = {"bar": "bars", "trade": "trades", "funding": "funding"}
    yield from (tag for kind, tag in names.items() if kind in kinds)
    for instrument in document["instruments"]:
        if instrument.get("inverse"):
            yield "inverse"
        if "expiration" in instrument:
            yield "expiry"


def _of_risk(risk: Form) -> Iterator[str]:
    yield "risk"
    names = {"max_order_rate": "rate", "price_collar_bps": "collar", "max_daily_loss": "breach"}
    names |= {"max_drawdown": "breach", "trading_state": "trading_state"}
    yield from (tag for key, tag in names.items() if key in risk)
    if risk.get("stp", "none") != "none":
        yield "stp"
