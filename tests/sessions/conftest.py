"""One local Ray for all deployments of these tests."""

from collections.abc import Iterator

import pytest

from libra_ray.runtime.ray import RaySession


@pytest.fixture(scope="package")
def local_ray() -> Iterator[RaySession]:
    """Deployments that are started meanwhile join it."""
    with RaySession(workers=2, checks_nodes_often=True) as session:
        yield session
