"""What a benchmark says: the same facts as a text for a person and as one JSON document for a program."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks._machine import Machine

__all__ = ["Report", "Route", "Verdict", "as_json", "as_text", "rate_text", "seconds_text", "table"]

SECOND_UNITS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
RATE_UNITS: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
BEFORE_COMMA_MAX: Final = 100
HEAD: Final = ("route", "median", "min - max", "cpu", "items/s", "ratio")


@dataclass(frozen=True)
class Route:
    """The times of one route.

    Attributes:
        cpu_seconds_median: time on a core, of this process and of programs it waited for, not of Ray's; where it is
            far below the others, the machine was busy with something else.
        ratio: its time over that of `floor`, the median of the ratios within each run.
    """

    name: str
    items: int
    seconds_median: float
    seconds_min: float
    seconds_max: float
    cpu_seconds_median: float
    items_per_s: float
    floor: str | None
    ratio: float | None
    seconds: list[float]


@dataclass(frozen=True)
class Verdict:
    """A budget and what became of it: `kind` is ratio, seconds or rate; `met` is None in smoke size."""

    route: str
    kind: str
    limit: float
    of: str | None
    measured: float
    met: bool | None


@dataclass(frozen=True)
class Report:
    """All that is known of one benchmark."""

    benchmark: str
    size: str
    sizes: dict[str, int]
    seed: int
    runs: int
    routes: list[Route]
    budgets: list[Verdict]
    facts: dict[str, str | int | float]
    checks: int
    warnings: list[str]
    machine: Machine


def as_json(report: Report) -> dict[str, Any]:
    """Give the report as plain values; machine, versions and commit stand at the top level."""
    document = asdict(report)
    machine = document.pop("machine")
    return document | {"versions": machine.pop("versions"), "commit": machine.pop("commit"), "machine": machine}


def as_text(report: Report) -> str:
    """Write the report for a person."""
    runs = "1 run" if report.runs == 1 else f"{report.runs} runs"
    lines = [f"{report.benchmark}: {report.size} size, {runs}, seed {report.seed}"]
    if report.sizes:
        lines.append("  " + ", ".join(f"{name} {value:,}" for name, value in report.sizes.items()))
    lines += [f"  {line}" for line in table(HEAD, [_cells(route) for route in report.routes])]
    lines += [f"  {name.replace('_', ' ')}: {_value(value)}" for name, value in report.facts.items()]
    lines += [f"  budget: {_budget(verdict)}" for verdict in report.budgets]
    lines.append(f"  answers checked: {report.checks}")
    lines += [f"  warning: {warning}" for warning in report.warnings]
    machine = report.machine
    versions = ", ".join(f"{name} {value}" for name, value in machine.versions.items())
    lines.append(f"  {machine.cpu}, {machine.cores} cores; {versions}; commit {machine.commit}")
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a text table, a line each: the first column to the left, the others to the right."""
    first, *others = zip(head, *rows, strict=True)
    columns = [_padded(first, str.ljust), *(_padded(column, str.rjust) for column in others)]
    return ["  ".join(line).rstrip() for line in zip(*columns, strict=True)]


def seconds_text(seconds: float) -> str:
    """Write three digits and a fitting unit: `12.3 ms`."""
    for size, unit in SECOND_UNITS:
        if seconds >= size or unit == SECOND_UNITS[-1][1]:
            return f"{_three_digits(seconds / size)} {unit}"
    raise ValueError(seconds)


def rate_text(items_per_s: float) -> str:
    """Write three digits and a fitting unit: `4.56 M`."""
    for size, unit in RATE_UNITS:
        if items_per_s >= size:
            return f"{_three_digits(items_per_s / size)} {unit}"
    return _three_digits(items_per_s)


def _padded(column: Sequence[str], pad: Callable[[str, int], str]) -> list[str]:
    width = max(map(len, column))
    return [pad(cell, width) for cell in column]


def _cells(route: Route) -> tuple[str, ...]:
    spread = f"{seconds_text(route.seconds_min)} - {seconds_text(route.seconds_max)}"
    ratio = "" if route.ratio is None else f"{route.ratio:.2f} x {route.floor}"
    cpu = seconds_text(route.cpu_seconds_median) if route.cpu_seconds_median else ""
    return route.name, seconds_text(route.seconds_median), spread, cpu, rate_text(route.items_per_s), ratio


def _budget(verdict: Verdict) -> str:
    outcome = {True: "met", False: "MISSED", None: "not judged in smoke size"}[verdict.met]
    match verdict.kind:
        case "ratio":
            promise, measured = f"at most {verdict.limit:.2f} x {verdict.of}", f"{verdict.measured:.2f} x"
        case "seconds":
            promise, measured = f"at most {seconds_text(verdict.limit)}", seconds_text(verdict.measured)
        case _:
            promise, measured = f"at least {rate_text(verdict.limit)} items/s", rate_text(verdict.measured)
    return f"{verdict.route} {promise}: {measured}, {outcome}"


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= BEFORE_COMMA_MAX else f"{value:.3g}"
