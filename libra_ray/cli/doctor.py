"""`libra doctor`: whether this machine, or a cluster, can run everything, and what to do where it cannot."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.health import Check, checks
from libra_ray.cli.options import Debug, Json
from libra_ray.cli.tables import print_table
from libra_ray.errors import ConfigError

__all__ = ["doctor"]

HERE: Final = Path()


def doctor(
    *,
    cluster: Annotated[bool, typer.Option("--cluster", help="Look at the cluster of RAY_ADDRESS instead.")] = False,
    shared: Annotated[
        Path | None, typer.Option("--shared", metavar="DIR", help="The folder that all nodes should see; default here.")
    ] = None,
    _json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Check Python, dependencies, memory, limits and folders. Exit 0 when healthy, 1 with what to do.

    With `--cluster`: who may use it, the versions of all nodes, a shared folder, shared memory, room.
    """
    if shared is not None and not cluster:
        raise ConfigError("CONF000", "--shared", "it tells of a cluster's folder", "Add --cluster.", str(shared))
    found = list(_cluster_checks(shared or HERE) if cluster else checks())
    problems = [check for check in found if not check.ok]

    def show(out: TextIO) -> None:
        if cluster:
            out.writelines(_line(check) for check in found)
        else:
            print_table(out, ["", "check", "found", "what to do"], [_row(check) for check in found])
        out.write("healthy\n" if not problems else f"{len(problems)} to mend\n")

    document = {"healthy": not problems, "checks": [asdict(check) for check in found]}
    return Answer(document, show, exit_code=1 if problems else 0)


def _cluster_checks(shared: Path) -> list[Check]:
    from libra_ray.cli.cluster_health import cluster_checks

    return list(cluster_checks(shared))


def _line(check: Check) -> str:
    """Never folded, so that each finding is one line."""
    told = check.found if check.ok else f"{check.found}. {check.fix}"
    return f"{'ok' if check.ok else '!!'}  {check.name:<15}  {told}\n"


def _row(check: Check) -> list[str]:
    return ["ok" if check.ok else "!!", check.name, check.found, "" if check.ok else check.fix]
