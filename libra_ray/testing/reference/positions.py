"""Positions (orders 12)."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Final

from libra_ray.testing.reference.document import Instrument
from libra_ray.testing.reference.exact import half_even
from libra_ray.testing.reference.orders import Order, sign

__all__ = ["Position", "Positions"]

ZERO: Final = Decimal(0)
INVERSE_DECIMALS: Final = 12


class Position:
    """Signed quantity, and the value of what is open."""

    def __init__(self, position_id: str, instrument: Instrument, opened_by: str, opened_no: int) -> None:
        self.id, self.instrument, self.opened_by, self.opened_no = position_id, instrument, opened_by, opened_no
        self.qty = ZERO
        self.open_value = ZERO
        self.realized = ZERO

    @property
    def side(self) -> str:
        """LONG or SHORT."""
        return "LONG" if self.qty > 0 else "SHORT"

    def _value(self, qty: Decimal, px: Decimal) -> Decimal:
        """Linear q * px; inverse q * m / px at 12 decimals."""
        if self.instrument.inverse:
            return half_even(Fraction(qty * self.instrument.multiplier) / Fraction(px), INVERSE_DECIMALS)
        return qty * px

    def add(self, qty: Decimal, px: Decimal, side: str) -> None:
        """open_value += q * px."""
        self.qty += qty * sign(side)
        self.open_value += self._value(qty, px)

    def _released(self, qty: Decimal) -> Decimal:
        """half-even(open_value * q / |quantity|)."""
        decimals = self.instrument.price_decimals + self.instrument.size_decimals
        share = Fraction(self.open_value) * Fraction(qty) / Fraction(abs(self.qty))
        return half_even(share, INVERSE_DECIMALS if self.instrument.inverse else decimals)

    def _pnl(self, qty: Decimal, px: Decimal, released: Decimal, decimals: int) -> Decimal:
        s = 1 if self.qty > 0 else -1
        if self.instrument.inverse:
            return half_even(s * (released - self._value(qty, px)), decimals)
        return half_even(s * (qty * px - released) * self.instrument.multiplier, decimals)

    def reduce(self, qty: Decimal, px: Decimal, decimals: int) -> Decimal:
        """Close `qty` at `px`; the PnL in settlement currency, rounded once."""
        released = self._released(qty)
        pnl = self._pnl(qty, px, released, decimals)
        self.open_value -= released
        self.qty -= qty if self.qty > 0 else -qty
        self.realized += pnl
        return pnl

    def unrealized(self, px: Decimal, decimals: int) -> Decimal:
        """The same formula for all of it at `px`."""
        return self._pnl(abs(self.qty), px, self.open_value, decimals)

    @property
    def avg_px_open(self) -> Fraction:
        """open_value / |quantity|, or the other way round for inverse."""
        if self.instrument.inverse:
            return Fraction(abs(self.qty) * self.instrument.multiplier) / Fraction(self.open_value)
        return Fraction(self.open_value) / Fraction(abs(self.qty))


class Positions:
    """All positions that are open, by id."""

    def __init__(self, *, is_hedging: bool) -> None:
        self.is_hedging = is_hedging
        self.open: dict[str, Position] = {}
        self.ids_by_order: dict[str, str] = {}
        self.opened_count = 0
        self.hedging_count = 0

    def in_order(self) -> list[Position]:
        """In order of opening."""
        return sorted(self.open.values(), key=lambda position: position.opened_no)

    def quantities(self) -> dict[str, Decimal]:
        """Signed quantity by id, as an event carries it."""
        return {key: position.qty for key, position in self.open.items()}

    def of(self, instrument: Instrument) -> Iterator[Position]:
        """Those of one instrument."""
        return (position for position in self.open.values() if position.instrument is instrument)

    def net(self, instrument: Instrument) -> Decimal:
        """The net signed quantity of an instrument (one position with NETTING)."""
        return sum((position.qty for position in self.of(instrument)), ZERO)

    def worked_on(self, order: Order) -> Position | None:
        """The position that an order works on, if it is open."""
        return self.open.get(order.position_id if self.is_hedging else order.instrument.id)

    def take_id(self, order: Order) -> str:
        """The id of the position that a fill goes to. HEDGING without one: a new position P-n."""
        if not self.is_hedging:
            return order.instrument.id
        if not order.position_id:
            self.hedging_count += 1
            order.position_id = f"P-{self.hedging_count}"
        return order.position_id

    def open_new(self, position_id: str, order: Order) -> Position:
        """Open it; a closed one of that id stays as a snapshot."""
        self.opened_count += 1
        position = Position(position_id, order.instrument, order.label, self.opened_count)
        self.open[position_id] = position
        self.ids_by_order[order.label] = position_id
        return position

    def close_if_flat(self, position: Position) -> None:
        """Take it out when nothing is left."""
        if position.qty == 0:
            del self.open[position.id]
