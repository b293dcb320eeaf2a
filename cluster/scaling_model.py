"""How long a sweep takes on a cluster of any size, simulated call by call from what was measured on one machine.

    python cluster/scaling_model.py --cores 1000 --trials 100000 --trial-seconds 10

One driver hands out calls and books each trial; it is also who copies the dataset, node after node, before a node's
first worker begins. Workers of a node start one a core. Every worker holds two calls, so it waits only when the driver
is late. Measured are the driver's time a trial, the start of a worker and its memory (`cluster/measured.json`).
"""

import argparse
import heapq
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

MEASURED = Path(__file__).with_name("measured.json")
CALL_SECONDS = 0.05
CALL_TRIALS_MAX = 1_000
CALLS_EACH = 2


@dataclass(frozen=True)
class Plan:
    """What is asked: `trial_seconds` is the work of one trial, `bandwidth` the driver's network in bytes a second."""

    cores: int = 1_000
    cores_a_node: int = 8
    trials: int = 100_000
    trial_seconds: float = 10.0
    dataset_bytes: float = 1e9
    bandwidth: float = 1.25e9


@dataclass(frozen=True)
class Forecast:
    """What comes of it. Shares are of the whole time; `limit` names what a larger cluster would not mend."""

    seconds: float
    ideal_seconds: float
    copy_seconds: float
    worker_share: float
    driver_share: float
    trials_a_second: float
    node_bytes: float
    journal_bytes: float
    limit: str


def simulate(plan: Plan, measured: Mapping[str, float]) -> Forecast:
    """Play all calls of a sweep. O(calls log cores)."""
    nodes = -(-plan.cores // plan.cores_a_node)
    copy_s = plan.dataset_bytes / plan.bandwidth
    booking_s = measured["driver_seconds_a_trial"]
    size = max(1, min(int(CALL_SECONDS / plan.trial_seconds) + 1, CALL_TRIALS_MAX))
    left, driver_free_s, driver_busy_s, end_s = plan.trials, nodes * copy_s, 0.0, 0.0
    queued: list[list[tuple[float, int]]] = [[] for _ in range(plan.cores)]
    is_running = [False] * plan.cores
    # A worker takes its first call when it is ready, its second when all that are ready have one; 0 trials say so.
    events = [
        (measured["worker_start_seconds"] + (worker // plan.cores_a_node + 1) * copy_s, call, worker, 0)
        for worker in range(plan.cores)
        for call in range(CALLS_EACH)
    ]
    heapq.heapify(events)
    while events:
        now_s, _, worker, done = heapq.heappop(events)
        given_s = now_s
        if done:
            # Results wait while the driver copies data or books the results of others.
            driver_free_s = max(driver_free_s, now_s) + done * booking_s
            driver_busy_s += done * booking_s
            given_s = end_s = driver_free_s
            is_running[worker] = False
        if left:
            count = min(size, max(1, left // (plan.cores * CALLS_EACH)), left)
            left -= count
            queued[worker].append((given_s, count))
        if queued[worker] and not is_running[worker]:
            arrived_s, count = queued[worker].pop(0)
            ends_s = max(now_s, arrived_s) + count * plan.trial_seconds
            heapq.heappush(events, (ends_s, CALLS_EACH, worker, count))
            is_running[worker] = True
    return _forecast(plan, measured, end_s, driver_busy_s, nodes * copy_s)


def _forecast(
    plan: Plan, measured: Mapping[str, float], seconds: float, driver_busy_s: float, copy_s: float
) -> Forecast:
    work_s = plan.trials * plan.trial_seconds
    ideal_s = work_s / plan.cores
    driver_s = plan.trials * measured["driver_seconds_a_trial"]
    costs = {"the driver's booking": driver_s, "copies of the dataset": copy_s, "the trials themselves": ideal_s}
    return Forecast(
        seconds=seconds,
        ideal_seconds=ideal_s,
        copy_seconds=copy_s,
        worker_share=work_s / plan.cores / seconds,
        driver_share=driver_busy_s / seconds,
        trials_a_second=plan.trials / seconds,
        node_bytes=plan.dataset_bytes + plan.cores_a_node * measured["worker_bytes"],
        journal_bytes=plan.trials * measured["journal_bytes_a_trial"],
        limit=max(costs, key=lambda name: costs[name]),
    )


def main() -> int:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in asdict(Plan()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    plan = Plan(**vars(parser.parse_args()))
    forecast = simulate(plan, json.loads(MEASURED.read_text()))
    print(json.dumps({"plan": asdict(plan), "forecast": asdict(forecast)}))  # noqa: T201  # what a person reads
    return 0


if __name__ == "__main__":
    sys.exit(main())
