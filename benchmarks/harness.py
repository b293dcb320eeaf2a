"""What every benchmark is run by: sizes, runs in turns, timers, answers checked, ratios to a floor, budgets.

A benchmark is a module of this folder with a function of its own name that takes a `Bench`. It makes its input before
any timer starts, times its routes side by side in each run, and checks what they delivered. The harness needs only the
standard library, so that a program in another environment can use its timers too.
"""

import argparse
import gc
import importlib
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, TypeAlias, TypeVar

from benchmarks._machine import Machine
from benchmarks._report import Report, Verdict, as_json, as_text
from benchmarks._report import Route as RouteReport

__all__ = ["Bench", "Benchmark", "Stopwatch", "WrongAnswerError", "benchmark_named", "benchmark_names", "main"]

RUNS_FULL: Final = 7
FLOOR: Final = "floor"
BUSY_LOAD_PER_CORE: Final = 0.75

T = TypeVar("T")


class WrongAnswerError(AssertionError):
    """A route did not deliver what it should have: its time means nothing."""

    def __init__(self, benchmark: str, actual: object, expected: object) -> None:
        super().__init__(benchmark, actual, expected)
        self.benchmark, self.actual, self.expected = benchmark, actual, expected

    def __str__(self) -> str:
        return f"{self.benchmark}: the answer is {self.actual!r}, expected {self.expected!r}"


class Stopwatch:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = perf_counter(), _cpu_seconds()

    def seconds(self) -> float:
        """Seconds of wall time."""
        return perf_counter() - self._wall_s

    def cpu_seconds(self) -> float:
        """Seconds on a core: all threads of this process, and children that it has waited for."""
        return _cpu_seconds() - self._cpu_s


def _cpu_seconds() -> float:
    times = os.times()
    return process_time() + times.children_user + times.children_system


@dataclass
class _Samples:
    """What was measured of one route, one value per run."""

    items: int
    floor: str
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Budget:
    """A promise: at most `limit` times the time of `of`, or `limit` seconds, or at least `limit` items a second."""

    route: str
    kind: str
    limit: float
    of: str = ""


