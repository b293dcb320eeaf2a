"""One local Ray for the tests that need no more than workers; tests of starting and ending start their own programs."""

from collections.abc import Iterator

import pytest

from libra_ray.runtime.ray import RaySession


@pytest.fixture(scope="package")
def two_workers() -> Iterator[RaySession]:
    """A session of two workers. Sessions that are opened meanwhile join it."""
    with RaySession(workers=2) as session:
        yield session
