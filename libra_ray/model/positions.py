"""A position: signed quantity and open value as integers, changed by fills and nothing else."""

from decimal import Decimal

import msgspec

from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import PositionSide
from libra_ray.model.numbers import Currency, Money, Quantity
from libra_ray.model.rules.fixed_point import decimal_quotient
from libra_ray.model.rules.pnl import INVERSE_DECIMALS, released

__all__ = ["Position"]


class Position(msgspec.Struct, eq=False, gc=False):
    """One life of a position, from the fill that opens it to the one that makes it flat.

    Attributes:
        quantity_raw: signed; long is positive.
        open_value: sum of quantity x price of what is open, at price plus size decimals (inverse: 12 decimals).
        realized_raw: profit less commissions in settlement currency.
        commissions: those in other currencies, by code; None where there are none.
        entry_raw, entry_value: quantity of all entries so far, and sum of quantity x price of them.
        exit_raw, exit_value: the same of what was taken off.
    """

    position_id: str
    strategy_id: str
    terms: ContractTerms
    opening_order_id: str
    ts_opened_ns: int
    closing_order_id: str = ""
    ts_closed_ns: int = 0
    entry_side: PositionSide = PositionSide.FLAT
    quantity_raw: int = 0
    open_value: int = 0
    realized_raw: int = 0
    commission_raw: int = 0
    commissions: dict[str, Money] | None = None
    peak_raw: int = 0
    entry_raw: int = 0
    entry_value: int = 0
    exit_raw: int = 0
    exit_value: int = 0
    fills: int = 0

    def __repr__(self) -> str:
        return f"Position({self.position_id} {self.side} {self.quantity})"

    @property
    def instrument_id(self) -> str:
        """Of what."""
        return self.terms.instrument_id

    @property
    def is_hedged(self) -> bool:
        """Whether it is one of several that a strategy may hold of the instrument: orders must name it."""
        return self.position_id != f"{self.terms.instrument_id}-{self.strategy_id}"

    @property
    def side(self) -> PositionSide:
        """Long, short or flat."""
        if self.quantity_raw == 0:
            return PositionSide.FLAT
        return PositionSide.LONG if self.quantity_raw > 0 else PositionSide.SHORT

    @property
    def quantity(self) -> Quantity:
        """How much, without sign."""
        return Quantity(abs(self.quantity_raw), self.terms.instrument.size_precision)

    @property
    def currency(self) -> Currency:
        """What profit is counted in."""
        return self.terms.instrument.settlement

    @property
    def realized_pnl(self) -> Money:
        """Profit so far, less commissions in that currency."""
        return Money(self.realized_raw, self.currency)

    @property
    def is_closed(self) -> bool:
        """Whether it is flat."""
        return self.quantity_raw == 0

    @property
    def avg_px_open(self) -> Decimal | None:
        """Average price of what is open; None when flat."""
        return self._average(self.open_value, abs(self.quantity_raw))

    @property
    def avg_px_entry(self) -> Decimal | None:
        """Average price of all entries, also after they were taken off."""
        return self._average(self.entry_value, self.entry_raw)

    @property
    def avg_px_close(self) -> Decimal | None:
        """Average price of what was taken off; None before the first reduction."""
        return self._average(self.exit_value, self.exit_raw)

    def _average(self, value: int, quantity_raw: int) -> Decimal | None:
        if quantity_raw == 0 or value == 0:
            return None
        instrument = self.terms.instrument
        if self.terms.inverse:
            multiplier = instrument.multiplier
            decimals = instrument.size_precision - INVERSE_DECIMALS
            return decimal_quotient(quantity_raw * multiplier.num, multiplier.den * value, decimals)
        return decimal_quotient(value, quantity_raw, instrument.price_precision)

    def unrealized_raw(self, px_raw: int) -> int:
        """Profit if closed at `px_raw`, settlement raw."""
        return self.terms.unrealized(self.quantity_raw, self.open_value, px_raw) if self.quantity_raw else 0

    def add(self, signed_raw: int, px_raw: int) -> None:
        """Open or grow by `signed_raw` at `px_raw`; its sign is the position's own."""
        if self.quantity_raw == 0:
            self.entry_side = PositionSide.LONG if signed_raw > 0 else PositionSide.SHORT
        self.quantity_raw += signed_raw
        added = abs(signed_raw)
        value = self.terms.value(px_raw, added)
        self.open_value += value
        self.entry_value += value
        self.entry_raw += added
        self.peak_raw = max(self.peak_raw, abs(self.quantity_raw))
        self.fills += 1

    def reduce(self, qty_raw: int, px_raw: int) -> int:
        """Take `qty_raw` off (at most what is there) at `px_raw`; returns the profit, settlement raw."""
        size = abs(self.quantity_raw)
        sign = 1 if self.quantity_raw > 0 else -1
        freed = released(self.open_value, qty_raw, size)
        pnl = self.terms.pnl(sign, px_raw, qty_raw, freed)
        self.open_value -= freed
        self.quantity_raw -= sign * qty_raw
        self.realized_raw += pnl
        self.exit_raw += qty_raw
        self.exit_value += self.terms.value(px_raw, qty_raw)
        self.fills += 1
        return pnl

    def charge(self, commission_raw: int, currency: Currency) -> None:
        """Count a commission; in settlement currency it lowers the realized profit."""
        if currency.code == self.terms.instrument.settlement.code:
            self.realized_raw -= commission_raw
            self.commission_raw += commission_raw
        else:
            others = self.commissions = self.commissions or {}
            before = others.get(currency.code)
            others[currency.code] = Money(commission_raw + (before.raw if before else 0), currency)
