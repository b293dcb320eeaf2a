"""Iceberg: one limit order shown piece by piece, for venues that do not know hidden quantity."""

from typing import Final

from pydantic import Field

from libra_actors.algorithms.parameters import ParameterError, Parameters
from libra_ray import (
    ExecAlgorithm,
    ExecAlgorithmConfig,
    Order,
    OrderFilled,
    OrderStatus,
    OrderType,
    OrderUpdated,
    Quantity,
)

__all__ = ["Iceberg", "IcebergConfig"]

PARAMETERS: Final = {"display_qty": "10"}


class IcebergConfig(ExecAlgorithmConfig):
    """Settings of `Iceberg`; what differs by order stands in its `exec_algorithm_params`."""

    actor_id: str | None = Field(default="ICEBERG", pattern=r"^[A-Za-z0-9_.-]{1,128}$")


class Iceberg(ExecAlgorithm):
    """Keeps one limit order of `display_qty` at the order's price; when it is filled the next one follows.

    The last piece, `display_qty` or less, is the order itself. A new price of the order moves the piece that is out. A
    piece that ends without being filled stays with the order, which waits then until its strategy cancels it.
    """

    config: IcebergConfig

    def on_start(self) -> None:
        self._shown_raw: dict[str, int] = {}
        self._out: dict[str, str] = {}  # the piece that is out, by primary

    def on_order(self, primary: Order) -> None:
        try:
            shown_raw = self._read(primary)
        except ParameterError as error:
            self.deny_primary(primary, str(error))
            return
        self._shown_raw[primary.client_order_id] = shown_raw
        self._next(primary)

    def on_order_filled(self, event: OrderFilled) -> None:
        primary, piece = self.primary_of(event.client_order_id), self.cache.order(event.client_order_id)
        if primary is None or piece is None or piece.status is not OrderStatus.FILLED:
            return
        if self._out.get(primary.client_order_id) == event.client_order_id:
            self._next(primary)

    def on_order_updated(self, event: OrderUpdated) -> None:
        primary = self.primary_of(event.client_order_id)
        if primary is None or primary.client_order_id != event.client_order_id or event.price_raw is None:
            return
        for piece in self.children(primary):
            if not piece.is_closed and primary.price is not None:
                self.move_child(piece, primary.price)

    def on_primary_ended(self, primary: Order) -> None:
        self._shown_raw.pop(primary.client_order_id, None)
        self._out.pop(primary.client_order_id, None)

    def _next(self, primary: Order) -> None:
        left, shown_raw = self.leaves_raw(primary), self._shown_raw[primary.client_order_id]
        if left <= shown_raw:
            if left > 0:
                self.submit_primary(primary)
        elif primary.price is not None:
            piece = self.spawn_limit(primary, Quantity(shown_raw, primary.size_precision), primary.price)
            self._out[primary.client_order_id] = piece.client_order_id
            self.submit_child(piece)

    def _read(self, primary: Order) -> int:
        given = Parameters(self.actor_id, primary.exec_algorithm_params, PARAMETERS)
        instrument = self.cache.instrument(primary.instrument_id)
        shown = given.positive("display_qty") * 10**primary.size_precision
        if shown.denominator != 1 or shown.numerator % instrument.step_raw:
            step = instrument.size_increment
            raise given.wrong(f"display_qty is not a multiple of the step {step} of {instrument.id}. Round it.")
        if primary.type is not OrderType.LIMIT or primary.price is None:
            raise given.wrong(f"a {primary.type} order cannot be shown in pieces. Send a limit order.")
        shown_raw: int = shown.numerator
        return shown_raw
