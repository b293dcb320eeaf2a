"""Work of the supervisor that takes several steps: generators that are resumed until they are done."""

from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, TypeAlias, TypeVar

__all__ = ["Procedures", "Steps"]

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]
"""Yields while it waits for something, and returns its result."""


class Procedures:
    """Those under way. `step` resumes each once."""

    def __init__(self) -> None:
        self._running: list[tuple[Steps[Any], Future[Any]]] = []

    def start(self, steps: Steps[T], done: Future[T] | None = None) -> Future[T]:
        """Begin now, and go on with each `step`. What it returns or raises becomes the future's."""
        future: Future[T] = done or Future()
        self._running.append((steps, future))
        self._resume(steps, future)
        return future

    def step(self) -> None:
        """Resume all that wait."""
        for steps, future in list(self._running):
            self._resume(steps, future)

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        return not self._running

    def _resume(self, steps: Steps[Any], future: Future[Any]) -> None:
        try:
            next(steps)
        except StopIteration as end:
            self._drop(steps)
            future.set_result(end.value)
        except Exception as error:  # noqa: BLE001  # raised where the result is asked for
            self._drop(steps)
            future.set_exception(error)

    def _drop(self, steps: Steps[Any]) -> None:
        self._running = [entry for entry in self._running if entry[0] is not steps]
