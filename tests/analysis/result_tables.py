"""Result tables for the tests of statistics and reports, made by a small exact trader: no part of the library runs."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from libra_ray.analysis.report import ReportInput
from libra_ray.analysis.statistics import statistics

DAY_NS = 86_400_000_000_000
HOUR_NS = DAY_NS // 24
MONEY = pa.decimal128(38, 18)
TEXT = pa.string()
TIME = pa.int64()

ORDERS = pa.schema(
    [(name, TEXT) for name in ("client_order_id", "strategy_id", "instrument_id", "side", "type", "time_in_force")]
    + [(name, MONEY) for name in ("quantity", "price", "trigger_price", "filled_qty", "avg_px")]
    + [(name, TEXT) for name in ("status", "code", "message")]
    + [("ts_init_ns", TIME), ("ts_last_ns", TIME), ("reduce_only", pa.bool_()), ("post_only", pa.bool_())]
    + [("tags", TEXT)]
)
FILLS = pa.schema(
    [(name, TEXT) for name in ("trade_id", "client_order_id", "venue_order_id", "strategy_id", "instrument_id")]
    + [("position_id", TEXT), ("side", TEXT), ("last_qty", MONEY), ("last_px", MONEY), ("liquidity", TEXT)]
    + [("commission", MONEY), ("commission_currency", TEXT), ("ts_ns", TIME)]
)
POSITIONS = pa.schema(
    [(name, TEXT) for name in ("position_id", "strategy_id", "instrument_id", "entry_side")]
    + [(name, MONEY) for name in ("peak_qty", "quantity", "avg_px_open", "avg_px_close", "realized_pnl")]
    + [("currency", TEXT), ("commissions", MONEY), ("ts_opened_ns", TIME), ("ts_closed_ns", TIME)]
    + [("opening_order_id", TEXT), ("closing_order_id", TEXT), ("fills", pa.int32())]
)
EQUITY = pa.schema([("ts_ns", TIME), ("account_id", TEXT), ("currency", TEXT), ("total", MONEY), ("equity", MONEY)])
BARS = pa.schema(
    [("ts_event_ns", TIME)]
    + [(name, pa.float64()) for name in ("open", "high", "low", "close", "volume")]
    + [("instrument_id", TEXT)]
)


def equity_table(rows: list[tuple[int, str]], *, account_id: str = "SIM-001", currency: str = "USD") -> pa.Table:
    """One account's equity from (ts_ns, amount)."""
    return pa.Table.from_pylist(
        [
            {
                "ts_ns": ts,
                "account_id": account_id,
                "currency": currency,
                "total": Decimal(amount),
                "equity": Decimal(amount),
            }
            for ts, amount in rows
        ],
        schema=EQUITY,
    )


