"""Hosts for benchmarks: real processes with a real bus, without Ray, and actors that count and time what comes.

Times are taken by `perf_counter`, one clock for all processes of a machine. An actor that has measured writes what it
found into the folder of the run, where the benchmark waits for it.
"""

import json
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from libra_ray.hosts.context import BUS, HostProgram, MadeActor, PeerAddress
from libra_ray.hosts.loop import run_host
from libra_ray.runtime import Actor, ActorConfig, Timer

__all__ = ["Measuring", "MeasuringConfig", "hosts", "percentile", "report_of"]

POLL_SECONDS: Final = 0.02
START_NS: Final = 1_500_000_000
REPORT_SECONDS_MAX: Final = 120.0


class MeasuringConfig(ActorConfig):
    """`report`: the file for what it finds; `count`: of how many messages."""

    report: str = ""
    count: int = 1


class Measuring(Actor):
    """Begins a while after its start, when all tables have come to rest, and reports once."""

    config: MeasuringConfig

    def on_start(self) -> None:
        self.prepare()
        self.clock.set_alert("begin", at_ns=self.clock.now_ns() + START_NS)

    def on_timer(self, timer: Timer) -> None:
        assert timer.name == "begin"
        self.begin()

    def prepare(self) -> None:
        """Register and subscribe."""

    def begin(self) -> None:
        """Send the first message."""

    def tell(self, found: Mapping[str, Any]) -> None:
        """Write the report, whole."""
        path = Path(self.config.report)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(found))
        draft.replace(path)


@contextmanager
def hosts(placed: Mapping[str, Sequence[tuple[type[Actor], Mapping[str, Any]]]]) -> Iterator[Path]:
    """Processes for these hosts, each with its actors (class and settings), and one for the bus; ended at the end.

    Yields the folder of the run; a setting `report` is a name in it.
    """
    # A socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="libra-b-", dir="/tmp"))
    spawn = multiprocessing.get_context("spawn")
    stopping = spawn.Event()
    bus = PeerAddress(BUS, f"ipc://{folder}/bus")
    programs = [HostProgram(BUS, 1, folder, bus.address)]
    for host_id, actors in placed.items():
        residents = tuple(MadeActor(cls, f"{cls.__name__}-{host_id}", _placed(given, folder)) for cls, given in actors)
        address = f"ipc://{folder}/{host_id}"
        programs.append(HostProgram(host_id, 1, folder, address, bus=bus, residents=residents, starts_itself=True))
    processes = [spawn.Process(target=run_host, args=(program, stopping), daemon=True) for program in programs]
    try:
        for process in processes:
            process.start()
        yield folder
    finally:
        stopping.set()
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()
                process.join()
        shutil.rmtree(folder, ignore_errors=True)


def report_of(folder: Path, name: str) -> dict[str, Any]:
    """What an actor found; waits for it. Raises `TimeoutError` after two minutes."""
    until = perf_counter() + REPORT_SECONDS_MAX
    while not (folder / name).exists():
        if perf_counter() > until:
            raise TimeoutError(
                f"no {name} in {REPORT_SECONDS_MAX:g} s; there is {sorted(path.name for path in folder.iterdir())}"
            )
        time.sleep(POLL_SECONDS)
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def percentile(seconds: Sequence[float], percent: float) -> float:
    """The value that `percent` of them do not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _placed(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    return {key: str(folder / value) if key == "report" else value for key, value in given.items()}
