"""What the siblings of the kernel may ask of each other: protocols over values, so that none imports another."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from libra_ray.model.contract_terms import ContractTerms
from libra_ray.model.enums import OrderSide
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position

__all__ = ["CacheView", "FundsView", "PortfolioView", "PricesView"]


class PricesView(Protocol):
    """Best prices of one instrument, raw; None before there is one."""

    def bid_ask(self) -> tuple[int, int] | None:
        """Best bid and ask."""
        ...

    def opposite_px(self, *, is_buy: bool) -> int | None:
        """The best price that an order of that direction trades against."""
        ...

    def last(self) -> int | None:
        """The last traded price."""
        ...

    def mark_twice(self) -> int | None:
        """Twice the mark price."""
        ...


class _RowsView(Protocol):
    def of(self, instrument_id: str) -> PricesView:
        """The prices of an instrument."""
        ...


class CacheView(Protocol):
    """Instruments and orders."""

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """All that are loaded, by id."""
        ...

    @property
    def orders(self) -> Mapping[str, Order]:
        """All orders, by client order id."""
        ...

    @property
    def working(self) -> Mapping[str, Order]:
        """Orders submitted and not closed."""
        ...

    @property
    def rows(self) -> _RowsView:
        """The market."""
        ...

    def orders_open(
        self, instrument_id: str | None = None, strategy_id: str | None = None, side: OrderSide | None = None
    ) -> list[Order]:
        """Orders submitted and not closed, filtered."""
        ...


class PortfolioView(Protocol):
    """Positions and money."""

    @property
    def terms(self) -> Mapping[str, ContractTerms]:
        """Contract factors by instrument id."""
        ...

    def net_raw(self, instrument_id: str) -> int:
        """Net signed quantity of an instrument."""
        ...

    def positions_open(self, instrument_id: str | None = None, venue: str | None = None) -> Iterator[Position]:
        """Open positions."""
        ...


class FundsView(Protocol):
    """One account's room for orders."""

    def refusal(self, orders: list[Order]) -> str | None:
        """The denial code where it cannot carry them."""
        ...

    def order_px(self, order: Order) -> int | None:
        """At what price an order counts."""
        ...

    def waits(self, order: Order) -> bool:
        """Whether it is a child that its venue holds until its parent fills, so that it counts for nothing yet."""
        ...
