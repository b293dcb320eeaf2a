"""Mean reversion on a year of synthetic hours, from Python: build a system, run it, look at what came of it.

Run it with `python examples/mean_reversion.py`.
"""

import libra_ray as lr
from libra_actors.strategies import MeanReversion


def main() -> lr.BacktestResult:
    """Run one backtest and print its figures."""
    eurusd = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    data = lr.synth("bars", eurusd, rows=8_760, period="1h", seed=7, price="1.10000")

    system = lr.System("mean-reversion", seed=7)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"], fees=lr.MakerTaker("0.00002", "0.00005"))
    system.add(MeanReversion(instrument="EURUSD.SIM", bars="1h", period=20, multiplier=2.0, quantity="10_000"))

    result = lr.backtest(system, data=data)
    for figure in ("final_equity", "max_drawdown", "trades", "win_rate", "fees_USD"):
        print(f"{figure:>14}  {result.stats[figure]}")
    print(f"{'run_hash':>14}  {result.run_hash}")
    return result


if __name__ == "__main__":
    main()
