"""The tree of commands. Only names and options are imported here; each command imports its work when it is called."""

from typing import Annotated

import typer

from libra_ray.cli.backtest import backtest
from libra_ray.cli.bench import bench
from libra_ray.cli.check import check
from libra_ray.cli.data import data
from libra_ray.cli.demo import demo
from libra_ray.cli.doctor import doctor
from libra_ray.cli.new import new
from libra_ray.cli.runs import runs
from libra_ray.cli.settings import settings
from libra_ray.cli.sweep import sweep
from libra_ray.cli.top import top

__all__ = ["app"]

app = typer.Typer(
    name="libra",
    help="Backtests, sweeps and data for libra_ray.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", show_default=False)] = False,
) -> None:
    """An actor-system runtime for algorithmic trading."""
    if version:
        from libra_ray.cli.versions import library_version

        typer.echo(f"libra {library_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


app.command()(demo)
app.command()(backtest)
app.command()(sweep)
app.add_typer(data, name="data")
app.add_typer(runs, name="runs")
app.add_typer(check, name="check")
app.command()(doctor)
app.command()(new)
app.add_typer(settings, name="config")
app.command()(bench)
app.command()(top)
