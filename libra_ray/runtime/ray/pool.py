"""A pool of reusable worker processes, one per core, that work off items and report each as soon as it is done.

Ray's own restarts and retries stay off: they hide a death for more than a second and run calls in another order. A
dead worker is seen by its pending call within some ten milliseconds, replaced, and what it had is handed out again.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

import cloudpickle
import ray
from ray.exceptions import ObjectLostError, OutOfMemoryError, RayActorError, RayError, WorkerCrashedError

from libra_ray.clock import LiveClock
from libra_ray.errors import ConnectionConfigError, LibraError, StrategyError
from libra_ray.runtime.ray.autoscaling import CoreDemand
from libra_ray.runtime.ray.chunks import Chunk, WorkQueue
from libra_ray.runtime.ray.sharing import SharedFolder
from libra_ray.runtime.ray.worker import Answer, Engine, Packed, unpacked_error, unpacked_value

__all__ = ["EnginePool", "Job", "Outcome"]

Item_contra = TypeVar("Item_contra", contravariant=True)
Value_co = TypeVar("Value_co", covariant=True)
Item = TypeVar("Item")
Value = TypeVar("Value")

DEATHS: Final = (RayActorError, WorkerCrashedError, OutOfMemoryError, ObjectLostError)
DEATH_CODE: Final = "STRAT010"
FAILED_STARTS_MAX: Final = 3
START_SECONDS_MAX: Final = 60
POLL_SECONDS: Final = 1.0


class Job(Protocol[Item_contra, Value_co]):
    """Work of one kind. It travels to each worker once, pickled by cloudpickle, and is opened there once."""

    def open(self, folder: str) -> Callable[[Item_contra], Value_co]:
        """Make what is needed for all items (map the files of `folder`) and return the work on one item.

        `folder` is the shared folder as it lies on the worker's node; empty when none is shared.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Value]):
    """What became of the item at `position`: a value, or the error of the last attempt.

    `worker` counts from 1; a replaced worker keeps its number.
    """

    position: int
    worker: int
    value: Value | None = None
    error: Exception | None = None


@dataclass(slots=True)
class _Call:
    """A call under way. Without a chunk it opens the job, or asks for the node before that."""

    reference: Any
    chunk: Chunk | None


@dataclass(slots=True)
class _Slot:
    """The place of one worker: its process may be replaced."""

    number: int
    actor: Any = None
    node_id: str | None = None
    calls: deque[_Call] = field(default_factory=deque)
    job: int | None = None
    failed_starts: int = 0

    @property
    def is_opening(self) -> bool:
        return bool(self.calls) and self.calls[0].chunk is None

    @property
    def has_suspect(self) -> bool:
        return any(call.chunk is not None and call.chunk.is_suspect for call in self.calls)


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a worker needs to open a job."""

    job: bytes
    shared: SharedFolder | None


class EnginePool:
    """Context manager over `workers` processes, started at first use and killed at the end.

    Args:
        workers: how many, each with a core of its own.
        in_flight_max: calls per worker at once; the second hides the way there and back.
        start_seconds_max: how long to wait for the first worker.
        demand: told how many items are left; the session's, in a cluster that may grow. Idle workers are let go then.
    """

    def __init__(
        self,
        workers: int,
        *,
        in_flight_max: int = 2,
        start_seconds_max: int = START_SECONDS_MAX,
        demand: CoreDemand | None = None,
    ) -> None:
        self._demand = demand
        self._slots = [_Slot(number) for number in range(1, workers + 1)]
        self._in_flight_max = in_flight_max
        self._start_seconds_max = start_seconds_max
        self._job = 0
        self._clock = LiveClock()
        # SPREAD: without it Ray fills one node before it uses the next.
        self._actor_class: Any = ray.remote(
            num_cpus=1, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )(Engine)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill all workers. A handle that is merely dropped may live on in an exception's frames, and keep its core."""
        for slot in self._slots:
            _kill(slot)

    def map_unordered(
        self, job: Job[Item, Value], items: Sequence[Item], *, shared: SharedFolder | None = None
    ) -> Iterator[Outcome[Value]]:
        """Work off all items and yield one outcome each, as they finish. `shared` is the folder that the job opens.

        An exception of the job is an outcome. So is an item whose worker died on it three times. Raises what `open`
        of the job raised, `ConnectionConfigError` CONN005 when no worker starts in time, and `LibraError` when workers
        die as soon as they start.
        """
        self._job += 1
        opening = _Opening(cloudpickle.dumps(job), shared)
        queue = WorkQueue(len(items), calls_at_once=len(self._slots) * self._in_flight_max)
        deadline_ns = self._clock.now_ns() + self._start_seconds_max * 1_000_000_000
        try:
            while not queue.is_finished:
                self._fill(queue, opening, items)
                heads = {slot.calls[0].reference: slot for slot in self._slots if slot.calls}
                ready, _ = ray.wait(list(heads), num_returns=1, timeout=POLL_SECONDS)
                if ready:  # and all others that are: a look costs as much as there are workers
                    ready, _ = ray.wait(list(heads), num_returns=len(heads), timeout=0)
                if not ready and self._clock.now_ns() > deadline_ns and all(slot.is_opening for slot in self._slots):
                    self._refuse_to_wait_longer()
                outcomes = [outcome for reference in ready for outcome in _received(heads[reference], queue)]
                self._fill(queue, opening, items)  # the worker goes on while the outcomes are looked at
                yield from outcomes
                self._let_go(queue)
        finally:
            for slot in self._slots:
                if slot.calls:  # nobody wants their results any more
                    _kill(slot)

    def _let_go(self, queue: WorkQueue) -> None:
        """Tell the autoscaler what is left, and end who has nothing to do, so that an empty node can be given back."""
        if self._demand is None:
            return
        self._demand.wants(queue.left)
        if not queue.has_waiting:
            for slot in self._slots:
                if not slot.calls:
                    _kill(slot)

    def _fill(self, queue: WorkQueue, opening: _Opening, items: Sequence[object]) -> None:
        """Give every worker its first call before any gets its second."""
        for depth in range(self._in_flight_max):
            for slot in self._slots:
                if len(slot.calls) != depth or slot.is_opening or not queue.has_waiting:
                    continue
                if slot.job != self._job:
                    self._open(slot, opening)
                elif not (slot.calls and (slot.has_suspect or queue.has_suspect)):
                    chunk = queue.take()
                    work = [items[position] for position in chunk.positions]
                    slot.calls.append(_Call(slot.actor.work.remote(work), chunk))

    def _open(self, slot: _Slot, opening: _Opening) -> None:
        """Send the job to a worker, after a question where it runs, starting its process if there is none."""
        if slot.actor is None:
            slot.actor = self._actor_class.remote()
        if slot.node_id is None:
            slot.calls.append(_Call(slot.actor.node_id.remote(), None))
            return
        try:
            folder = "" if opening.shared is None else opening.shared.on_node(slot.node_id)
        except RayError as error:  # its node died meanwhile, and the worker with it
            _failed_start(slot, error)
            return
        slot.calls.append(_Call(slot.actor.open.remote(opening.job, folder, sys.path), None))
        slot.job = self._job

    def _refuse_to_wait_longer(self) -> None:
        resources: Mapping[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]  # Ray has no type
        free = int(resources.get("CPU", 0))
        what = f"no worker started within {self._start_seconds_max} s; {free} of {len(self._slots)} cores are free"
        raise ConnectionConfigError(
            "CONN005", "workers", what, "Give fewer workers or wait for the cluster.", str(free)
        )


