"""What a scenario file expects: events, bookings, timeline and the final state."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from libra_ray.config import Settings
from libra_ray.testing.scenario_values import Event, Label, MoneyText, Num, Ts, Whole, first_value, length

__all__ = ["ExpectForm", "FieldsForm", "FinalForm", "FinalOrderForm", "PositionForm"]


class FieldsForm(Settings):
    """Fields of an expected event."""

    qty: Num | None = None
    px: Num | None = None
    liq: Literal["MAKER", "TAKER"] | None = None
    fee: MoneyText | None = None
    price: Num | None = None
    trigger: Num | None = None
    code: Annotated[str, Field(pattern=r"^[A-Z_]+$")] | None = None


EventRow = Annotated[
    Annotated[tuple[Ts, Label, Event], Tag("3")] | Annotated[tuple[Ts, Label, Event, FieldsForm], Tag("4")],
    Discriminator(length(3, 4)),
]
TimelineRow = Annotated[
    Annotated[tuple[Literal["row"], Whole], Tag("row")]
    | Annotated[tuple[Literal["bar"], str, Ts, Num, Num, Num, Num, Num], Tag("bar")]
    | Annotated[tuple[Literal["timer"], str, Ts], Tag("timer")],
    Discriminator(first_value),
]


class PositionForm(Settings):
    """An expected open position; keys that are absent are not compared."""

    instrument: str
    side: Literal["LONG", "SHORT"]
    qty: Num
    order: Label | None = None
    avg_px_open: Num | None = None
    realized_pnl: MoneyText | None = None
    unrealized_pnl: MoneyText | None = None


class FinalOrderForm(Settings):
    """An order's expected end."""

    status: str | None = None
    filled_qty: Num | None = None
    qty: Num | None = None
    avg_px: Num | None = None


class FinalForm(Settings):
    """The expected state after the last row."""

    balances: dict[str, Num] | None = None
    locked: dict[str, Num] | None = None
    positions: list[PositionForm] | None = None
    orders: dict[str, FinalOrderForm] | None = None
    trading_state: Literal["ACTIVE", "REDUCING", "HALTED"] | None = None


class ExpectForm(Settings):
    """All that must come of the scenario."""

    events: list[EventRow]
    final: FinalForm
    bookings: list[tuple[Ts, Literal["FUNDING", "LIQUIDATION_FEE", "SETTLEMENT"], str, MoneyText]] | None = None
    timeline: list[TimelineRow] | None = None
