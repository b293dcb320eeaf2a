"""The other engine of `capture_replay`, in a process and an environment of its own: hftbacktest with the same maker.

It reads the path of its event array and the settings from the command line, then runs once for each line of its
standard input, which names the kind of book, and answers with a line of JSON. What is timed is the replay alone; the
engine is built, and the array handed over, before.
"""

import json
import sys
from typing import Any, Final

import numpy as np
from numba import njit

from benchmarks.harness import Stopwatch

__all__ = ["answer"]

ROI_TICKS: Final = 150_000  # on each side of the first price: the vector book keeps no level beyond


def answer() -> int:
    """Serve runs until the standard input ends."""
    from hftbacktest import HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest, __version__  # type: ignore[import-not-found]

    events, settings = np.load(sys.argv[1])["events"], json.loads(sys.argv[2])
    builders = {"hash_map": HashMapMarketDepthBacktest, "roi_vector": ROIVectorMarketDepthBacktest}
    quote = _maker()
    for line in sys.stdin:
        kind = line.strip()
        engine = builders[kind]([_asset(events, settings, kind)])
        figures = [settings[name] for name in ("interval_ns", "half_spread_ticks", "quantity", "lot", "position_max")]
        watch = Stopwatch()
        orders = quote(engine, *figures)
        seconds, cpu_seconds = watch.seconds(), watch.cpu_seconds()
        state, depth = engine.state_values(0), engine.depth(0)
        found = {
            "version": __version__,
            "seconds": seconds,
            "cpu_seconds": cpu_seconds,
            "orders": int(orders),
            "fills": int(state.num_trades),
            "position": round(state.position / settings["lot"]),
            "bid": int(depth.best_bid_tick),
            "ask": int(depth.best_ask_tick),
        }
        engine.close()
        print(json.dumps(found), flush=True)
    return 0


def _asset(events: Any, settings: dict[str, Any], kind: str) -> Any:  # noqa: ANN401
    from hftbacktest import BacktestAsset

    tick = settings["tick"]
    asset = (
        BacktestAsset()
        .data(events)
        .linear_asset(1.0)
        .constant_order_latency(settings["latency_ns"], 0)
        .power_prob_queue_model(settings["queue_power"])
        .partial_fill_exchange()
        .trading_value_fee_model(0.0, 0.0)
        .tick_size(tick)
        .lot_size(settings["lot"])
    )
    if kind == "roi_vector":
        middle = settings["first_ticks"]
        asset = asset.roi_lb((middle - ROI_TICKS) * tick).roi_ub((middle + ROI_TICKS) * tick)
    return asset


def _maker() -> Any:  # noqa: ANN401
    """Give the market maker of `libra_ray.matching.quoting`, written for this engine."""
    from hftbacktest import GTC, LIMIT

    @njit
    def quote(hbt: Any, interval_ns: int, half_spread: int, quantity: int, lot: float, position_max: int) -> int:  # noqa: ANN401
        sent = 0
        while hbt.elapse(interval_ns) == 0:
            hbt.clear_inactive_orders(0)
            depth = hbt.depth(0)
            orders = hbt.orders(0).values()
            while orders.has_next():
                order = orders.get()
                if order.cancellable:
                    hbt.cancel(0, order.order_id, False)  # noqa: FBT003
            position = round(hbt.position(0) / lot)
            twice_middle = depth.best_bid_tick + depth.best_ask_tick
            if position + quantity <= position_max:
                sent += 1
                px = (twice_middle // 2 - half_spread) * depth.tick_size
                hbt.submit_buy_order(0, sent, px, quantity * lot, GTC, LIMIT, False)  # noqa: FBT003
            if quantity - position <= position_max:
                sent += 1
                px = (-(-twice_middle // 2) + half_spread) * depth.tick_size
                hbt.submit_sell_order(0, sent, px, quantity * lot, GTC, LIMIT, False)  # noqa: FBT003
        return sent

    return quote


if __name__ == "__main__":
    sys.exit(answer())
