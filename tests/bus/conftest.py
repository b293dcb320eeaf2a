"""A host on virtual time, with the real bus."""

import pytest

from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.runtime import LocalHost


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def host(clock: VirtualClock) -> LocalHost:
    return LocalHost(clock, Bus(clock), seed=7)
