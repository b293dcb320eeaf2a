"""What a scenario file expects: events, bookings, timeline and the final state."""

from typing import Annotated, Any, Literal

from pydantic import Field

from libra_ray.config import Settings

__all__ = ["Event", "ExpectForm", "FieldsForm", "FinalForm", "FinalOrderForm", "Label", "Num", "PositionForm", "Ts"]

Num = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
Ts = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]{1,9})?$")]
MoneyText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)? [A-Z0-9]+$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")]
Event = Literal[
    "DENIED", "EMULATED", "RELEASED", "REJECTED", "ACCEPTED", "UPDATED", "TRIGGERED", "CANCELED", "EXPIRED", "FILLED",
    "MODIFY_REJECTED", "CANCEL_REJECTED",
]  # fmt: skip


class FieldsForm(Settings):
    """Fields of an expected event."""

    qty: Num | None = None
    px: Num | None = None
    liq: Literal["MAKER", "TAKER"] | None = None
    fee: MoneyText | None = None
    price: Num | None = None
    trigger: Num | None = None
    code: str | None = None


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

    events: list[tuple[Ts, Label, Event] | tuple[Ts, Label, Event, FieldsForm]]
    final: FinalForm
    bookings: list[tuple[Ts, Literal["FUNDING", "LIQUIDATION_FEE", "SETTLEMENT"], str, MoneyText]] | None = None
    timeline: list[list[Any]] | None = None
