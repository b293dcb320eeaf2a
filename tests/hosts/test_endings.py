"""A host that is told to stop: the last hooks of its actors."""

import shutil
import tempfile
from pathlib import Path

from libra_ray.runtime import Actor
from tests.contract.worlds import WiredWorld


class Closing(Actor):
    """Has something to close."""

    def __init__(self, actor_id: str, told: list[str], *, fails: bool = False) -> None:
        super().__init__(actor_id=actor_id)
        self.told, self.fails = told, fails

    def on_start(self) -> None:
        if self.fails:
            raise ValueError("planted")

    def on_stop(self) -> None:
        self.told.append(f"{self.actor_id} stop")

    def on_dispose(self) -> None:
        self.told.append(f"{self.actor_id} dispose")


def test_a_host_that_stops_disposes_of_its_actors_also_of_those_that_failed() -> None:
    folder = Path(tempfile.mkdtemp(prefix="lr-"))
    told: list[str] = []
    world = WiredWorld(folder, {"a": "host-a", "b": "host-b", "c": "host-c"})
    try:
        world.add("a", Closing("First", told), Closing("Failed", told, fails=True), Closing("Last", told))
    finally:
        world.close()
        shutil.rmtree(folder)

    assert told == ["Last stop", "First stop", "Last dispose", "Failed dispose", "First dispose"]
