"""A position: signed quantity and open value as integers, changed by fills and nothing else."""

from decimal import Decimal
from fractions import Fraction
from typing import Final, Self

import msgspec

from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import PositionSide
from libra_ray.model.numbers import Currency, Money, Quantity
from libra_ray.model.rules.fixed_point import decimal_quotient
from libra_ray.model.rules.pnl import INVERSE_DECIMALS, released

__all__ = ["Position"]

_LONG: Final = PositionSide.LONG
_SHORT: Final = PositionSide.SHORT


class Position(msgspec.Struct, eq=False, gc=False):
    """One life of a position, from the fill that opens it to the one that makes it flat.

    Attributes:
        quantity_raw: signed; long is positive.
        open_value: sum of quantity x price of what is open, at price plus size decimals (inverse: 12 decimals).
        realized_raw: profit less commissions in settlement currency.
        commissions: those in other currencies, by code; None where there are none.
        entry_raw, entry_value: quantity of all entries so far, and sum of quantity x price of them.
        exit_raw, exit_value: the same of what was taken off.
        is_hedged: whether it is one of several that a strategy may hold of the instrument: orders must name it.
    """

    position_id: str
    strategy_id: str
    terms: ContractTerms
    opening_order_id: str
    ts_opened_ns: int
    is_hedged: bool
    entry_side: PositionSide
    quantity_raw: int
    open_value: int
    realized_raw: int
    commission_raw: int
    peak_raw: int
    entry_raw: int
    entry_value: int
    fills: int = 1
    exit_raw: int = 0
    exit_value: int = 0
    commissions: dict[str, Money] | None = None
    closing_order_id: str = ""
    ts_closed_ns: int = 0

    @classmethod
    def opened(
        cls,
        position_id: str,
        strategy_id: str,
        terms: ContractTerms,
        order_id: str,
        ts_ns: int,
        signed_raw: int,
        px_raw: int,
        commission_raw: int = 0,
        foreign: Currency | None = None,
        *,
        is_hedged: bool = False,
    ) -> Self:
        """A position that a fill of `signed_raw` at `px_raw` opens.

        The commission, here and below, is in settlement currency, or in a `foreign` one.
        """
        size, side = (signed_raw, _LONG) if signed_raw > 0 else (-signed_raw, _SHORT)
        value = terms.value(px_raw, size)
        paid = commission_raw if foreign is None else 0
        made = cls(
            position_id, strategy_id, terms, order_id, ts_ns, is_hedged,
            side, signed_raw, value, -paid, paid, size, size, value,
        )  # fmt: skip
        if foreign is not None:
            made._charge(commission_raw, foreign)
        return made

    def __repr__(self) -> str:
        return f"Position({self.position_id} {self.side} {self.quantity})"

    @property
    def instrument_id(self) -> str:
        """Of what."""
        return self.terms.instrument_id

    @property
    def side(self) -> PositionSide:
        """Long, short or flat."""
        if self.quantity_raw == 0:
            return PositionSide.FLAT
        return _LONG if self.quantity_raw > 0 else _SHORT

    @property
    def quantity(self) -> Quantity:
        """How much, without sign."""
        return Quantity(abs(self.quantity_raw), self.terms.instrument.size_precision)

    @property
    def currency(self) -> Currency:
        """What profit is counted in."""
        return self.terms.settlement

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

    def add(self, signed_raw: int, px_raw: int, commission_raw: int = 0, foreign: Currency | None = None) -> None:
        """Grow by `signed_raw` at `px_raw`; its sign is the position's own."""
        added = abs(signed_raw)
        value = self.terms.value(px_raw, added)
        self.quantity_raw += signed_raw
        self.open_value += value
        self.entry_value += value
        self.entry_raw += added
        self.peak_raw = max(self.peak_raw, abs(self.quantity_raw))
        self.fills += 1
        if foreign is None:
            self.realized_raw -= commission_raw
            self.commission_raw += commission_raw
        else:
            self._charge(commission_raw, foreign)

    def reduce(self, qty_raw: int, px_raw: int, commission_raw: int = 0, foreign: Currency | None = None) -> int:
        """Take `qty_raw` off (at most what is there) at `px_raw`; returns the profit before commission, raw."""
        held, terms, open_value = self.quantity_raw, self.terms, self.open_value
        sign = 1 if held > 0 else -1
        value, freed = terms.value(px_raw, qty_raw), released(open_value, qty_raw, sign * held)
        pnl = terms.gain(sign, value, freed)
        self.open_value = open_value - freed
        self.quantity_raw = held - sign * qty_raw
        self.exit_raw += qty_raw
        self.exit_value += value
        self.fills += 1
        if foreign is None:
            self.realized_raw += pnl - commission_raw
            self.commission_raw += commission_raw
        else:
            self.realized_raw += pnl
            self._charge(commission_raw, foreign)
        return pnl

    def end(self, px: Fraction) -> int:
        """Take all off at a contract's settlement price, raw and exact, without commission; returns the profit."""
        sign, size = (1, self.quantity_raw) if self.quantity_raw > 0 else (-1, -self.quantity_raw)
        value, pnl = self.terms.at_the_end(sign, size, self.open_value, px)
        self.open_value = self.quantity_raw = 0
        self.exit_raw += size
        self.exit_value += value
        self.fills += 1
        self.realized_raw += pnl
        return pnl

    def _charge(self, commission_raw: int, foreign: Currency) -> None:
        """Count a commission that does not lower the realized profit, because it is in another currency."""
        others = self.commissions = self.commissions or {}
        before = others.get(foreign.code)
        others[foreign.code] = Money(commission_raw + (before.raw if before else 0), foreign)
