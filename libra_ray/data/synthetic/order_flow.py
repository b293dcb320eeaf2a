"""A whole market of one instrument: orders that excite each other, and all that is seen of them, in agreement."""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from libra_ray.data.arrow_arrays import Int64s
from libra_ray.data.dataset import Dataset
from libra_ray.data.synthetic.hawkes import Hawkes
from libra_ray.data.synthetic.noise import Noise
from libra_ray.data.synthetic.rows import START_NS, first_tick_of, refuse_high_precision, stream_of
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.messages.schemas import BOOK_DELTAS, QUOTES, TRADES
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import DecimalLike

__all__ = ["ORDER_FLOW", "synth_order_flow"]

TYPES: Final = 6
ORDER_FLOW: Final = Hawkes(
    base_rates=(2.0, 2.0, 0.25, 0.25, 1.2, 1.2),
    children=(
        # limit bid, limit ask, market buy, market sell, cancel bid, cancel ask
        (0.30, 0.05, 0.02, 0.01, 0.15, 0.02),
        (0.05, 0.30, 0.01, 0.02, 0.02, 0.15),
        (0.10, 0.25, 0.35, 0.02, 0.02, 0.15),
        (0.25, 0.10, 0.02, 0.35, 0.15, 0.02),
        (0.20, 0.05, 0.01, 0.03, 0.20, 0.02),
        (0.05, 0.20, 0.03, 0.01, 0.02, 0.20),
    ),
    decay=20.0,
)
"""About 13 events a second, two thirds of them excited by others: like a liquid book, fitted to none."""
DISTANCES: Final = 48
SIZE_MAX: Final = 100


def synth_order_flow(
    instrument: Instrument,
    *,
    events: int,
    book: Literal["L2", "L3"] = "L2",
    seed: int = 1,
    start_ns: int = START_NS,
    price: DecimalLike = 100,
    flow: Hawkes = ORDER_FLOW,
) -> Dataset:
    """Book deltas, quotes and trades of one order flow: limit orders, market orders and cancels on a book of orders.

    They agree: the book's best prices and sizes after each message are those of the quotes, and every trade is at the
    best price that the message found. The book begins with ten levels a side around `price`, at `start_ns`; `events`
    things happen after that. `book` says whether the deltas are by price (L2) or by order with their ids (L3). `flow`
    has six types: limit bid, limit ask, market buy, market sell, cancel bid, cancel ask. Limit orders lie behind the
    best price with a weight of 1 / (1 + ticks). About a second for a million events.

    Raises `ConfigError` CONF002 for a wrong argument, CONF011 for an instrument of more than 9 decimals.
    """
    from libra_ray.data.synthetic.flow_book import LEVELS, play

    if book not in ("L2", "L3"):
        raise ConfigError("CONF002", "book", f"{quoted(book)} is no book", did_you_mean(book, ["L2", "L3"]), book)
    if events < 1:
        raise ConfigError("CONF002", "events", f"{events} is not positive", "Give at least 1.", str(events))
    if len(flow.base_rates) != TYPES:
        what = f"a flow of {len(flow.base_rates)} types of events"
        raise ConfigError("CONF002", "flow", what, f"Give {TYPES}: limit, market and cancel of both sides.")
    refuse_high_precision(instrument)
    middle = first_tick_of(instrument, price)
    if middle <= LEVELS // 2:
        what = f"{quoted(price)} is {middle:,} ticks, the book {LEVELS // 2:,} deep"
        raise ConfigError("CONF002", "price", what, "Give a higher price or a finer tick.", str(price))
    noise = Noise(seed, f"order_flow:{instrument.id}")
    times, types = flow.events(noise, events)
    played = play(types, _distances(noise, events), _sizes(noise, events), noise.integers(events, 2**62))
    ts_ns = start_ns + np.concatenate([times, [0]])  # event -1, the first book, stands at the end
    lowest = middle - LEVELS // 2
    deltas = played.by_price if book == "L2" else played.by_order
    columns: dict[Any, dict[str, Int64s]] = {
        BOOK_DELTAS: _columns(deltas, ("action", "side", "price", "qty", "order_id", "flags")),
        QUOTES: _columns(played.quotes, ("bid_px", "ask_px", "bid_qty", "ask_qty")),
        TRADES: _columns(played.trades, ("price", "qty", "aggressor")),
    }
    streams = []
    for schema, rows in columns.items():
        for name in ("price", "bid_px", "ask_px"):
            if name in rows:
                rows[name] = rows[name] + lowest
        rows["ts_init_ns"] = ts_ns[rows.pop("event")]
        streams.append(stream_of(schema, instrument, rows))
    return Dataset(streams)


def _columns(rows: npt.NDArray[np.int64], names: tuple[str, ...]) -> dict[str, Int64s]:
    return {name: np.ascontiguousarray(rows[:, place]) for place, name in enumerate(("event", *names))}


def _distances(noise: Noise, count: int) -> Int64s:
    """0 to 47 ticks, with a weight of 1 / (1 + ticks): most orders lie at the best price, some far behind."""
    weights = np.array([2**40 // (1 + ticks) for ticks in range(DISTANCES)])
    edges = np.cumsum(weights)
    return np.searchsorted(edges, noise.integers(count, int(edges[-1])), side="right").astype(np.int64)


def _sizes(noise: Noise, count: int) -> Int64s:
    """1 to 100 steps, small ones more often: the smaller of two even draws."""
    return 1 + np.minimum(noise.integers(count, SIZE_MAX), noise.integers(count, SIZE_MAX))