def _received(slot: _Slot, queue: WorkQueue) -> list[Outcome[Any]]:
    """What the finished call of `slot` brought."""
    call = slot.calls.popleft()
    try:
        answer: Answer | Packed | str = ray.get(call.reference)
    except DEATHS as error:
        return _after_death(slot, call, queue, error)
    except RayError as error:
        raise LibraError(f"Ray failed under a worker: {_first_line(error)}") from error
    if isinstance(answer, Answer) and call.chunk is not None:
        queue.done(call.chunk, worked_ns=answer.worked_ns)
        answers = zip(call.chunk.positions, answer.outcomes, strict=True)
        return [_outcome(position, slot.number, packed) for position, packed in answers]
    if isinstance(answer, str):
        slot.node_id = answer
    elif isinstance(answer, Packed):
        if answer.is_error:
            raise unpacked_error(answer)
        slot.failed_starts = 0
    return []


def _outcome(position: int, worker: int, packed: Packed) -> Outcome[Any]:
    if packed.is_error:
        return Outcome(position, worker, error=unpacked_error(packed))
    return Outcome(position, worker, value=unpacked_value(packed))


def _after_death(slot: _Slot, head: _Call, queue: WorkQueue, error: Exception) -> list[Outcome[Any]]:
    """Hand out again what the worker had. Calls go in order, so only the first one can have been what killed it."""
    for call in reversed(slot.calls):
        if call.chunk is not None:
            queue.put_back(call.chunk)
    if head.chunk is None:
        _failed_start(slot, error)
        return []
    _kill(slot)
    given_up = queue.died(head.chunk)
    return [Outcome(position, slot.number, error=_gave_up(queue.deaths(position))) for position in given_up]


def _failed_start(slot: _Slot, error: Exception) -> None:
    """A worker that never worked. Raises `LibraError` when it is the third one in its place."""
    _kill(slot)
    slot.failed_starts += 1
    if slot.failed_starts >= FAILED_STARTS_MAX:
        raise LibraError(f"{FAILED_STARTS_MAX} workers died as they started: {_first_line(error)}") from error


def _gave_up(deaths: int) -> StrategyError:
    what = f"{deaths} workers died while they ran it"
    return StrategyError(DEATH_CODE, None, what, "Run it alone to see why; memory may be short.", str(deaths))


def _kill(slot: _Slot) -> None:
    slot.calls.clear()
    slot.job = slot.node_id = None
    if slot.actor is not None:
        with suppress(RayError):  # dead, or its node is
            ray.kill(slot.actor)
        slot.actor = None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
