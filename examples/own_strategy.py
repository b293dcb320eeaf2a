"""A strategy of your own in one file: buy what the RSI calls oversold, leave when it has recovered.

Run it with `python examples/own_strategy.py`; a run file names the same class: `path = "own_strategy.BuyTheDip"`.
"""

from pydantic import PositiveInt

import libra_ray as lr
from libra_ray.strategy.indicators import Rsi


class BuyTheDipConfig(lr.StrategyConfig):
    """Checked before anything runs: a misspelt name or a period of 0 is refused."""

    instrument: str
    period: PositiveInt = 14
    quantity: PositiveInt = 100


class BuyTheDip(lr.Strategy):
    """Handlers only. What one sends leaves when it returns, and every order passes the risk engine."""

    config: BuyTheDipConfig

    def on_start(self) -> None:
        self.rsi = Rsi(self.config.period)
        self.subscribe_bars(self.config.instrument, "1h")

    def on_bar(self, bar: lr.Bar) -> None:
        strength = self.rsi.update(bar.close_f)
        if strength is None:
            return
        if strength < 30.0:
            self.target(bar.instrument_id, self.config.quantity)
        elif strength > 60.0:
            self.close_position(bar.instrument_id)


def main() -> lr.BacktestResult:
    """Run it over a year of synthetic hours and print its last three round trips."""
    share = lr.equity("ACME.SIM", quote="USD")
    system = lr.System("buy-the-dip", seed=7)
    system.add_venue("SIM", account="cash", balances=["100_000 USD"], fees=lr.MakerTaker("0.0002", "0.0005"))
    system.add(BuyTheDip(instrument="ACME.SIM"))

    result = lr.backtest(system, data=lr.synth("bars", share, rows=8_760, period="1h", seed=7))
    for trade in result.positions.slice(result.positions.num_rows - 3).to_pylist():
        print(f"{trade['avg_px_open']:.2f} -> {trade['avg_px_close'] or 0:.2f}  {trade['realized_pnl']:+.2f} USD")
    print(result)
    return result


if __name__ == "__main__":
    main()
