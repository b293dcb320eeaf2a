"""`libra top`: the tree of a deployment that runs: hosts, actors, lanes, and what they have lost."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json
from libra_ray.errors import ConfigError, did_you_mean, quoted

if TYPE_CHECKING:
    from rich.table import Table

    from libra_ray.hosts.status import HostStatus, TreeStatus

__all__ = ["top"]

INTERVAL_SECONDS: Final = 1.0
STALE_SECONDS: Final = 5.0
NS_PER_SECOND: Final = 10**9
LANES: Final = ("CONTROL", "RISK", "ORDERS", "SIGNALS", "MARKET_DATA")
HEADER: Final = (
    "host", "actor", "state", "epoch", "restarts", "pid", "c/r/o/s/m", "msg/s", "lag ms", "drops", "dead", "MB",
)  # fmt: skip


def top(
    session: Annotated[
        str | None, typer.Option("--session", help="Name or folder of the session; needed when several run.")
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Print the tree once and end.")] = False,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Show the tree of a running deployment. Ends when the deployment does; exit 2 when none runs."""
    folder, tree = _found(session)
    if not once and not as_json and sys.stdout.isatty():
        tree = _watched(folder, tree)
    return Answer(_document(folder, tree), lambda out: _print(out, tree))


def _found(session: str | None) -> tuple[Path, "TreeStatus"]:
    """The session asked for, or the only one. Raises `ConfigError` CONF002."""
    living = list(_living())
    names = [tree.name for _, tree in living]
    wanted = [
        (folder, tree)
        for folder, tree in living
        if session in (None, tree.name, tree.session, str(folder), folder.name)
    ]
    if len(wanted) == 1:
        return wanted[0]
    if session is not None and len(wanted) > 1:
        what, fix = f"{len(wanted)} sessions are called {quoted(session)}", "Give the folder of one."
    elif session is not None:
        what, fix = f"no session {quoted(session)} runs here", did_you_mean(session, names)
    elif living:
        what, fix = f"{len(living)} sessions run: {', '.join(str(folder) for folder, _ in living)}", "Name one of them."
    else:
        what, fix = "no session of this user runs on this machine", "Start one by libra_ray.deploy."
    raise ConfigError("CONF002", "--session", what, fix, session)


def _living() -> Iterator[tuple[Path, "TreeStatus"]]:
    from libra_ray.hosts.status import read_status
    from libra_ray.runtime.private_folders import live_folders

    for folder in live_folders():
        tree = read_status(folder)
        if tree is not None:
            yield folder, tree


def _watched(folder: Path, tree: "TreeStatus") -> "TreeStatus":
    """Show the tree until its session ends or somebody presses Ctrl-C; returns the last one."""
    from rich.live import Live

    from libra_ray.hosts.status import read_status
    from libra_ray.runtime.private_folders import live_folders

    with Live(_table(tree), refresh_per_second=4, screen=True) as live:
        try:
            while folder in live_folders():
                tree = read_status(folder) or tree
                live.update(_table(tree))
                time.sleep(INTERVAL_SECONDS)
        except KeyboardInterrupt:
            return tree
    return tree


def _document(folder: Path, tree: "TreeStatus") -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(tree), "folder": str(folder), "is_stale": _age_seconds(tree) > STALE_SECONDS}


def _age_seconds(tree: "TreeStatus") -> float:
    from libra_ray.clock import LiveClock

    return (LiveClock().now_ns() - tree.ts_ns) / NS_PER_SECOND


def _print(out: TextIO, tree: "TreeStatus") -> None:
    from rich.console import Console

    Console(file=out, highlight=False, width=None if out.isatty() else 160).print(_table(tree))


def _table(tree: "TreeStatus") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    halted = f", trading halted: {tree.halted_by}" if tree.halted_by else ""
    title = f"{tree.name}  {tree.state}  placement {tree.placement}{halted}"
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(HEADER):
        table.add_column(name, justify="left" if place < 3 else "right", overflow="fold")  # noqa: PLR2004 - names
    for row in _rows(tree):
        table.add_row(*(Text(cell) for cell in row))
    return table


def _rows(tree: "TreeStatus") -> Iterator[tuple[str, ...]]:
    """A line for each actor; what belongs to the host stands in its first one."""
    for host in tree.hosts:
        facts = _facts(host)
        if not host.actors:
            yield (host.host_id, "", host.state, *facts)
        for number, actor in enumerate(host.actors):
            state = actor.state if host.state == "UP" else f"{actor.state} ({host.state})"
            yield (
                ("" if number else host.host_id), actor.actor_id, state, *(facts if not number else ("",) * len(facts)),
            )  # fmt: skip


def _facts(host: "HostStatus") -> tuple[str, ...]:
    depths = "/".join(str(host.lanes[name].depth) if name in host.lanes else "0" for name in LANES)
    return (
        str(host.epoch),
        str(host.restarts),
        str(host.pid or "-"),
        depths,
        f"{host.messages_per_second:,.0f}",
        f"{host.lag_ns / 1e6:,.1f}",
        f"{host.drops:,}",
        f"{sum(host.dead_letters.values()):,}",
        f"{host.private_bytes / 1e6:,.0f}" if host.private_bytes else "-",
    )
