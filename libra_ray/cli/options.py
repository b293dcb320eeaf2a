"""The options that many commands share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from libra_ray.errors import ConfigError

if TYPE_CHECKING:
    from libra_ray.config import ConfigSource

__all__ = ["ConfigFile", "ConfigOption", "Debug", "Json", "NoReport", "RunsFolder", "Sets", "Workers", "read_source"]

Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.", show_default=False)
]
Debug: TypeAlias = Annotated[bool, typer.Option("--debug", help="Add the traceback to an error.", show_default=False)]
ConfigFile: TypeAlias = Annotated[Path | None, typer.Argument(metavar="CONFIG", help="The run file (TOML).")]
ConfigOption: TypeAlias = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="The run file, instead of the argument.")
]
Sets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one setting, such as run.seed=7. May be repeated."),
]
RunsFolder: TypeAlias = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where run folders are.")]
NoReport: TypeAlias = Annotated[bool, typer.Option("--no-report", help="Do not write the HTML report.")]
Workers: TypeAlias = Annotated[int | None, typer.Option("--workers", min=0, help="Processes; default one per core.")]


def read_source(argument: Path | None, option: Path | None, sets: list[str] | None) -> "ConfigSource":
    """The layers of one run: the file, `LIBRA_...` of the environment, `--set`. Raises `ConfigError`."""
    from libra_ray.config import ConfigSource

    path = argument or option
    if path is None:
        raise ConfigError("CONF000", None, "no configuration file given", "Give CONFIG, for example run.toml.")
    if argument is not None and option is not None and argument != option:
        raise ConfigError("CONF000", "--config", "a configuration file is given twice", "Give one.", str(option))
    return ConfigSource.read(path, environment=os.environ, sets=sets or [])
