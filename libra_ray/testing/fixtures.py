"""Pytest fixtures of the kit: `pytest_plugins = ["libra_ray.testing.fixtures"]` in a conftest makes them known."""

from collections.abc import Callable

import pytest

from libra_ray.model.instruments import equity, pair
from libra_ray.testing.cell import Cell

__all__ = ["cell", "make_cell"]


@pytest.fixture
def cell() -> Cell:
    """A cell with a share, `ACME.SIM`, and a currency pair, `EURUSD.SIM`, a million dollars and no fees."""
    share = equity("ACME.SIM", quote="USD")
    return Cell(share, pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1000"))


@pytest.fixture
def make_cell() -> Callable[..., Cell]:
    """Makes a cell of the test's own instruments, venue settings and risk limits: see `Cell`."""
    return Cell
