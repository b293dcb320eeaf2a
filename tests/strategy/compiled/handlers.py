"""A handler that tests compile, and random ones that the two engines must run alike."""

from dataclasses import dataclass
from typing import NamedTuple

import libra_ray as lr
from libra_ray.strategy import numeric
from libra_ray.strategy.compiled import BarValues, CompiledStrategy, Desk, QuoteValues, TradeValues, compiled

STEP = 3


@dataclass(slots=True)
class MixState:
    """Every type of field."""

    window: list[float]
    value: float = 0.0
    count: int = 0
    is_up: bool = False
    ref: int = -1


class MixParams(NamedTuple):
    """Every type of parameter."""

    length: int
    weight: float
    unit_raw: int
    tick_raw: int
    goes_short: bool


@compiled
def blended(value: float, other: float, weight: float) -> float:
    """Between two numbers."""
    return value + weight * (other - value)


@compiled
def spread_of(state: MixState, params: MixParams) -> float:
    """Of the window: deviation and range, by library functions and by a loop."""
    widest = 0.0
    for i in range(params.length):
        apart = abs(state.window[i] - state.window[i - 1])
        widest = max(widest, apart)
    if state.count < params.length:
        return widest
    return numeric.std(state.window) + widest * 0.25 + numeric.sqrt(widest)


@compiled
def mix(state: MixState, params: MixParams, price: float, px_raw: int, orders: Desk) -> None:
    """Market, limit and stop orders, cancels, targets and closes, as the numbers have it."""
    state.window[state.count % params.length] = price
    state.count += 1
    state.value = price if state.count == 1 else blended(state.value, price, params.weight)
    spread = spread_of(state, params)
    held = orders.net_qty_raw()
    was_up = state.is_up
    state.is_up = price > state.value
    has_order = state.ref >= 0 and orders.is_open(state.ref)
    if state.is_up and not was_up:
        orders.target(params.unit_raw * (1 + state.count % STEP))
    elif was_up and not state.is_up:
        orders.target(-params.unit_raw if params.goes_short else 0)
    elif not has_order and state.count % 5 == 0:
        distance = params.tick_raw * (1 + numeric.floor(min(spread * 1000.0, 40.0)))
        if held > 0:
            state.ref = orders.sell_stop(params.unit_raw, px_raw - distance)
        elif held < 0:
            state.ref = orders.buy_limit(params.unit_raw, px_raw - distance, post_only=True)
        else:
            state.ref = orders.sell_limit(params.unit_raw, px_raw + distance)
    elif has_order and orders.leaves_raw(state.ref) > 0 and state.count % 7 == 0:
        orders.cancel(state.ref)
        if state.count % 2 == 0:
            orders.buy(params.unit_raw)
        else:
            orders.sell(params.unit_raw)
    if state.count % 41 == 0:
        orders.cancel_all()
        orders.close()


@compiled
def on_bar(state: MixState, params: MixParams, bar: BarValues, orders: Desk) -> None:
    """Of bars."""
    mix(state, params, bar.close_f, bar.close_raw, orders)


@compiled
def on_quote(state: MixState, params: MixParams, quote: QuoteValues, orders: Desk) -> None:
    """Of quotes."""
    mix(state, params, (quote.bid_px_f + quote.ask_px_f) / 2.0, quote.bid_px_raw, orders)


@compiled
def on_trade(state: MixState, params: MixParams, trade: TradeValues, orders: Desk) -> None:
    """Of trades."""
    mix(state, params, trade.price_f, trade.price_raw, orders)


class MixConfig(lr.StrategyConfig):
    """Parameters of `Mix`."""

    kind: str = "bars"
    length: int = 5
    weight: float = 0.2
    unit_raw: int = 100
    goes_short: bool = True


class Mix(CompiledStrategy):
    """Runs the handlers above."""

    config: MixConfig

    def on_start(self) -> None:
        config = self.config
        tick_raw = self.cache.instrument("EURUSD.SIM").tick_raw
        state = MixState([0.0] * config.length)
        params = MixParams(config.length, config.weight, config.unit_raw, tick_raw, config.goes_short)
        self.handle_by(
            state, params, instrument="EURUSD.SIM",
            on_bar=on_bar, on_quote=on_quote, on_trade=on_trade, on_book=on_quote,
        )  # fmt: skip
        if config.kind == "bars":
            self.subscribe_bars("EURUSD.SIM", "1m")
        elif config.kind == "quotes":
            self.subscribe_quotes("EURUSD.SIM")
        elif config.kind == "book":
            self.subscribe_book("EURUSD.SIM")
        else:
            self.subscribe_trades("EURUSD.SIM")
