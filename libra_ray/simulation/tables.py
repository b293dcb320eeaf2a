"""Result tables: what a run recorded, as Arrow tables with exact decimals.

A number of more than 20 digits before its point is null: an order that was denied for it may have one.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from libra_ray.execution import RunRecord
from libra_ray.messages.events import AccountBooked, OrderFilled
from libra_ray.model.numbers import decimal_text
from libra_ray.portfolio import Portfolio

__all__ = ["accounts_table", "equity_table", "fills_table", "orders_table", "positions_table"]

PUBLIC_SCALE: Final = 18
PUBLIC_DIGITS: Final = 38
PUBLIC_DECIMAL: Final = pa.decimal128(PUBLIC_DIGITS, PUBLIC_SCALE)
_TEXT, _TIME, _NUMBER, _FLAG = pa.string(), pa.int64(), PUBLIC_DECIMAL, pa.bool_()

ORDERS: Final = pa.schema(
    {
        "client_order_id": _TEXT, "strategy_id": _TEXT, "instrument_id": _TEXT, "side": _TEXT, "type": _TEXT,
        "time_in_force": _TEXT, "quantity": _NUMBER, "price": _NUMBER, "trigger_price": _NUMBER,
        "filled_qty": _NUMBER, "avg_px": _NUMBER, "status": _TEXT, "code": _TEXT, "message": _TEXT,
        "ts_init_ns": _TIME, "ts_last_ns": _TIME, "reduce_only": _FLAG, "post_only": _FLAG, "tags": _TEXT,
    }
)  # fmt: skip
FILLS: Final = pa.schema(
    {
        "trade_id": _TEXT, "client_order_id": _TEXT, "venue_order_id": _TEXT, "strategy_id": _TEXT,
        "instrument_id": _TEXT, "position_id": _TEXT, "side": _TEXT, "last_qty": _NUMBER, "last_px": _NUMBER,
        "liquidity": _TEXT, "commission": _NUMBER, "commission_currency": _TEXT, "ts_ns": _TIME,
    }
)  # fmt: skip
POSITIONS: Final = pa.schema(
    {
        "position_id": _TEXT, "strategy_id": _TEXT, "instrument_id": _TEXT, "entry_side": _TEXT, "peak_qty": _NUMBER,
        "quantity": _NUMBER, "avg_px_open": _NUMBER, "avg_px_close": _NUMBER, "realized_pnl": _NUMBER,
        "currency": _TEXT, "commissions": _NUMBER, "ts_opened_ns": _TIME, "ts_closed_ns": _TIME,
        "opening_order_id": _TEXT, "closing_order_id": _TEXT, "fills": pa.int32(),
    }
)  # fmt: skip
EQUITY: Final = pa.schema({"ts_ns": _TIME, "account_id": _TEXT, "currency": _TEXT, "total": _NUMBER, "equity": _NUMBER})
ACCOUNTS: Final = pa.schema(
    {"ts_ns": _TIME, "account_id": _TEXT, "kind": _TEXT, "currency": _TEXT, "amount": _NUMBER, "total": _NUMBER}
)


def orders_table(record: RunRecord) -> pa.Table:
    """One row per order, in the order in which they were taken."""
    orders = record.orders
    columns = {
        **{name: [getattr(o, name) for o in orders] for name in ("client_order_id", "strategy_id", "instrument_id")},
        **{name: [str(getattr(o, name)) for o in orders] for name in ("side", "type", "time_in_force", "status")},
        **{name: [getattr(o, name) for o in orders] for name in ("code", "message", "ts_init_ns", "ts_last_ns")},
        **{name: [getattr(o, name) for o in orders] for name in ("reduce_only", "post_only")},
        "quantity": _decimals((o.quantity_raw, o.size_precision) for o in orders),
        "price": _decimals(None if o.price_raw is None else (o.price_raw, o.price_precision) for o in orders),
        "trigger_price": _decimals(
            None if o.trigger_raw is None else (o.trigger_raw, o.price_precision) for o in orders
        ),
        "filled_qty": _decimals((o.filled_raw, o.size_precision) for o in orders),
        "avg_px": _averages((o.fill_value_raw, o.filled_raw, o.price_precision) for o in orders),
        "tags": [",".join(o.tags) for o in orders],
    }
    return _table(ORDERS, columns)


def fills_table(record: RunRecord) -> pa.Table:
    """One row per fill, in the order of birth."""
    fills = [event for event in record.events if type(event) is OrderFilled]
    names = ("trade_id", "client_order_id", "venue_order_id", "strategy_id", "instrument_id", "position_id")
    columns = {
        **{name: [getattr(f, name) for f in fills] for name in names},
        "side": [str(f.side) for f in fills],
        "liquidity": [str(f.liquidity) for f in fills],
        "last_qty": _decimals((f.last_qty_raw, f.size_precision) for f in fills),
        "last_px": _decimals((f.last_px_raw, f.price_precision) for f in fills),
        "commission": _decimals((f.commission_raw, f.commission_precision) for f in fills),
        "commission_currency": [f.commission_currency for f in fills],
        "ts_ns": [f.ts_ns for f in fills],
    }
    return _table(FILLS, columns)


def positions_table(portfolio: Portfolio) -> pa.Table:
    """One row per life of a position: closed ones in the order of closing, then open ones."""
    lives = [*portfolio.closed, *portfolio.open.values()]
    size = [p.terms.instrument.size_precision for p in lives]
    columns = {
        **{name: [getattr(p, name) for p in lives] for name in ("position_id", "strategy_id", "instrument_id")},
        "entry_side": [str(p.entry_side) for p in lives],
        "peak_qty": _decimals((p.peak_raw, scale) for p, scale in zip(lives, size, strict=True)),
        "quantity": _decimals((abs(p.quantity_raw), scale) for p, scale in zip(lives, size, strict=True)),
        "avg_px_open": [_scaled(p.avg_px_entry) for p in lives],
        "avg_px_close": [_scaled(p.avg_px_close) if p.is_closed else None for p in lives],
        "realized_pnl": _decimals((p.realized_raw, p.currency.precision) for p in lives),
        "currency": [p.currency.code for p in lives],
        "commissions": _decimals((p.commission_raw, p.currency.precision) for p in lives),
        "ts_opened_ns": [p.ts_opened_ns for p in lives],
        "ts_closed_ns": [p.ts_closed_ns if p.is_closed else None for p in lives],
        "opening_order_id": [p.opening_order_id for p in lives],
        "closing_order_id": [p.closing_order_id or None for p in lives],
        "fills": [p.fills for p in lives],
    }
    return _table(POSITIONS, columns)


def equity_table(record: RunRecord, portfolio: Portfolio) -> pa.Table:
    """Balance and equity at the start, after each fill, at each end of a UTC day and at the end."""
    units = {venue: account.reporting for venue, account in portfolio.accounts.items()}
    samples = record.equity
    columns = {
        "ts_ns": [ts_ns for ts_ns, *_ in samples],
        "account_id": [portfolio.accounts[venue].account_id for _, venue, *_ in samples],
        "currency": [units[venue].code for _, venue, *_ in samples],
        "total": _decimals((total, units[venue].precision) for _, venue, total, _ in samples),
        "equity": _decimals((equity, units[venue].precision) for _, venue, _, equity in samples),
    }
    return _table(EQUITY, columns)


def accounts_table(record: RunRecord) -> pa.Table:
    """One row per booking, in the order of birth."""
    booked = [event for event in record.events if type(event) is AccountBooked]
    columns = {
        **{name: [getattr(b, name) for b in booked] for name in ("ts_ns", "account_id", "kind", "currency")},
        "amount": _decimals((b.amount_raw, b.precision) for b in booked),
        "total": _decimals((b.total_raw, b.precision) for b in booked),
    }
    return _table(ACCOUNTS, columns)


def _decimals(values: Iterable[tuple[int, int] | None]) -> list[Decimal | None]:
    return [None if value is None or _is_too_long(*value) else Decimal(decimal_text(*value)) for value in values]


def _is_too_long(raw: int, scale: int) -> bool:
    limit: int = 10 ** (PUBLIC_DIGITS - PUBLIC_SCALE + scale)
    return abs(raw) >= limit


def _averages(values: Iterable[tuple[int, int, int]]) -> list[Decimal | None]:
    """Value / quantity at the price's scale, None for nothing, to 18 decimals."""
    return [_scaled((Decimal(v) / q).scaleb(-scale)) if q else None for v, q, scale in values]


def _scaled(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, PUBLIC_SCALE)


def _table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