class Bench:
    """One benchmark while it runs: `smoke` is the small size that tests run, else the full size."""

    def __init__(self, name: str, *, smoke: bool, seed: int = 7, runs: int | None = None) -> None:
        self.name, self.smoke, self.seed = name, smoke, seed
        self.warnings: list[str] = []
        self._runs = runs if runs is not None else (1 if smoke else RUNS_FULL)
        self._run = -1
        self._is_warm_up = False
        self._sizes: dict[str, int] = {}
        self._samples: dict[str, _Samples] = {}
        self._facts: dict[str, str | int | float] = {}
        self._budgets: list[_Budget] = []
        self._checks = 0
        self._machine = Machine.here()
        load, cores = self._machine.load_1m, self._machine.cores
        if not smoke and load > BUSY_LOAD_PER_CORE * cores:
            self.warnings.append(f"the machine was busy at the start: load {load:.1f} on {cores} cores")

    def size(self, name: str, *, smoke: int, full: int) -> int:
        """How much work: the value of the size being run, which the report shows under `name`."""
        self._sizes[name] = smoke if self.smoke else full
        return self._sizes[name]

    def needs_cores(self, count: int) -> None:
        """Say that the topology wants `count` cores at a time; the report warns when there are fewer."""
        if count > self._machine.cores:
            self.warnings.append(f"the topology needs {count} cores and there are {self._machine.cores}")

    def runs(self, *, warm_up: bool = True) -> Iterator[int]:
        """Go through the runs, 1 in smoke size and 7 in full; one before them compiles and warms and is not counted."""
        if warm_up:
            self._is_warm_up = True
            yield -1
        self._is_warm_up = False
        for run in range(self._runs):
            self._run = run
            yield run

    def turns(self, routes: Mapping[str, T]) -> Iterator[tuple[str, T]]:
        """Go through the routes of one run; another one begins in each run, so that none is always the first."""
        names = list(routes)
        start = max(self._run, 0) % len(names)
        for name in (*names[start:], *names[:start]):
            yield name, routes[name]

    @contextmanager
    def timed(self, name: str, *, items: int, floor: str = FLOOR) -> Iterator[None]:
        """Time the block as one run of route `name`, which did `items` items; `floor` is the route it is compared with.

        Garbage of what ran before is collected first, outside of the time. A block that raises is not counted.
        """
        gc.collect()
        watch = Stopwatch()
        yield
        seconds, cpu_seconds = watch.seconds(), watch.cpu_seconds()
        self.record(name, seconds=seconds, cpu_seconds=cpu_seconds, items=items, floor=floor)

    def record(self, name: str, *, seconds: float, items: int, cpu_seconds: float = 0.0, floor: str = FLOOR) -> None:
        """Count one run of route `name` that something else has timed, such as a program in a process of its own."""
        if self._is_warm_up:
            return
        samples = self._samples.setdefault(name, _Samples(items, floor))
        if samples.items != items:
            raise ValueError(f"{name}: {items} items, {samples.items} in the runs before")
        samples.seconds.append(seconds)
        samples.cpu_seconds.append(cpu_seconds)

    def check(self, *, actual: object, expected: object) -> None:
        """Compare what a route delivered with what it had to. Raises `WrongAnswerError`."""
        self._checks += 1
        if actual != expected:
            raise WrongAnswerError(self.name, actual, expected)

    def fact(self, name: str, value: str | float) -> None:
        """Put something worth knowing beside the times; a later value of the same name replaces it."""
        self._facts[name] = value

    def budget(
        self,
        route: str,
        *,
        at_most: float | None = None,
        of: str = FLOOR,
        seconds_max: float | None = None,
        items_per_s_min: float | None = None,
    ) -> None:
        """Declare what a route may cost, in exactly one way; the report says met or missed, in full size only."""
        given = {"ratio": at_most, "seconds": seconds_max, "rate": items_per_s_min}
        limits = [(kind, limit) for kind, limit in given.items() if limit is not None]
        if len(limits) != 1:
            raise ValueError(f"{route}: give one of at_most, seconds_max, items_per_s_min")
        kind, limit = limits[0]
        self._budgets.append(_Budget(route, kind, limit, of if kind == "ratio" else ""))

    def ratio(self, route: str, of: str = FLOOR) -> float | None:
        """Divide the time of `route` by that of `of` in each run and take the median; None where one has no time."""
        if route not in self._samples or of not in self._samples:
            return None
        pairs = zip(self._samples[route].seconds, self._samples[of].seconds, strict=True)
        return statistics.median(seconds / of_seconds for seconds, of_seconds in pairs)

    def report(self) -> Report:
        """Sum up what was measured. Raises `ValueError` if nothing was, or if no answer was checked."""
        if not self._samples or not self._checks:
            raise ValueError(f"{self.name}: {len(self._samples)} routes timed, {self._checks} answers checked")
        return Report(
            benchmark=self.name,
            size="smoke" if self.smoke else "full",
            sizes=dict(self._sizes),
            seed=self.seed,
            runs=self._runs,
            routes=[self._route(name, samples) for name, samples in self._samples.items()],
            budgets=[self._verdict(budget) for budget in self._budgets],
            facts=dict(self._facts),
            checks=self._checks,
            warnings=list(self.warnings),
            machine=self._machine,
        )

    def _route(self, name: str, samples: _Samples) -> RouteReport:
        median_s = statistics.median(samples.seconds)
        return RouteReport(
            name=name,
            items=samples.items,
            seconds_median=median_s,
            seconds_min=min(samples.seconds),
            seconds_max=max(samples.seconds),
            cpu_seconds_median=statistics.median(samples.cpu_seconds),
            items_per_s=samples.items / median_s,
            floor=samples.floor if samples.floor in self._samples else None,
            ratio=self.ratio(name, samples.floor),
            seconds=list(samples.seconds),
        )

    def _verdict(self, budget: _Budget) -> Verdict:
        samples = self._samples[budget.route]
        median_s = statistics.median(samples.seconds)
        if budget.kind == "ratio":
            ratio = self.ratio(budget.route, budget.of)
            if ratio is None:
                raise ValueError(f"{self.name}: a budget for {budget.route} of {budget.of}, which has no time")
            measured = ratio
        else:
            measured = median_s if budget.kind == "seconds" else samples.items / median_s
        met = measured >= budget.limit if budget.kind == "rate" else measured <= budget.limit
        judged = None if self.smoke else met
        return Verdict(budget.route, budget.kind, budget.limit, budget.of or None, measured, judged)


Benchmark: TypeAlias = Callable[[Bench], None]


def benchmark_names() -> list[str]:
    """List all benchmarks of this folder, sorted: modules with a function of their own name that takes a `Bench`."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [path.stem for path in modules if f"\ndef {path.stem}(bench: Bench)" in path.read_text()]


def benchmark_named(name: str) -> Benchmark:
    """Load the function of that name from the module of that name."""
    benchmark: Benchmark = getattr(importlib.import_module(f"benchmarks.{name}"), name)
    return benchmark


def main(benchmark: Benchmark, arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark as a program and print its report.

    Exit code 0; 1 when an answer is wrong, or with --strict a budget is missed; 2 for wrong usage.
    """
    parser = argparse.ArgumentParser(description=(benchmark.__doc__ or "").strip())
    parser.add_argument("--smoke", action="store_true", help="one run in a small size")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--seed", type=int, default=7, help="seed of the made-up data (%(default)s)")
    parser.add_argument("--runs", type=int, default=None, help=f"counted runs (1 in smoke size, else {RUNS_FULL})")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a budget is missed")
    options = parser.parse_args(arguments)
    if options.runs is not None and options.runs < 1:
        parser.error("--runs must be at least 1")
    bench = Bench(benchmark.__name__, smoke=options.smoke, seed=options.seed, runs=options.runs)
    try:
        benchmark(bench)
    except WrongAnswerError as error:
        print(f"wrong answer in {error}", file=sys.stderr)
        return 1
    report = bench.report()
    print(json.dumps(as_json(report)) if options.json else as_text(report), flush=True)
    missed = any(verdict.met is False for verdict in report.budgets)
    return 1 if options.strict and missed else 0
