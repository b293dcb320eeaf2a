"""Work on many items over one dataset: in this process, or in worker processes that map one copy of the data."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from libra_ray.data import Dataset
from libra_ray.errors import ConfigError

if TYPE_CHECKING:
    from libra_ray.runtime.ray import EnginePool, RaySession, SharedFolder

__all__ = ["DataJob", "Done", "Workforce", "staying_workers", "workers_worth", "workforce"]

START_SECONDS: Final = 4.0
"""What it takes until Ray and its workers are there, and have loaded and mapped everything."""

Item = TypeVar("Item")
Value = TypeVar("Value")
Item_contra = TypeVar("Item_contra", contravariant=True)
Value_co = TypeVar("Value_co", covariant=True)


class DataJob(Protocol[Item_contra, Value_co]):
    """Work of one kind over a dataset. It travels to each worker once, pickled by cloudpickle."""

    def work(self, data: Dataset) -> Callable[[Item_contra], Value_co]:
        """Make what is needed for all items and return the work on one."""
        ...


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """What became of the item at `position`: a value, or the error. `worker` counts from 1; 0 is this process."""

    position: int
    value: Value | None
    error: Exception | SystemExit | None
    worker: int


class Workforce:
    """Who works: `engine` says it to a person, `workers` is how many processes, 0 for this one."""

    def __init__(
        self, data: Dataset, pool: "tuple[EnginePool, SharedFolder] | None", engine: str, workers: int
    ) -> None:
        self.engine, self.workers = engine, workers
        self._data, self._pool = data, pool

    def map(self, job: DataJob[Item, Value], items: Sequence[Item]) -> Iterator[Done[Value]]:
        """Work off all items and yield each as it is done; without workers in their order. Jobs may follow each other.

        An error of an item is its result. Raises what opening the job raised.
        """
        if self._pool is None:
            yield from _in_this_process(job.work(self._data), items)
            return
        pool, shared = self._pool
        for outcome in pool.map_unordered(_OnFolder(job), items, shared=shared):
            yield Done(outcome.position, outcome.value, outcome.error, outcome.worker)

    def values(self, job: DataJob[Item, Value], items: Sequence[Item]) -> list[Value]:
        """The values in the order of `items`. Raises the error of the first item in that order that has one."""
        done = sorted(self.map(job, items), key=lambda each: each.position)
        for each in done:
            if each.error is not None:
                raise each.error
        return [each.value for each in done]  # type: ignore[misc]  # without an error there is a value


@dataclass(frozen=True, slots=True)
class _Crew:
    """A session and a pool of worker processes."""

    session: "RaySession"
    pool: "EnginePool"


_STAYING: Final[ContextVar[_Crew | None]] = ContextVar("staying", default=None)


@contextmanager
def staying_workers(workers: int | None = None) -> Iterator[None]:
    """Start workers once for all sweeps, walk-forwards, checks and Monte Carlo runs of the block.

        with lr.staying_workers():
            coarse = lr.sweep(system, data=data, grid={"fast": range(5, 50, 5)})
            fine = lr.sweep(system, data=data, grid={"fast": range(20, 30)})

    Each of these alone starts Ray and its workers anew, which takes seconds. The workers keep what they have imported
    and compiled, and the data of the last one until the next begins; they end with the block.

    Args:
        workers: processes, one core each; None for one per core.

    Raises `ConfigError` CONF002 inside another such block and for a number below 1, and what starting Ray raises.
    """
    if _STAYING.get() is not None:
        raise ConfigError("CONF002", "workers", "workers stay already", "Use those of the outer block.")
    with _new_crew(workers, items_max=None) as crew:
        token = _STAYING.set(crew)
        try:
            yield
        finally:
            _STAYING.reset(token)


@contextmanager
def workforce(data: Dataset, *, workers: int | None, items_max: int) -> Iterator[Workforce]:
    """Workers over `data`, which is written once; they end, and what they share is removed, with the block.

    `workers`: None for one per core, 0 for none: the work is done in this process, without Ray, and gives the same.
    `items_max`: more workers would have nothing to do. Inside `staying_workers` it is those that work, and stay. Raises
    `ConfigError` CONF002 for a number below 0, and for another number than that of those that stay.
    """
    if workers is not None and workers < 0:
        raise ConfigError("CONF002", "workers", f"{workers} is below 0", "Give 0 or more.", str(workers))
    if workers == 0:
        yield Workforce(data, None, "this process", 0)
        return
    from libra_ray.runtime.ray import SharedFolder

    with ExitStack() as stack:
        crew = _STAYING.get()
        if crew is None:
            crew = stack.enter_context(_new_crew(workers, items_max=items_max))
        elif workers not in (None, crew.session.workers):
            what = f"{workers} where {crew.session.workers} stay"
            raise ConfigError("CONF002", "workers", what, "Give the number to staying_workers alone.", str(workers))
        shared = stack.enter_context(SharedFolder(data.write))
        yield Workforce(data, (crew.pool, shared), crew.session.describe(), crew.session.workers)


@contextmanager
def _new_crew(workers: int | None, *, items_max: int | None) -> Iterator[_Crew]:
    # Ray is loaded here and not before: a single backtest does without.
    from libra_ray.runtime.ray import EnginePool, RaySession

    with (
        RaySession(workers=workers, workers_max=items_max) as session,
        EnginePool(session.workers, demand=session.demand) as pool,
    ):
        yield _Crew(session, pool)


def workers_worth(workers: int | None, *, seconds: float) -> int | None:
    """`workers`, or none where nobody said how many and the work takes `seconds` that starting some would take too."""
    return 0 if workers is None and seconds < START_SECONDS else workers


def _in_this_process(work: Callable[[Item], Value], items: Sequence[Item]) -> Iterator[Done[Value]]:
    for position, item in enumerate(items):
        try:
            value = work(item)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # as in a worker, it is this item's result
            yield Done(position, None, error, 0)
        else:
            yield Done(position, value, None, 0)


@dataclass(frozen=True)
class _OnFolder:
    """The job as a pool opens it."""

    job: DataJob[Any, Any]

    def open(self, folder: str) -> Callable[[Any], Any]:
        return self.job.work(Dataset.open(folder))
