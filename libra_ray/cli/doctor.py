"""`libra doctor`: whether this machine can run everything, and what to do where it cannot."""

from dataclasses import asdict
from typing import TextIO

from libra_ray.cli.answer import Answer
from libra_ray.cli.health import Check, checks
from libra_ray.cli.options import Debug, Json
from libra_ray.cli.tables import print_table

__all__ = ["doctor"]


def doctor(*, _json: Json = False, _debug: Debug = False) -> Answer:
    """Check Python, dependencies, memory, limits and folders. Exit 0 when healthy, 1 with what to do."""
    found = list(checks())
    problems = [check for check in found if not check.ok]

    def show(out: TextIO) -> None:
        print_table(out, ["", "check", "found", "what to do"], [_row(check) for check in found])
        out.write("healthy\n" if not problems else f"{len(problems)} to mend\n")

    document = {"healthy": not problems, "checks": [asdict(check) for check in found]}
    return Answer(document, show, exit_code=1 if problems else 0)


def _row(check: Check) -> list[str]:
    return ["ok" if check.ok else "!!", check.name, check.found, "" if check.ok else check.fix]
