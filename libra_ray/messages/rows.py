"""Row views: what a handler sees of a batch. Raw integers with their scales in `spec`; floats and objects on demand."""

from typing import Final

import msgspec

from libra_ray.model.identifiers import InstrumentId
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Price, Quantity

__all__ = [
    "RATE_PRECISION",
    "Bar",
    "BookDelta",
    "BookSnapshotRow",
    "Dividend",
    "FundingRate",
    "InstrumentStatusChange",
    "MarkPrice",
    "Quote",
    "Row",
    "RowSpec",
    "Split",
    "Trade",
]

RATE_PRECISION: Final = 12
"""Decimals of funding rates."""


class RowSpec(msgspec.Struct, frozen=True):
    """What all rows of one stream share: the instrument and the scales of the raw integers."""

    instrument_id: InstrumentId
    price_precision: int
    size_precision: int
    price_unit: float
    size_unit: float
    period: str = ""

    @classmethod
    def of(cls, instrument: Instrument, period: str = "") -> "RowSpec":
        """The spec of an instrument's rows."""
        price, size = instrument.price_precision, instrument.size_precision
        return cls(instrument.id, price, size, 10.0**price, 10.0**size, period)


class Row(msgspec.Struct, frozen=True, gc=False):
    """What every row begins with. `ts_ns` orders the replay; `ts_event_ns` is the venue's own time."""

    spec: RowSpec
    ts_ns: int
    ts_event_ns: int

    @property
    def instrument_id(self) -> InstrumentId:
        """Whose row this is."""
        return self.spec.instrument_id


class Bar(Row, frozen=True, gc=False):
    """Open, high, low, close and volume of one period; `ts_event_ns` is its close."""

    open_raw: int
    high_raw: int
    low_raw: int
    close_raw: int
    volume_raw: int

    @property
    def open(self) -> Price:
        """First price."""
        return Price(self.open_raw, self.spec.price_precision)

    @property
    def high(self) -> Price:
        """Highest price."""
        return Price(self.high_raw, self.spec.price_precision)

    @property
    def low(self) -> Price:
        """Lowest price."""
        return Price(self.low_raw, self.spec.price_precision)

    @property
    def close(self) -> Price:
        """Last price."""
        return Price(self.close_raw, self.spec.price_precision)

    @property
    def volume(self) -> Quantity:
        """Traded quantity."""
        return Quantity(self.volume_raw, self.spec.size_precision)

    @property
    def open_f(self) -> float:
        """First price as a float."""
        return self.open_raw / self.spec.price_unit

    @property
    def high_f(self) -> float:
        """Highest price as a float."""
        return self.high_raw / self.spec.price_unit

    @property
    def low_f(self) -> float:
        """Lowest price as a float."""
        return self.low_raw / self.spec.price_unit

    @property
    def close_f(self) -> float:
        """Last price as a float."""
        return self.close_raw / self.spec.price_unit

    @property
    def volume_f(self) -> float:
        """Traded quantity as a float."""
        return self.volume_raw / self.spec.size_unit

    @property
    def period(self) -> str:
        """The bar's length, such as `1h`."""
        return self.spec.period


class Quote(Row, frozen=True, gc=False):
    """The best bid and ask with the sizes shown there."""

    bid_px_raw: int
    ask_px_raw: int
    bid_qty_raw: int
    ask_qty_raw: int

    @property
    def bid_px(self) -> Price:
        """Best bid."""
        return Price(self.bid_px_raw, self.spec.price_precision)

    @property
    def ask_px(self) -> Price:
        """Best ask."""
        return Price(self.ask_px_raw, self.spec.price_precision)

    @property
    def bid_qty(self) -> Quantity:
        """Size shown at the best bid."""
        return Quantity(self.bid_qty_raw, self.spec.size_precision)

    @property
    def ask_qty(self) -> Quantity:
        """Size shown at the best ask."""
        return Quantity(self.ask_qty_raw, self.spec.size_precision)

    @property
    def bid_px_f(self) -> float:
        """Best bid as a float."""
        return self.bid_px_raw / self.spec.price_unit

    @property
    def ask_px_f(self) -> float:
        """Best ask as a float."""
        return self.ask_px_raw / self.spec.price_unit


class Trade(Row, frozen=True, gc=False):
    """One trade of the market. `aggressor`: 0 unknown, 1 the buyer, 2 the seller crossed the spread."""

    price_raw: int
    qty_raw: int
    aggressor: int

    @property
    def price(self) -> Price:
        """Traded price."""
        return Price(self.price_raw, self.spec.price_precision)

    @property
    def qty(self) -> Quantity:
        """Traded quantity."""
        return Quantity(self.qty_raw, self.spec.size_precision)

    @property
    def price_f(self) -> float:
        """Traded price as a float."""
        return self.price_raw / self.spec.price_unit

    @property
    def qty_f(self) -> float:
        """Traded quantity as a float."""
        return self.qty_raw / self.spec.size_unit


class BookDelta(Row, frozen=True, gc=False):
    """One change of the book. `action`: 1 add, 2 update, 3 delete, 4 clear; `side`: 1 bid, 2 ask."""

    action: int
    side: int
    price_raw: int
    qty_raw: int
    order_id: int
    flags: int

    @property
    def price(self) -> Price:
        """The level."""
        return Price(self.price_raw, self.spec.price_precision)

    @property
    def qty(self) -> Quantity:
        """New total size of the level, or size of the order in an L3 book."""
        return Quantity(self.qty_raw, self.spec.size_precision)


class BookSnapshotRow(Row, frozen=True, gc=False):
    """One level of a full book. `side`: 1 bid, 2 ask; `level` counts from 0 at the best."""

    side: int
    level: int
    price_raw: int
    qty_raw: int
    flags: int

    @property
    def price(self) -> Price:
        """The level."""
        return Price(self.price_raw, self.spec.price_precision)

    @property
    def qty(self) -> Quantity:
        """Size at the level."""
        return Quantity(self.qty_raw, self.spec.size_precision)


class FundingRate(Row, frozen=True, gc=False):
    """A funding payment of a perpetual: the rate applies to positions held at this time; long pays a positive one."""

    rate_raw: int

    @property
    def rate_f(self) -> float:
        """The rate as a float."""
        return self.rate_raw / 10.0**RATE_PRECISION


class MarkPrice(Row, frozen=True, gc=False):
    """The venue's mark price."""

    price_raw: int

    @property
    def price(self) -> Price:
        """The mark."""
        return Price(self.price_raw, self.spec.price_precision)


class Split(Row, frozen=True, gc=False):
    """From this time on, `new_shares` stand for each `old_shares` of before: 4 for 1 splits, 1 for 10 joins."""

    new_shares: int
    old_shares: int


class Dividend(Row, frozen=True, gc=False):
    """Cash per share, in the instrument's quote currency, for who held it before this time: the ex-date's open."""

    amount_raw: int

    @property
    def amount_f(self) -> float:
        """The amount as a float."""
        return self.amount_raw / 10.0**RATE_PRECISION


class InstrumentStatusChange(Row, frozen=True, gc=False):
    """What the venue does with this instrument from now on. `status`: a number of `InstrumentStatus`."""

    status: int
