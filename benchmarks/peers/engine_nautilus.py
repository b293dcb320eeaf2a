"""The job in NautilusTrader (`nautilus_trader`, needs Python 3.12 or newer)."""

import sys
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from benchmarks.peers.job import JOB, Answer, Bars, CrossRule, Ema
from benchmarks.peers.measurement import measure

__all__ = ["Nautilus"]

SIM = Venue("SIM")
STOCK = Equity(
    instrument_id=InstrumentId(Symbol("WALK"), SIM),
    raw_symbol=Symbol("WALK"),
    currency=USD,
    price_precision=2,
    price_increment=Price.from_str("0.01"),
    lot_size=Quantity.from_int(1),
    margin_init=Decimal(0),
    margin_maint=Decimal(0),
    maker_fee=Decimal(str(JOB.fee_rate)),
    taker_fee=Decimal(str(JOB.fee_rate)),
    ts_event=0,
    ts_init=0,
)
BAR_TYPE = BarType.from_str("WALK.SIM-1-MINUTE-LAST-EXTERNAL")


class Cross(Strategy):  # type: ignore[misc] # the package has no types
    """The averages are plain Python: the engine's own EMA begins with the first close instead of a mean."""

    def __init__(self, last_ts_ns: int) -> None:
        super().__init__()
        self.fast, self.slow = Ema(JOB.fast), Ema(JOB.slow)
        self.rule = CrossRule()
        self.last_ts_ns = last_ts_ns

    def on_start(self) -> None:
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Any) -> None:  # noqa: ANN401
        close = bar.close.as_double()
        fast, slow = self.fast.update(close), self.slow.update(close)
        # What is ordered after the last close has no next open in the other engines.
        if fast is None or slow is None or bar.ts_event == self.last_ts_ns:
            return
        size = self.rule.order_size(fast, slow)
        if size:
            side = OrderSide.BUY if size > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(STOCK.id, side, Quantity.from_int(abs(size))))


class Nautilus:
    """Market orders fill at the close of the signal's bar: the engine has no fill at the next open."""

    distribution = "nautilus_trader"
    note = "fills at this close, which is the next open's price; margin rates 0, logging off"

    def prepare(self, bars: Bars) -> Any:  # noqa: ANN401
        columns = [bars.price(name).tolist() for name in ("open", "high", "low", "close")]
        rows = zip(*columns, bars.volume.tolist(), bars.ts_ns.tolist(), strict=True)
        return [
            Bar(BAR_TYPE, *(Price(price, 2) for price in prices), Quantity.from_int(volume), ts_ns, ts_ns)
            for *prices, volume, ts_ns in rows
        ]

    def run(self, native: Any) -> Any:  # noqa: ANN401
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
        engine.add_venue(
            SIM,
            oms_type=OmsType.NETTING,
            account_type=AccountType.MARGIN,
            base_currency=USD,
            starting_balances=[Money(JOB.balance, USD)],
        )
        engine.add_instrument(STOCK)
        engine.add_data(native)
        engine.add_strategy(Cross(native[-1].ts_event))
        engine.run()
        equity = engine.cache.account_for_venue(SIM).balance_total(USD).as_double()
        for position in engine.cache.positions_open():
            equity += position.unrealized_pnl(native[-1].close).as_double()
        return engine, equity

    def answer(self, result: Any) -> Answer:  # noqa: ANN401
        engine, equity = result
        fills = [
            (float(order.filled_qty) * (1 if order.side == OrderSide.BUY else -1), float(order.avg_px))
            for order in sorted(engine.cache.orders(), key=lambda order: (order.ts_init, order.client_order_id.value))
        ]
        engine.dispose()
        return Answer.of(fills, equity)


if __name__ == "__main__":
    sys.exit(measure(Nautilus()))
