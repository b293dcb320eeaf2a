"""The loop of a compiled run: a handler and the core compiled as one function over columns."""

from functools import cache
from types import ModuleType
from typing import Any, Final

from libra_ray.matching.core.forms import core_sources
from libra_ray.strategy.compiled.generation import cached_module, handler_module, module_text

__all__ = ["loop_module"]

_HEAD: Final = """
from libra_ray.matching.core.accounting import end_days as _end_days
from libra_ray.matching.core.intents import settle as _settle
from libra_ray.matching.core.room import has_room as _has_room
from libra_ray.matching.core.rows import on_quote as _on_quote
from libra_ray.matching.core.rows import stand_at_close as _stand_at_close
from libra_ray.matching.core.rows import walk_bar as _walk_bar

"""
_LOOP: Final = """
@njit(cache=True, _nrt=False)
def run(state, params, orders, times, columns, units, terms, ledger, start):
    ts, ts_event = times
    {names} = columns
    price_unit, size_unit = units
    now, counts, intents = ledger.now, orders.counts, orders.intents
    for i in range(start, len(ts)):
        if ts[i] > now[{day_end}]:
            _end_days(terms, ledger, ts[i], {last_bid}, {last_ask})
        acted = {venue_acts}
        if acted:
            {venue}
            counts[0] = now[{net}]
        row = _Row(ts[i], ts_event[i], {values})
        {handler}({arguments})
        if counts[1] > 0:
            {stand}
            _settle(terms, ledger, intents, counts[1])
            counts[1] = 0
            counts[0] = now[{net}]
            acted = True
        if acted and not _has_room(ledger, counts[2]):
            return i + 1
    return len(ts)
"""
_OF_BARS: Final = {
    "last_bid": "c_close[i - 1]",
    "last_ask": "c_close[i - 1]",
    "venue_acts": "now[{working}] > 0",
    "venue": "_walk_bar(terms, ledger, i, ts[i], c_open[i], c_high[i], c_low[i], c_close[i], c_volume[i])",
    "stand": "_stand_at_close(terms, ledger, i, ts[i], c_close[i], c_volume[i])",
}
_OF_QUOTES: Final = {
    "last_bid": "c_bid_px[i - 1]",
    "last_ask": "c_ask_px[i - 1]",
    "venue_acts": "True",
    "venue": "_on_quote(terms, ledger, ts[i], c_bid_px[i], c_ask_px[i], c_bid_qty[i], c_ask_qty[i])",
    "stand": "pass",
}


@cache
def loop_module(hook: str, handler: Any) -> ModuleType:  # noqa: ANN401  # a compiled function
    """The module with `run(state, params, orders, times, columns, units, terms, ledger, start)`.

    It goes through rows from `start` on and returns the one to go on with, all of them done or arrays too small.
    """
    handler_module(hook, handler)
    return cached_module(_text(hook, handler), extra=core_sources())


def _text(hook: str, handler: Any) -> str:  # noqa: ANN401
    from libra_ray.matching.core.layout import DAY_END, NET, WORKING

    plain = module_text(hook, handler)
    # The loop calls the handler, and makes a row, just as the handler's own module does.
    scan = plain[plain.index("def scan(") :].splitlines()
    names = next(line for line in scan if line.endswith("= columns")).split(" = ")[0].strip()
    row = next(line.strip() for line in scan if line.strip().startswith("row = "))
    call = scan[scan.index(f"        {row}") + 1].strip()
    parts = _OF_BARS if hook == "on_bar" else _OF_QUOTES
    filled = {name: text.format(working=WORKING) for name, text in parts.items()}
    loop = _LOOP.replace("row = _Row(ts[i], ts_event[i], {values})", row).replace("{handler}({arguments})", call)
    return plain + _HEAD + loop.format(names=names, day_end=DAY_END, net=NET, **filled)
