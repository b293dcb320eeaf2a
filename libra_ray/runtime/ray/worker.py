"""What runs inside a worker process: it opens a job once and works off chunks of items, one after another."""

import gc
import pickle
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cloudpickle
import ray

from libra_ray.clock import LiveClock
from libra_ray.errors import LibraError, StrategyError

__all__ = ["Answer", "Engine", "Packed", "packed_error", "unpacked_error", "unpacked_value"]

ERROR_CODE: Final = "STRAT000"


@dataclass(frozen=True, slots=True)
class Packed:
    """What became of one item: a value, or the error that working on it raised, pickled on its own.

    One error whose class the driver cannot load must not take its neighbours with it, hence the text beside it.
    """

    is_error: bool
    data: bytes
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call brought, and how long the work took."""

    outcomes: tuple[Packed, ...]
    worked_ns: int


class Engine:
    """One worker process. It never raises what an item raised: that is an outcome."""

    def __init__(self) -> None:
        self._run: Callable[[Any], object] | None = None
        self._clock = LiveClock()

    def node_id(self) -> str:
        """The node it runs on."""
        return str(ray.get_runtime_context().get_node_id())

    def open(self, job: bytes, folder: str, search_path: Sequence[str]) -> Packed:
        """Load a job and open it with the folder of this node. Modules are found where the driver finds them."""
        sys.path.extend(entry for entry in search_path if entry not in sys.path)
        self._run = None
        gc.unfreeze()  # the job before may go
        try:
            self._run = pickle.loads(job).open(folder)  # noqa: S301  # our own driver made it
            # What is here now stays: looking through it after each call would cost more than a small trial.
            gc.collect()
            gc.freeze()
        except Exception as error:  # noqa: BLE001  # whatever it is, the driver raises it
            return packed_error(error)
        return Packed(is_error=False, data=b"")

    def work(self, items: Sequence[object]) -> Answer:
        """Work off `items` in order, and give back the memory of what they left.

        Actors, host and bus of a run know each other, so that a finished run is garbage only the collector finds.
        """
        started_ns = self._clock.now_ns()
        outcomes = tuple(self._outcome(item) for item in items)
        gc.collect()
        return Answer(outcomes, self._clock.now_ns() - started_ns)

    def _outcome(self, item: object) -> Packed:
        if self._run is None:
            raise LibraError("a worker got items before its job")
        try:
            return Packed(is_error=False, data=cloudpickle.dumps(self._run(item)))
        # SystemExit: user code that calls `sys.exit` ends its item, not the worker.
        except (Exception, SystemExit) as error:  # noqa: BLE001  # an error of user code is this item's outcome
            return packed_error(error)


def packed_error(error: BaseException) -> Packed:
    """`error` for the way to the driver."""
    text = error.message if isinstance(error, LibraError) else f"{type(error).__name__}: {error}"
    try:
        return Packed(is_error=True, data=cloudpickle.dumps(error), text=text)
    except Exception:  # noqa: BLE001  # an error may hold anything, a socket for example; its text is kept
        return Packed(is_error=True, data=b"", text=text)


def unpacked_value(packed: Packed) -> Any:  # noqa: ANN401  # whatever the job returns
    """The value. Raises what unpickling raises: a job's values are plain data."""
    return pickle.loads(packed.data)  # noqa: S301  # our own worker made it


def unpacked_error(packed: Packed) -> Exception:
    """The error as itself where it survived the way, else a `StrategyError` with its text."""
    try:
        error = pickle.loads(packed.data) if packed.data else None  # noqa: S301  # our own worker made it
    except Exception:  # noqa: BLE001  # its class may exist in the worker only, or not take its own arguments
        error = None
    if isinstance(error, Exception):
        return error
    return StrategyError(ERROR_CODE, None, f"raised {packed.text}", "", packed.text)
