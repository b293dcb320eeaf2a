"""A probe in the driver's process, among the hosts of a deployment that Ray has started."""

import pytest

from libra_ray.bus import Request
from libra_ray.runtime import Actor, Signal
from libra_ray.sessions.deployment import deploy
from libra_ray.simulation import System
from libra_ray.testing import Probe

pytestmark = [pytest.mark.ray, pytest.mark.slow]


class Doubler(Actor):
    """Doubles what it hears, and what it is asked."""

    def on_start(self) -> None:
        self.subscribe_signal("in")
        self.bus.register("Doubler.query", self.answer)

    def on_signal(self, signal: Signal) -> None:
        self.publish_signal("out", signal.value * 2)

    def answer(self, request: Request) -> None:
        self.reply(request, request.body * 2)


def test_a_probe_talks_with_actors_of_other_processes() -> None:
    system = System("probed")
    system.add(Doubler(actor_id="Doubler"))
    with deploy(system) as deployment:
        with Probe(deployment, "signals.out") as probe:
            for value in range(3):
                probe.publish("signals.in", Signal("in", value, 0, probe.actor_id))
            assert [probe.expect(Signal, source="Doubler").value for _ in range(3)] == [0, 2, 4]
            assert probe.ask("Doubler.query", 21) == 42
            probe.expect_none()
        assert deployment.stop() == []
