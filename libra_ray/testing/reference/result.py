"""Running a document, and what came of it in the document's own form."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from libra_ray.testing.reference.exact import EXACT, half_even, money_text, text
from libra_ray.testing.reference.loop import Loop
from libra_ray.testing.reference.orders import AVERAGE_DECIMALS_MORE
from libra_ray.testing.reference.positions import Position

__all__ = ["ReferenceResult", "reference_run"]


@dataclass(frozen=True)
class ReferenceResult:
    """What happened, in the form of a scenario's `expect`; every number is plain decimal text.

    Attributes:
        events: `[ts, label, EVENT, fields]`, `fields` always a dictionary.
        bookings: `[ts, kind, instrument, money]`.
        timeline: what the strategy saw, in order.
        final: balances, locked, positions, orders and trading_state. Averages stand at the tick's decimals and four
            more, half-even.
    """

    events: list[list[Any]]
    bookings: list[list[str]]
    timeline: list[list[Any]]
    final: dict[str, Any]


def reference_run(document: dict[str, Any]) -> ReferenceResult:
    """Run a scenario document. It is taken as valid: the schema is checked by `run_scenario`."""
    with localcontext(EXACT):
        loop = Loop(document)
        loop.run()
        return ReferenceResult(loop.state.events, loop.state.bookings, loop.state.timeline, _final(loop))


def _final(loop: Loop) -> dict[str, Any]:
    state, account = loop.state, loop.account
    return {
        "balances": {code: text(amount) for code, amount in account.totals.items()},
        "locked": {code: text(amount) for code, amount in account.locked().items()},
        "positions": [_position(loop, position) for position in state.positions.in_order()],
        "orders": {label: order.summary() for label, order in state.orders.items()},
        "trading_state": state.trading_state,
    }


def _position(loop: Loop, position: Position) -> dict[str, str]:
    instrument = position.instrument
    unrealized = loop.account.unrealized(position)
    return {
        "instrument": instrument.id,
        "order": position.opened_by,
        "side": position.side,
        "qty": text(abs(position.qty)),
        "avg_px_open": f"{half_even(position.avg_px_open, instrument.price_decimals + AVERAGE_DECIMALS_MORE):f}",
        "realized_pnl": money_text(position.realized, instrument.settlement),
        "unrealized_pnl": money_text(Decimal(0) if unrealized is None else unrealized, instrument.settlement),
    }
