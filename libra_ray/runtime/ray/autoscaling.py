"""How many cores a sweep asks an autoscaler for: as many as trials are left, up to a limit that somebody pays for.

Ray grows by itself for workers that wait, but it cannot know when they have nothing more to do. `CoreDemand` says it
beforehand, all at once, and less and less towards the end, so that nodes that were emptied are given back.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from threading import Event
from types import TracebackType
from typing import Final, Self

import ray
from loguru import logger
from ray.autoscaler.sdk import request_resources
from ray.exceptions import RayError

from libra_ray.clock import LiveClock
from libra_ray.errors import ConfigError, ConnectionConfigError, quoted

__all__ = ["CORES_MAX_VARIABLE", "CoreDemand", "cores_max"]

CORES_MAX_VARIABLE: Final = "LIBRA_CORES_MAX"
ASK_NS_MIN: Final = 5_000_000_000
FIRST_CORE_SECONDS_MAX: Final = 600.0
POLL_SECONDS: Final = 0.5


def cores_max(environment: Mapping[str, str] = os.environ) -> int | None:
    """The cores that the cluster may grow to, as the environment says; None where it does not grow.

    Raises `ConfigError` CONF002.
    """
    text = environment.get(CORES_MAX_VARIABLE, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        fix = "Give the number of cores that the autoscaler may reach."
        raise ConfigError("CONF002", CORES_MAX_VARIABLE, f"{quoted(text)} is not a positive number", fix, text)
    return int(text)


class CoreDemand:
    """Context manager, inside a session with a cluster. At its end nothing is asked for any more.

    Without an autoscaler Ray keeps the wish and nobody looks at it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._clock = LiveClock()
        self._asked: int | None = None
        self._asked_ns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._asked:
            with suppress(RayError, ConnectionError):  # the cluster is gone, and what was asked for with it
                self._ask(0)

    def wants(self, pending: int) -> None:
        """So many trials are left. Asks every five seconds at most; for more cores than before, at once."""
        cores = min(pending, self._limit)
        is_due = self._clock.now_ns() - self._asked_ns >= ASK_NS_MIN
        if self._asked is None or cores > self._asked or (cores < self._asked and is_due):
            self._ask(cores)

    def wait_for_first_core(self, seconds_max: float = FIRST_CORE_SECONDS_MAX) -> int:
        """The cores of the cluster, as soon as there are any. Raises `ConnectionConfigError` CONN005."""
        deadline_ns = self._clock.now_ns() + int(seconds_max * 1e9)
        is_told = False
        while not (cores := _cores()):
            if self._clock.now_ns() > deadline_ns:
                what = f"the cluster has no core after {seconds_max:.0f} s"
                fix = "Look at 'ray status': the autoscaler says there what it lacks."
                raise ConnectionConfigError("CONN005", "workers", what, fix, "0")
            if not is_told:
                logger.info("no cores yet: waiting for the autoscaler")
                is_told = True
            Event().wait(POLL_SECONDS)
        return cores

    def _ask(self, cores: int) -> None:
        request_resources(cores)
        self._asked, self._asked_ns = cores, self._clock.now_ns()


def _cores() -> int:
    resources: Mapping[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray has no type
    return int(resources.get("CPU", 0))
