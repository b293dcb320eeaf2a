"""`libra top`: the tree of a deployment that runs: hosts, actors, lanes, and what they have lost."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json
from libra_ray.errors import ConfigError, did_you_mean, printable, quoted

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from libra_ray.hosts.status import HostStatus, TreeStatus

__all__ = ["top"]

INTERVAL_SECONDS: Final = 1.0
STALE_SECONDS: Final = 5.0
NS_PER_SECOND: Final = 10**9
PLAIN_WIDTH: Final = 10_000
"""Where no terminal is, a line of the tree is one line."""
LANES: Final = ("CONTROL", "RISK", "ORDERS", "SIGNALS", "MARKET_DATA")
NAMES: Final = ("host", "actor", "state")
FACTS: Final = ("epoch", "restarts", "pid", "inbox", "msg/s", "lag ms", "drops", "dead", "cpu s", "MB")
LEGEND: Final = "inbox: what waits in lanes control/risk/orders/signals/market data; dead: letters that reached nobody"
COLOURS: Final = {
    "UP": "green", "RUNNING": "green",
    "STARTING": "yellow", "SUSPECT": "yellow", "DEGRADED": "yellow", "STOPPING": "yellow",
    "DOWN": "red", "GIVEN_UP": "red", "FAULTED": "red", "HALTED": "red",
}  # fmt: skip


def top(
    session: Annotated[
        str | None, typer.Option("--session", help="Name or folder of the session; needed when several run.")
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Print the tree once and end.", show_default=False)] = False,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Show the tree of a running deployment. Ends when the deployment does; exit 2 when none runs."""
    folder, tree = _found(session)
    if not once and not as_json and sys.stdout.isatty():
        tree = _watched(folder, tree)
    return Answer(_document(folder, tree), lambda out: _print(out, tree))


def _found(session: str | None) -> tuple[Path, "TreeStatus"]:
    """The session asked for, or the only one.

    Raises `ConfigError` CONF002 where there is not exactly one, `DataError` for one whose status cannot be read.
    """
    from libra_ray.hosts.status import TreeStatus, live_sessions

    living = live_sessions()
    names = {folder: _names(folder, said) for folder, said in living.items()}
    wanted = [folder for folder in living if session is None or session in names[folder]]
    if len(wanted) == 1:
        said = living[wanted[0]]
        if isinstance(said, TreeStatus):
            return wanted[0], said
        raise said
    if not living:
        what, fix = "no session of this user runs on this machine", "Start one by libra_ray.deploy."
        raise ConfigError("CONF002", None if session is None else "--session", what, fix, session)
    if not wanted:
        known = [known for each in names.values() for known in each[:1]]
        what, fix = f"no session {quoted(session)} runs here", did_you_mean(str(session), known)
    else:
        whose = "" if session is None else f" by the name {quoted(session)}"
        what, fix = f"{len(wanted)} sessions run{whose}: {', '.join(map(str, wanted))}", "Give the folder of one."
    raise ConfigError("CONF002", "--session", what, fix, session)


def _names(folder: Path, said: object) -> tuple[str, ...]:
    """How a session may be called: by its name, which another may have too, or by its folder."""
    from libra_ray.hosts.status import TreeStatus

    folders = (folder.name, str(folder))
    return (said.name, said.session, *folders) if isinstance(said, TreeStatus) else folders


def _watched(folder: Path, tree: "TreeStatus") -> "TreeStatus":
    """Show the tree until its session ends or somebody presses Ctrl-C; returns the last one."""
    from rich.live import Live

    from libra_ray.hosts.status import read_status
    from libra_ray.runtime.private_folders import live_folders

    live = Live(_view(tree), auto_refresh=False, screen=True)
    try:
        live.start(refresh=True)
        while folder in live_folders():
            tree = read_status(folder) or tree
            live.update(_view(tree), refresh=True)
            time.sleep(INTERVAL_SECONDS)
    except KeyboardInterrupt:
        return tree
    finally:  # and not by `with`: Ctrl-C may come while it starts
        live.stop()
    return tree


def _document(folder: Path, tree: "TreeStatus") -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(tree), "folder": str(folder), "is_stale": _age_seconds(tree) > STALE_SECONDS}


def _age_seconds(tree: "TreeStatus") -> float:
    from libra_ray.clock import LiveClock

    return (LiveClock().now_ns() - tree.ts_ns) / NS_PER_SECOND


def _print(out: TextIO, tree: "TreeStatus") -> None:
    from rich.console import Console

    Console(file=out, highlight=False, width=None if out.isatty() else PLAIN_WIDTH).print(_view(tree))


def _view(tree: "TreeStatus") -> "Group":
    """The title, the table, and a line for each reason that somebody has given."""
    from rich.console import Group
    from rich.text import Text

    title = Text(f"{printable(tree.name)}  ", style="bold")
    title.append(tree.state, style=COLOURS.get(tree.state, ""))
    title.append(f"  placement {printable(tree.placement)}")
    if tree.halted_by:
        title.append(f", trading halted: {printable(tree.halted_by)}")
    age = _age_seconds(tree)
    if age > STALE_SECONDS:
        title.append(f", told {age:,.0f} s ago", style="red")
    return Group(title, _table(tree), *map(Text, _reasons(tree)), Text(LEGEND, style="dim"))


def _table(tree: "TreeStatus") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in NAMES:
        table.add_column(name, overflow="fold")
    for name in FACTS:
        table.add_column(name, justify="right", overflow="fold")
    for host_id, actor_id, state, *facts in _rows(tree):
        colours = [COLOURS.get(word.strip("()"), "") for word in state.split()]
        shown = Text(state, style="red" if "red" in colours else colours[-1])
        table.add_row(Text(printable(host_id)), Text(printable(actor_id)), shown, *map(Text, facts))
    return table


def _rows(tree: "TreeStatus") -> Iterator[tuple[str, ...]]:
    """A line for each actor; what belongs to the host stands in its first one."""
    for host in tree.hosts:
        facts = _facts(host)
        if not host.actors:
            yield (host.host_id, "", host.state, *facts)
        for number, actor in enumerate(host.actors):
            state = actor.state if host.state in {"UP", actor.state} else f"{actor.state} ({host.state})"
            shown = ("",) * len(facts) if number else facts
            yield ("" if number else host.host_id, actor.actor_id, state, *shown)


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
        f"{host.cpu_seconds:,.1f}",
        f"{host.private_bytes / 1e6:,.0f}" if host.private_bytes else "-",
    )


def _reasons(tree: "TreeStatus") -> Iterator[str]:
    for host in tree.hosts:
        if host.reason:
            yield printable(f"host {host.host_id}: {host.reason}")
        for actor in host.actors:
            if actor.reason:
                yield printable(f"{actor.actor_id}: {actor.reason}")
