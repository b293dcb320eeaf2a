"""What a sweep costs its driver, measured here, and what that makes of 1,000 cores: the numbers of SCALING.md.

    python -m cluster.scaling measure --trials 10000 > cluster/scaling.json     # minutes; needs a quiet machine
    python -m cluster.scaling simulate cluster/scaling.json                     # seconds; the tables

`measure` runs sweeps on this machine and times them; `simulate` plays the driver's loop, with its own queue of chunks,
for clusters of any size, and for this machine, so that both can be compared.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from pathlib import Path
from threading import Event
from typing import Any, Final

import ray

import libra_ray as lr
from benchmarks.harness import Stopwatch
from libra_actors.strategies import EmaCross
from libra_ray.runtime.ray import RaySession
from libra_ray.runtime.ray.chunks import Chunk, WorkQueue
from libra_ray.sweeps import SweepProgress

IN_FLIGHT: Final = 2
CORES_PER_NODE: Final = 64
DATASET_BYTES: Final = 1_000_000_000
NODE_BYTES_PER_S: Final = 500_000_000
"""What a node receives: a link of 10 Gbit/s at 40 %."""
WORKERS: Final = (1, 16, 64, 256, 1_000)
TRIAL_SECONDS: Final = (0.005, 0.05, 0.5, 5.0)
TRIALS: Final = 100_000
PENDING: Final = 1_000
LOOKS: Final = 20
SMALL_BARS: Final = 150
LARGE_BARS: Final = 8_000


@dataclass(frozen=True)
class Costs:
    """Seconds of the driver's core, and of a worker's beginning.

    Attributes:
        trial_s: a trial: its row, its line in the journal, its values on the wire.
        call_s: a call to a worker and its answer, whatever it carries.
        look_s: one look at one worker, whether it is done.
        start_s: a worker's process, from the wish to its first answer.
    """

    trial_s: float
    call_s: float
    look_s: float
    start_s: float


@dataclass(frozen=True)
class Outcome:
    """A simulated sweep: its seconds, the parts of them that the driver is busy and the cores run trials."""

    seconds: float
    driver_share: float
    core_share: float
    calls: int
    looks: int


def simulate(
    costs: Costs, *, workers: int, trials: int, trial_s: float, nodes: int = 1, node_s: float = 0.0
) -> Outcome:
    """Play a sweep: the driver looks, takes what is done, hands out, and the workers work off what they have.

    `node_s` is the copy of the data to a node; the driver makes one after the other. Its own node needs none.
    """
    queue = WorkQueue(trials, calls_at_once=workers * IN_FLIGHT)
    # The n-th worker opens when its process is there and its node's copy is made; workers are spread over the nodes.
    ready = [costs.start_s + node_s * (number % nodes) + number * 2 * costs.call_s for number in range(workers)]
    free_at = list(ready)
    done: list[tuple[float, int, int]] = []
    chunks: dict[int, tuple[Chunk, float]] = {}
    clock = min(ready)
    busy = worked = 0.0
    calls = looks = 0

    def give(worker: int) -> None:
        nonlocal calls
        chunk = queue.take()
        begin = max(free_at[worker], clock)
        lasting = len(chunk.positions) * trial_s
        free_at[worker] = begin + lasting
        chunks[calls] = (chunk, lasting)
        heappush(done, (free_at[worker], calls, worker))
        calls += 1

    for _ in range(IN_FLIGHT):
        for worker in range(workers):
            if queue.has_waiting:
                give(worker)
    while done:
        clock = max(clock, done[0][0])
        step = workers * costs.look_s
        looks += 1
        finished = []
        while done and done[0][0] <= clock:
            finished.append(heappop(done))
        for _, call, _ in finished:
            chunk, lasting = chunks.pop(call)
            queue.done(chunk, worked_ns=int(lasting * 1e9))
            worked += lasting
            step += costs.call_s + len(chunk.positions) * costs.trial_s
        clock += step
        busy += step
        for _, _, worker in finished:
            if queue.has_waiting:
                give(worker)
    return Outcome(clock, busy / clock, worked / (clock * workers), calls, looks)


def tables(measured: dict[str, Any]) -> str:
    """Three tables as text: this machine beside its simulation, the cluster, and the way of the data."""
    costs = Costs(**measured["costs"])
    lines = ["| trials | of seconds | workers | measured s | simulated s | simulated / measured |", "|---" * 6 + "|"]
    for run in measured["runs"]:
        made = simulate(costs, workers=run["workers"], trials=run["trials"], trial_s=run["trial_s"])
        after_start = made.seconds - costs.start_s
        lines.append(
            f"| {run['trials']:,} | {run['trial_s']:.4f} | {run['workers']} | {run['seconds']:.1f} | {after_start:.1f} "
            f"| {after_start / run['seconds']:.2f} |"
        )
    lines += ["", f"{TRIALS:,} trials, without copies of data:", ""]
    lines += ["| workers | " + " | ".join(f"{each:g} s a trial" for each in TRIAL_SECONDS) + " |"]
    lines += ["|---" * (len(TRIAL_SECONDS) + 1) + "|"]
    for workers in WORKERS:
        cells = []
        for trial_s in TRIAL_SECONDS:
            made = simulate(costs, workers=workers, trials=TRIALS, trial_s=trial_s)
            cells.append(f"{made.seconds:,.0f} s, cores {made.core_share:.0%}, driver {made.driver_share:.0%}")
        lines.append(f"| {workers:,} | " + " | ".join(cells) + " |")
    nodes = -(-max(WORKERS) // CORES_PER_NODE)
    node_s = DATASET_BYTES / NODE_BYTES_PER_S
    plain = simulate(costs, workers=max(WORKERS), trials=TRIALS, trial_s=0.5)
    copied = simulate(costs, workers=max(WORKERS), trials=TRIALS, trial_s=0.5, nodes=nodes, node_s=node_s)
    more = f"{copied.seconds - plain.seconds:.0f} s more of {plain.seconds:.0f} s (1,000 workers, 0.5 s a trial)"
    lines += ["", f"1 GB to {nodes} nodes, {node_s:g} s each, one after the other: {more}."]
    return "\n".join(lines)


def measure(trials: int) -> dict[str, Any]:
    """Run sweeps here. One worker tells what a trial and its driver cost; the large sweep on all cores is foretold.

    Costs are of the driver's processor time, so that a worker on the same core does not count.
    """
    cores = os.cpu_count() or 1
    with RaySession(workers=cores):
        look_s = _looking()
        small = _swept(max(trials // 10, 20), bars=SMALL_BARS, workers=1)
        large = _swept(max(trials // 50, 20), bars=LARGE_BARS, workers=1)
        runs = [
            _swept(trials, bars=SMALL_BARS, workers=cores) | {"trial_s": small["trial_s"]},
            _swept(max(trials // 25, 20), bars=LARGE_BARS, workers=cores) | {"trial_s": large["trial_s"]},
        ]
    # Two sweeps, two unknowns: a trial, and a call.
    a_small, a_large = (_calls(run) / run["trials"] for run in (small, large))
    b_small, b_large = (run["driver_s"] / run["trials"] for run in (small, large))
    if a_large == a_small:
        raise SystemExit("both kinds of trial last longer than a call: the machine is too busy, or too slow")
    call_s = (b_large - b_small) / (a_large - a_small)
    costs = Costs(b_small - call_s * a_small, call_s, look_s, small["start_s"])
    return {"costs": asdict(costs), "runs": runs, "cores": cores, "ray": ray.__version__}


def _calls(run: dict[str, Any]) -> int:
    """How many calls the queue makes of a sweep."""
    free = Costs(0.0, 0.0, 0.0, 0.0)
    return simulate(free, workers=run["workers"], trials=run["trials"], trial_s=run["trial_s"]).calls


def _looking() -> float:
    """Seconds of `ray.wait` for each call that is looked at."""

    class Silent:
        def never(self) -> None:
            Event().wait()

    actor: Any = ray.remote(num_cpus=0)(Silent).remote()
    pending = [actor.never.remote() for _ in range(PENDING)]
    watch = Stopwatch()
    for _ in range(LOOKS):
        ray.wait(pending, num_returns=len(pending), timeout=0)
    seconds = watch.cpu_seconds() / LOOKS / PENDING
    ray.kill(actor)
    return seconds


def _swept(trials: int, *, bars: int, workers: int) -> dict[str, Any]:
    """One sweep with a journal: seconds from the first row to the last, of the driver's core, and of a trial."""
    instrument = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    data = lr.synth("bars", instrument, rows=bars, period="1m", seed=3, price="1.1")
    system = lr.System("scaling", seed=7).add_venue("SIM", account="margin", balances=["1_000_000 USD"])
    system.add(EmaCross(instrument="EURUSD.SIM", bars="1m", fast=5, slow=20, quantity="1000"))
    times: list[tuple[float, float]] = []

    def note(_: SweepProgress) -> None:
        times.append((watch.seconds(), watch.cpu_seconds()))

    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        result = lr.sweep(
            system,
            data=data,
            grid={"fast": lr.Range(2, 200), "slow": lr.Range(201, 2_000)},
            sampler="random",
            trials=trials,
            workers=workers,
            journal=Path(folder) / "journal",
            engine="event",
            progress=note,
        )
    assert result.failed == 0, "trials failed"  # noqa: S101
    seconds, driver_s = (last - first for last, first in zip(times[-1], times[1], strict=True))
    return {
        "trials": trials,
        "workers": workers,
        "trial_s": seconds * workers / (trials - 1),  # building the system and its figures included
        "seconds": seconds,
        "driver_s": driver_s,
        "start_s": times[1][0],
    }


def main() -> int:
    """`measure` prints JSON, `simulate` the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("measure").add_argument("--trials", type=int, default=10_000)
    verbs.add_parser("simulate").add_argument("measured", type=Path)
    arguments = parser.parse_args()
    if arguments.verb == "measure":
        text = json.dumps(measure(arguments.trials), indent=2)
    else:
        text = tables(json.loads(arguments.measured.read_text()))
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
