"""A probe among the hosts of a deployment: it stands on the supervisor's own host, in the driver's process."""

from collections.abc import Callable
from typing import Final, TypeVar

from libra_ray.runtime import LocalHost
from libra_ray.sessions.deployment import Deployment
from libra_ray.sessions.procedures import Steps
from libra_ray.sessions.supervisor import SupervisorCarrier
from libra_ray.testing.grounds import LiveGround

__all__ = ["DeploymentGround"]

T = TypeVar("T")

ANSWER_SECONDS_MAX: Final = 10.0


class DeploymentGround(LiveGround):
    """The ground of a deployment that runs."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("Driver-")
        self._deployment = deployment

    def do(self, call: Callable[[LocalHost], T]) -> T:
        def steps(carrier: SupervisorCarrier) -> Steps[T]:
            done: list[T] = []
            turn = carrier._done_as_turn(lambda: done.append(call(carrier.host)))  # noqa: SLF001 - the kit's own door
            yield from turn
            return done[0]

        return self._deployment._ask(steps, ANSWER_SECONDS_MAX)  # noqa: SLF001 - as above

    def faults(self) -> list[str]:
        return list(self._deployment.failures)
