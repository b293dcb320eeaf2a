"""The README's numbers: `python -m benchmarks.readme` measures them, keeps them and writes them into the README.

The measurement is kept in `benchmarks/measured.json`; a test holds the README's table against it, so no figure there is
typed by hand. `--write-only` renders the kept measurement again, `--only NAME ...` measures some and keeps the others.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["MEASURED", "README", "rendered", "with_numbers"]

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MEASURED = Path(__file__).resolve().parent / "measured.json"
NAMES = (
    "engine_noop_quotes", "engine_ema_cross", "compiled_ema_cross", "capture_replay", "bus_one_to_one", "host_latency",
    "host_throughput", "tick_to_order", "sweep_grid", "sweep_scaling", "sweep_overhead", "cold_start", "import_csv",
    "capture_import", "catalog_scan", "merge_streams",
)  # fmt: skip
MILLION, THOUSAND = 1e6, 1e3
_BLOCK = re.compile(r"<!-- numbers -->\n.*?(?=\nEach figure)", re.DOTALL)


def rendered(document: dict[str, Any]) -> str:
    """A Markdown table of the budgeted figures, and of rates where there is no budget, with machine and versions."""
    lines = ["| benchmark | figure | measured | budget |", "| --- | --- | --- | --- |"]
    for report in document["benchmarks"]:
        name = report["benchmark"]
        lines.extend(f"| `{name}` | {b['route']} | {_measured(b)} | {_limit(b)} |" for b in report["budgets"])
        if not report["budgets"]:
            lines.extend(f"| `{name}` | {r['name']} | {r['items_per_s']:,.1f} items/s | |" for r in report["routes"])
    first = document["benchmarks"][0]
    machine, versions = first["machine"], first["versions"]
    shown = ", ".join(f"{name} {versions[name]}" for name in ("python", "numpy", "numba", "pyarrow", "ray"))
    commits = ", ".join(dict.fromkeys(report["commit"] for report in document["benchmarks"]))
    lines += ["", f"Measured on {machine['cpu']}, {machine['cores']} cores; {shown}; commits {commits}."]
    return "\n".join(lines)


def with_numbers(readme: str, document: dict[str, Any]) -> str:
    """The README's text with the table of `document` in its place."""
    return _BLOCK.sub(lambda _: f"<!-- numbers -->\n\n{rendered(document)}\n", readme)


def _measured(budget: dict[str, Any]) -> str:
    value = budget["measured"]
    if budget["kind"] == "rate":
        return _rate(value)
    return _seconds(value) if budget["kind"] == "seconds" else f"{value:.2f} x {budget['of']}"


def _limit(budget: dict[str, Any]) -> str:
    limit = budget["limit"]
    if budget["kind"] == "rate":
        return f"at least {_rate(limit)}"
    if budget["kind"] == "seconds":
        return f"at most {_seconds(limit)}"
    return f"at most {limit:g} x {budget['of']}"


def _rate(value: float) -> str:
    """Millions a second, thousands where there are fewer."""
    return f"{value / MILLION:.1f} M/s" if value >= MILLION else f"{value / THOUSAND:.1f} k/s"


def _seconds(value: float) -> str:
    """Seconds; milliseconds or microseconds below."""
    if value >= 1:
        return f"{value:.2f} s"
    return f"{value * THOUSAND:.2f} ms" if value * THOUSAND >= 1 else f"{value * MILLION:.0f} us"


def main() -> int:
    """Measure (or take what is kept), keep, write. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__)
    parser.add_argument("--write-only", action="store_true", help="render the kept measurement, measure nothing")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    arguments = parser.parse_args()
    if not arguments.write_only:
        command = [sys.executable, "-m", "benchmarks", *arguments.only, "--json"]
        done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
        document = json.loads(done.stdout)
        if document["failed"]:
            print(f"failed: {', '.join(document['failed'])}", file=sys.stderr)
            return 1
        kept = json.loads(MEASURED.read_text(encoding="utf-8"))["benchmarks"] if MEASURED.is_file() else []
        reports = {report["benchmark"]: report for report in (*kept, *document["benchmarks"])}
        document["benchmarks"] = [reports[name] for name in NAMES if name in reports]
        MEASURED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    kept = json.loads(MEASURED.read_text(encoding="utf-8"))
    README.write_text(with_numbers(README.read_text(encoding="utf-8"), kept), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
