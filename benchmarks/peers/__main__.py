"""The same EMA-cross job on the same bars in other engines and in this one, and whether their answers are the same.

    python -m benchmarks.peers [--grid] [--bars 200000] [--runs 3] [--only NAME ...] [--json]

With `--grid` the job is done for all pairs of ten fast and ten slow averages, in the way that each engine has for that.

Each engine runs in a process and an environment of its own, which the first call installs by pip from where pip looks.
The bars are made once and read from one file by all. Exit code 0; 1 when an answer differs from ours or an engine
breaks; 2 for wrong usage. An engine that cannot be installed here is skipped with a line that says why.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks._machine import Machine
from benchmarks._report import rate_text, seconds_text, table
from benchmarks.peers.environments import GRID_PEERS, PEERS, Peer, UnavailableError, ready_python
from benchmarks.peers.grid import PAIRS
from benchmarks.peers.job import JOB, WARM_UP_BARS, synthetic_bars
from benchmarks.peers.running import BrokenEngineError, Outcome, measured

US: Final = Peer("libra_ray", "engine_libra", ())
US_GRID: Final = Peer("libra_ray", "grid_libra", ())
BY_HAND: Final = Peer("by hand", "grid_by_hand", ())
OURS: Final = (US, US_GRID, BY_HAND)
"""What runs in this environment."""
HEAD: Final = (
    "engine",
    "version",
    "Python",
    "bars/s",
    "seconds",
    "cpu",
    "memory",
    "fills",
    "final equity",
    "beside ours",
)


def compare() -> int:
    """Run all engines, one after another, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="The same job in several engines.")
    parser.add_argument("--grid", action="store_true", help="the job for each of a hundred pairs of averages")
    parser.add_argument("--bars", type=int, default=200_000, help="number of minute bars (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine, the median counts (%(default)s)")
    parser.add_argument("--seconds-max", type=float, default=60.0, help="an engine starts no run after (%(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the bars (%(default)s)")
    names = list(dict.fromkeys(peer.name for peer in (*PEERS, *GRID_PEERS, BY_HAND)))
    parser.add_argument("--only", nargs="*", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    if options.bars < WARM_UP_BARS:
        parser.error(f"--bars must be at least {WARM_UP_BARS}")
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="libra-peers-") as folder:
        bars = Path(folder) / "bars.npz"
        synthetic_bars(options.bars, seed=options.seed).save(bars)
        flags = [str(bars), "--runs", str(options.runs), "--seconds-max", str(options.seconds_max)]
        us, peers = (US_GRID, (BY_HAND, *GRID_PEERS)) if options.grid else (US, PEERS)
        for peer in (us, *(peer for peer in peers if peer.name in options.only)):
            outcomes[peer.name] = _outcome(peer, flags)
    ours = outcomes[US.name].get("answer")
    for outcome in outcomes.values():
        outcome["same_as_ours"] = None if "answer" not in outcome or ours is None else outcome["answer"] == ours
    machine = Machine.here()
    if options.json:
        facts = {"bars": options.bars, "seed": options.seed, "job": asdict(JOB)}
        print(json.dumps(facts | {"engines": outcomes, "machine": asdict(machine)}))
    else:
        print(_text(outcomes, options.bars, options.seed, machine, is_grid=options.grid))
    broken = any("error" in outcome or outcome["same_as_ours"] is False for outcome in outcomes.values())
    return 1 if broken else 0


def _outcome(peer: Peer, flags: list[str]) -> Outcome:
    try:
        python = Path(sys.executable) if peer in OURS else ready_python(peer)
        print(f"{peer.name}: running", file=sys.stderr, flush=True)
        return measured(python, peer, flags)
    except UnavailableError as error:
        return {"skipped": str(error)}
    except BrokenEngineError as error:
        return {"error": str(error)}


def _text(outcomes: Mapping[str, Outcome], bars: int, seed: int, machine: Machine, *, is_grid: bool) -> str:
    measured = {name: outcome for name, outcome in outcomes.items() if "answer" in outcome}
    what = f"{len(PAIRS)} pairs" if is_grid else f"{JOB.fast}/{JOB.slow}"
    title = f"EMA cross {what} on {bars:,} minute bars (seed {seed})"
    rules = f"always in the market, flips of {JOB.quantity:,} at the next open, fee {JOB.fee_rate:.2%} of each fill"
    lines = [f"{title}, {rules}", *table(HEAD, [_cells(name, outcome) for name, outcome in measured.items()])]
    lines += [f"{name}: {outcome['note']}" for name, outcome in measured.items()]
    lines += [f"{name}: skipped, {outcome['skipped']}" for name, outcome in outcomes.items() if "skipped" in outcome]
    lines += [f"{name}: FAILED, {outcome['error']}" for name, outcome in outcomes.items() if "error" in outcome]
    if is_grid:
        lines.append("bars/s: of all runs together; fills: runs; same: the final equity of every pair, to the cent")
    else:
        lines.append("same: equal side, quantity and price of each fill, in order, and equal final equity to the cent")
    lines.append("seconds: from bars in memory, in the engine's own form, to the final equity; median (number of runs)")
    lines.append("cpu: time on a core; below the seconds, the machine was busy with something else")
    lines.append(f"{machine.cpu}, {machine.cores} cores, load {machine.load_1m}; commit {machine.commit}")
    return "\n".join(lines)


def _cells(name: str, outcome: Outcome) -> tuple[str, ...]:
    answer = outcome["answer"]
    same = {True: "same", False: "DIFFERENT", None: "nothing to compare"}[outcome["same_as_ours"]]
    return (
        name,
        outcome["version"],
        outcome["python"],
        rate_text(outcome["bars_per_s"]),
        f"{seconds_text(outcome['seconds_median'])} ({len(outcome['seconds'])})",
        seconds_text(statistics.median(outcome["cpu_seconds"])),
        f"{outcome['memory_peak_mb']:,} MB",
        f"{answer['fills']:,}",
        f"{answer['equity_cents'] / 100:,.2f}",
        ("" if outcome["repeatable"] else "NOT REPEATABLE, ") + same,
    )


if __name__ == "__main__":
    sys.exit(compare())
