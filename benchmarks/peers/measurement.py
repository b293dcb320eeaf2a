"""What each engine's own process does: load the bars, warm up on a few, run the job some times, print one JSON line.

python -m benchmarks.peers.engine_backtrader BARS.npz --runs 3 --seconds-max 60
"""

import argparse
import json
import platform
import resource
import sys
from pathlib import Path
from typing import Final

from benchmarks._machine import version_of
from benchmarks.harness import Stopwatch
from benchmarks.peers.job import WARM_UP_BARS, Bars, Engine

__all__ = ["measure"]

KILOBYTES_PER_MEGABYTE: Final = 1024


def measure(engine: Engine) -> int:
    """Time `engine.run` on the bars of the file named on the command line, each run on bars it has prepared anew.

    A run on the first 2,000 bars goes before, so that nothing is imported or compiled inside the time. No further run
    begins when the ones before took `--seconds-max`.
    """
    parser = argparse.ArgumentParser(description=engine.__class__.__doc__)
    parser.add_argument("bars", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds-max", type=float, default=60.0)
    options = parser.parse_args()
    bars = Bars.load(options.bars)
    engine.answer(engine.run(engine.prepare(bars.first(WARM_UP_BARS))))
    prepare_seconds: list[float] = []
    seconds: list[float] = []
    cpu_seconds: list[float] = []
    answers: list[dict[str, object]] = []
    while len(seconds) < options.runs and sum(seconds) < options.seconds_max:
        watch = Stopwatch()
        native = engine.prepare(bars)
        prepare_seconds.append(watch.seconds())
        watch = Stopwatch()
        result = engine.run(native)
        seconds.append(watch.seconds())
        cpu_seconds.append(watch.cpu_seconds())
        answers.append(engine.answer(result).as_json())
    outcome = {
        "version": version_of(engine.distribution),
        "python": platform.python_version(),
        "note": engine.note,
        "bars": len(bars),
        "prepare_seconds": prepare_seconds,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "answer": answers[0],
        "repeatable": all(answer == answers[0] for answer in answers),
        "memory_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KILOBYTES_PER_MEGABYTE,
    }
    # The engine may have printed to stdout: the last line is ours.
    sys.stdout.write(f"\n{json.dumps(outcome)}\n")
    return 0
