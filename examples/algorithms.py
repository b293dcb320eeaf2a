"""One large order four ways: bought evenly, along a profile, with the market's volume, and piece by piece.

Run it with `python examples/algorithms.py`. A strategy names an algorithm by its id; the rest of it does not change.
"""

from itertools import groupby

import libra_ray as lr
from libra_actors.algorithms import Iceberg, Pov, Twap, Vwap

HOUR_NS = 3_600 * 10**9
WAYS = {
    "TWAP": {"horizon_secs": 3_000, "interval_secs": 300},
    "VWAP": {"horizon_secs": 3_000, "interval_secs": 500, "profile": [4, 2, 1, 1, 2, 4]},
    "POV": {"rate": "0.02", "interval_secs": 120},
    "ICEBERG": {"display_qty": 500},
}


class BuyFourWays(lr.Strategy):
    """Every hour another algorithm buys 5,000 shares."""

    def on_start(self) -> None:
        self.subscribe_trades("ACME.SIM")
        for hour, way in enumerate(WAYS):
            self.clock.set_alert(way, at_ns=self.clock.now_ns() + hour * HOUR_NS)

    def on_timer(self, timer: lr.Timer) -> None:
        price = None
        if timer.name == "ICEBERG":
            trade = self.cache.trade("ACME.SIM")
            price = trade.price if isinstance(trade, lr.Trade) else None
        way = WAYS[timer.name]
        self.buy("ACME.SIM", 5_000, price=price, exec_algorithm_id=timer.name, exec_algorithm_params=way)


def main() -> lr.BacktestResult:
    """Run it over five hours of synthetic trades and print what each way cost."""
    share = lr.equity("ACME.SIM", quote="USD")
    system = lr.System("four-ways", seed=7)
    system.add_venue("SIM", account="margin", balances=["10_000_000 USD"], fees=lr.MakerTaker("0.0002", "0.0005"))
    for algorithm in (Twap(), Vwap(), Pov(), Iceberg()):
        system.add(algorithm)
    system.add(BuyFourWays())

    result = lr.backtest(system, data=lr.synth("trades", share, rows=18_000, seed=7))
    orders = [order for order in result.orders.to_pylist() if order["filled_qty"]]
    ways = list(WAYS)
    for number, family in groupby(orders, key=lambda order: int(order["client_order_id"].split("-")[2])):
        filled = [(order["filled_qty"], order["avg_px"]) for order in family]
        bought = sum(quantity for quantity, _ in filled)
        average = sum(quantity * price for quantity, price in filled) / bought
        print(f"{ways[number - 1]:>8}  {bought:,.0f} in {len(filled):>2} orders at {average:.4f}")
    print(result.run_hash)
    return result


if __name__ == "__main__":
    main()
