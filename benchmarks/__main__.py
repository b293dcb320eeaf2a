"""All benchmarks, or those named, one process each: `python -m benchmarks [NAME...] [--smoke] [--json]`.

A process of its own keeps one benchmark's heap, threads and compiled code away from the next one's times.
"""

import argparse
import json
import subprocess
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from benchmarks.harness import benchmark_names

ROOT = Path(__file__).resolve().parent.parent


def run_all() -> int:
    """Run them in order of their names. Exit code 0; 1 when one failed; 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run the benchmarks of this checkout.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all when none is named")
    parser.add_argument("--smoke", action="store_true", help="one run each in a small size")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--strict", action="store_true", help="a missed budget fails the run")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    known = benchmark_names()
    if options.list:
        print(json.dumps(known) if options.json else "\n".join(known))
        return 0
    for name in options.names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            fix = f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known)}."
            parser.error(f"no benchmark '{name}'. {fix}")
    flags = [flag for flag, given in (("--smoke", options.smoke), ("--strict", options.strict)) if given]
    reports: list[dict[str, Any]] = []
    failed: list[str] = []
    for name in options.names or known:
        command = [sys.executable, "-m", f"benchmarks.{name}", *flags, *(["--json"] if options.json else [])]
        run = subprocess.run(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE if options.json else None, check=False
        )
        if run.returncode:
            failed.append(name)
        if options.json and run.stdout:
            reports.append(json.loads(run.stdout))
    if options.json:
        print(json.dumps({"benchmarks": reports, "failed": failed}))
    elif failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(run_all())
