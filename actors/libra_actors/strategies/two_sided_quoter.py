"""Two-sided quoter: one bid and one ask around the mid at even times, and nothing between; it runs compiled.

What a latency-bound maker does on a book that moves faster than it may quote: look every so often, take off what is
no longer where it should be, and put it there (the rule of the capture benchmark too). `MarketMaker` instead follows
every move of the mid.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

from pydantic import PositiveInt, model_validator

from libra_actors.strategies.quantity_text import QuantityText
from libra_ray import Quantity, StrategyConfig
from libra_ray.strategy.compiled import CompiledStrategy, Desk, QuoteValues, compiled

__all__ = ["TwoSidedQuoter", "TwoSidedQuoterConfig"]

NS_PER_MS = 1_000_000


class TwoSidedQuoterConfig(StrategyConfig):
    """Settings of `TwoSidedQuoter`.

    Attributes:
        instrument: instrument id, such as `BTCUSDT.SIM`.
        quantity: size of each order.
        half_spread_ticks: distance of both orders from the mid, in ticks; rounded away from the mid.
        interval_ms: least time between two looks, in milliseconds.
        inventory_max: largest net position, long or short; not below `quantity`.
        source: where the mid comes from, `quotes` or the best prices of the `book`.
    """

    instrument: str
    quantity: QuantityText
    half_spread_ticks: PositiveInt = 2
    interval_ms: PositiveInt = 100
    inventory_max: QuantityText
    source: Literal["quotes", "book"] = "quotes"

    @model_validator(mode="after")
    def _inventory_holds_one_order(self) -> Self:
        if Quantity.parse(self.inventory_max) < Quantity.parse(self.quantity):
            raise ValueError(f"inventory_max={self.inventory_max} must not be below quantity={self.quantity}")
        return self


@dataclass(slots=True)
class QuoterState:
    """When to look next, and of each side the reference of its order (-1: none yet) and its price."""

    next_ns: int = 0
    bid: int = -1
    ask: int = -1
    bid_px: int = 0
    ask_px: int = 0


class QuoterParams(NamedTuple):
    """Raw numbers of the settings."""

    quantity_raw: int
    inventory_max_raw: int
    half_spread_twice_raw: int
    tick_raw: int
    interval_ns: int


@compiled
def quote(state: QuoterState, params: QuoterParams, row: QuoteValues, orders: Desk) -> None:
    """Twice the mid, bid + ask, is a whole number: the only rounding is the last, away from the mid."""
    if row.ts_ns < state.next_ns:
        return
    state.next_ns = row.ts_ns + params.interval_ns
    twice = row.bid_px_raw + row.ask_px_raw
    tick = params.tick_raw
    bid_px = (twice - params.half_spread_twice_raw) // (2 * tick) * tick
    ask_px = -((-twice - params.half_spread_twice_raw) // (2 * tick)) * tick
    held_raw = orders.net_qty_raw()
    has_bid = state.bid >= 0 and orders.is_open(state.bid)
    has_ask = state.ask >= 0 and orders.is_open(state.ask)
    if has_bid and state.bid_px != bid_px:
        orders.cancel(state.bid)
    elif not has_bid and held_raw + params.quantity_raw <= params.inventory_max_raw:
        state.bid = orders.buy_limit(params.quantity_raw, bid_px, post_only=True)
        state.bid_px = bid_px
    if has_ask and state.ask_px != ask_px:
        orders.cancel(state.ask)
    elif not has_ask and params.quantity_raw - held_raw <= params.inventory_max_raw:
        state.ask = orders.sell_limit(params.quantity_raw, ask_px, post_only=True)
        state.ask_px = ask_px


class TwoSidedQuoter(CompiledStrategy):
    """Post-only, never two orders on one side: an order that is off its price is canceled at one look and replaced at
    the next, so the inventory limit holds with any latency.
    """  # noqa: D205  # what it promises needs the line

    config: TwoSidedQuoterConfig

    def on_start(self) -> None:
        config, instrument = self.config, self.cache.instrument(self.config.instrument)
        params = QuoterParams(
            instrument.quantity(config.quantity).raw,
            instrument.quantity(config.inventory_max).raw,
            2 * config.half_spread_ticks * instrument.tick_raw,
            instrument.tick_raw,
            config.interval_ms * NS_PER_MS,
        )
        self.handle_by(QuoterState(), params, instrument=config.instrument, on_quote=quote, on_book=quote)
        if config.source == "quotes":
            self.subscribe_quotes(config.instrument)
        else:
            self.subscribe_book(config.instrument)

    def on_stop(self) -> None:
        self.cancel_all_orders(self.config.instrument)
