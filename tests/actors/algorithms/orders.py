"""A cell with one algorithm and one order for it."""

from typing import Any

import libra_ray as lr
from libra_ray.messages.events import OrderEvent
from libra_ray.testing import Cell

ACME = "ACME.SIM"
SECOND = 10**9


def new_cell(algorithm: lr.ExecAlgorithm, **instrument: Any) -> Cell:  # noqa: ANN401 - see `lr.equity`
    """A share at 9.98 to 10.02, a second after the start, and the algorithm."""
    cell = Cell(lr.equity(ACME, quote="USD", **instrument), balances=["10_000_000 USD"])
    cell.quote(ACME, "9.98", "10.02", ts_ns=SECOND)
    cell.add(algorithm)
    return cell


def send(cell: Cell, algorithm: str, quantity: object, params: dict[str, Any] | None = None, **terms: Any) -> lr.Order:  # noqa: ANN401
    """An order of the test for that algorithm; a buy unless `terms` say otherwise."""
    side = terms.pop("side", "BUY")
    order = cell.orders.order(
        ACME, side, quantity, exec_algorithm_id=algorithm, exec_algorithm_params=params, **terms  # type: ignore[arg-type]
    )  # fmt: skip
    return cell.submit(order)


def fills(cell: Cell) -> list[tuple[float, str, int]]:
    """(seconds, order, quantity) of each fill; the primary is `P`, its children `E1`, `E2`, ..."""
    return [
        (
            event.ts_ns / SECOND,
            event.client_order_id.removeprefix("Hand-1").removeprefix("-") or "P",
            event.last_qty_raw,
        )
        for event in cell.events(lr.OrderFilled)
    ]


def kinds(cell: Cell) -> list[str]:
    """What happened to orders, in order of birth."""
    names = [type(event).__name__.removeprefix("Order") for event in cell.events(OrderEvent)]
    return [name for name in names if name != "Initialized"]
