"""What the tests of statistics and reports share."""

import pytest

from tests.analysis.result_tables import Book


@pytest.fixture
def book() -> Book:
    """Give an empty set of result tables to fill."""
    return Book()