@dataclass
class Book:
    """Rows of the result tables, filled by hand or by `ema_cross`."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    fills: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    equity: list[dict[str, Any]] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)

    def order(self, number: int, ts_ns: int, **changes: object) -> None:
        """Add an order; `changes` overwrite fields."""
        row: dict[str, Any] = dict.fromkeys(ORDERS.names)
        row |= {"client_order_id": f"EmaCross-1-{number}", "strategy_id": "EmaCross-1", "instrument_id": "AAPL.SIM"}
        row |= {"side": "BUY", "type": "MARKET", "time_in_force": "GTC", "quantity": Decimal(100), "status": "FILLED"}
        row |= {"ts_init_ns": ts_ns, "ts_last_ns": ts_ns, "reduce_only": False, "post_only": False}
        self.orders.append(row | changes)

    def fill(self, number: int, ts_ns: int, **changes: object) -> None:
        """Add a fill; `changes` overwrite fields."""
        row: dict[str, Any] = {
            "trade_id": f"T-{number}",
            "client_order_id": f"EmaCross-1-{number}",
            "venue_order_id": "V-1",
        }
        row |= {"strategy_id": "EmaCross-1", "instrument_id": "AAPL.SIM", "position_id": "AAPL.SIM-EmaCross-1"}
        row |= {"side": "BUY", "last_qty": Decimal(100), "last_px": Decimal("10.5"), "liquidity": "TAKER"}
        row |= {"commission": Decimal("0.5"), "commission_currency": "USD", "ts_ns": ts_ns}
        self.fills.append(row | changes)

    def position(self, pnl: str, opened_ns: int, closed_ns: int | None, **changes: object) -> None:
        """Add a position life; `changes` overwrite fields."""
        row: dict[str, Any] = {
            "position_id": "AAPL.SIM-EmaCross-1",
            "strategy_id": "EmaCross-1",
            "instrument_id": "AAPL.SIM",
        }
        row |= {"entry_side": "LONG", "peak_qty": Decimal(100), "quantity": Decimal(0), "avg_px_open": Decimal("10.5")}
        row |= {"avg_px_close": None if closed_ns is None else Decimal("11.25"), "realized_pnl": Decimal(pnl)}
        row |= {"currency": "USD", "commissions": Decimal(1), "ts_opened_ns": opened_ns, "ts_closed_ns": closed_ns}
        row |= {"opening_order_id": "EmaCross-1-1", "closing_order_id": None, "fills": 2}
        self.positions.append(row | changes)

    def value(self, ts_ns: int, amount: str | Decimal) -> None:
        """Add a row of equity."""
        amount = Decimal(amount)
        self.equity.append(
            {"ts_ns": ts_ns, "account_id": "SIM-001", "currency": "USD", "total": amount, "equity": amount}
        )

    def tables(self) -> dict[str, pa.Table]:
        """Give the four tables of a result by name."""
        return {
            "equity": pa.Table.from_pylist(self.equity, schema=EQUITY),
            "orders": pa.Table.from_pylist(self.orders, schema=ORDERS),
            "fills": pa.Table.from_pylist(self.fills, schema=FILLS),
            "positions": pa.Table.from_pylist(self.positions, schema=POSITIONS),
        }

    def report(self, **changes: object) -> ReportInput:
        """Give the input of a report, with the statistics of the tables."""
        tables = self.tables()
        facts: dict[str, Any] = {
            "name": "EMA cross on daily prices",
            "run_id": "20240102-093000-ema",
            "run_hash": "9f2c4e1ab07d553d86f1c20e7a4b99d0",
            "seed": 7,
            "started_ns": self.bars[0]["ts_event_ns"] if self.bars else None,
            "ended_ns": self.bars[-1]["ts_event_ns"] if self.bars else None,
            "stats": statistics(**tables),
            "bars": pa.Table.from_pylist(self.bars, schema=BARS) if self.bars else None,
            "settings": {
                "libra_ray": "0.1.0",
                "Bar fill": "next_open",
                "Bar path": "ohlc",
                "Fees": "maker 0.02 %, taker 0.05 %",
            },
        }
        return ReportInput(**(facts | tables | changes))


def ema_cross(
    days: int, *, seed: int, step_ns: int = DAY_NS, fast: int = 10, slow: int = 30, drift: float = 0.0004
) -> Book:
    """Trade 100 shares by two moving averages on a seeded walk, always in the market, filled at the next open.

    Weekends have no bars when a bar is a day. Every 25th signal also sends an order that is refused.
    """
    rng = np.random.default_rng(seed)
    book = Book()
    cash, price = Decimal(20_000), 100.0
    book.value(10_957 * DAY_NS, cash)
    ema_fast = ema_slow = price
    held, entry, entry_fee, opened_ns, pending, number = 0, Decimal(0), Decimal(0), 0, 0, 0
    ts_ns = 10_957 * DAY_NS
    for _ in range(days):
        ts_ns += step_ns
        while step_ns == DAY_NS and ((ts_ns - 1) // DAY_NS + 3) % 7 > 4:
            ts_ns += step_ns
        opening = price * (1 + rng.normal(0, 0.004))
        closing = opening * (1 + rng.normal(drift, 0.017))
        high = max(opening, closing) * (1 + abs(rng.normal(0, 0.006)))
        low = min(opening, closing) * (1 - abs(rng.normal(0, 0.006)))
        bar = {"ts_event_ns": ts_ns, "open": round(opening, 2), "high": round(high, 2), "low": round(low, 2)}
        book.bars.append(bar | {"close": round(closing, 2), "volume": 1e6, "instrument_id": "AAPL.SIM"})
        price = closing
        if pending:
            number += 1
            px = Decimal(str(round(opening, 2)))
            fee = (px * 100 * Decimal("0.0005")).quantize(Decimal("0.01"))
            side = "BUY" if pending > 0 else "SELL"
            book.order(
                number,
                ts_ns,
                side=side,
                quantity=Decimal(200 if held else 100),
                filled_qty=Decimal(200 if held else 100),
                avg_px=px,
            )
            book.fill(
                number,
                ts_ns,
                side=side,
                last_px=px,
                last_qty=Decimal(200 if held else 100),
                commission=fee * (2 if held else 1),
                liquidity="MAKER" if number % 7 == 0 else "TAKER",
            )
            if held:
                pnl = (px - entry) * 100 * held - fee - entry_fee
                cash += (px - entry) * 100 * held - fee
                book.position(
                    str(pnl),
                    opened_ns,
                    ts_ns,
                    entry_side="LONG" if held > 0 else "SHORT",
                    avg_px_open=entry,
                    avg_px_close=px,
                    commissions=fee + entry_fee,
                )
                book.value(ts_ns, cash)
            held, entry, entry_fee, opened_ns = pending, px, fee, ts_ns
            cash -= fee
            pending = 0
            if number % 25 == 0:
                denied = number % 50 == 0
                book.order(
                    number + 10**6,
                    ts_ns,
                    status="DENIED" if denied else "REJECTED",
                    type="LIMIT",
                    price=px,
                    code="MAX_POSITION" if denied else "POST_ONLY_WOULD_TAKE",
                    message="ORD007 quantity 300 for AAPL.SIM raises the position to 400 above the limit of 300."
                    if denied
                    else "a post-only order at this price would take liquidity",
                )
        ema_fast += (closing - ema_fast) * 2 / (fast + 1)
        ema_slow += (closing - ema_slow) * 2 / (slow + 1)
        wanted = 1 if ema_fast > ema_slow else -1
        if wanted != held:
            pending = wanted
        book.value(ts_ns, cash + (Decimal(str(round(closing, 2))) - entry) * 100 * held)
    if held:
        book.position(
            "0",
            opened_ns,
            None,
            entry_side="LONG" if held > 0 else "SHORT",
            avg_px_open=entry,
            quantity=Decimal(100),
            commissions=entry_fee,
        )
    return book
