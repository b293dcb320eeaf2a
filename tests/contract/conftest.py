"""One suite, four worlds: what holds in one host holds between hosts."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_ray.bus.wire.keys import Keys
from libra_ray.hosts.context import BUS
from tests.contract.worlds import FusedWorld, WiredWorld, World

NAMES = {
    "one_host": {"a": "h", "b": "h", "c": "h"},
    "apart": {"a": "host-a", "b": "host-b", "c": "host-c"},
    "tcp": {"a": "host-a", "b": "host-b", "c": "host-c"},
}
WIRED = ["one_host", "apart", "tcp"]


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A private folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="lr-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=["fused", *WIRED])
def world(request: pytest.FixtureRequest, sockets: Path) -> Iterator[World]:
    """Hosts `a`, `b` and `c`: one and the same, or each for itself, on one node or with encrypted links."""
    names = NAMES.get(request.param)
    keys = Keys.for_hosts([BUS, *NAMES["tcp"].values()]) if request.param == "tcp" else None
    made: World = FusedWorld() if names is None else WiredWorld(sockets, names, keys=keys)
    yield made
    made.close()
