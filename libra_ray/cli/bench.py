"""`libra bench`: run the benchmarks of a checkout, each beside its floor."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from libra_ray.cli.answer import Answer
from libra_ray.cli.options import Debug, Json
from libra_ray.errors import ConfigError, did_you_mean, printable, quoted

__all__ = ["bench"]


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Benchmarks; default all.")] = None,
    *,
    smoke: Annotated[bool, typer.Option("--smoke", help="One short run each.", show_default=False)] = False,
    strict: Annotated[bool, typer.Option("--strict", help="A missed budget fails.", show_default=False)] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print the names and stop.", show_default=False)] = False,
    as_json: Json = False,
    _debug: Debug = False,
) -> Answer:
    """Measure this machine. Needs a checkout: the benchmarks are not installed with the library."""
    folder = checkout()
    known = list(json.loads(_run(folder, ["--list", "--json"]).stdout))
    if listed:
        return Answer({"benchmarks": known}, lambda out: out.writelines(f"{name}\n" for name in known))
    for name in names or []:
        if name not in known:
            raise ConfigError("CONF000", None, f"no benchmark {quoted(name)}", did_you_mean(name, known), name)
    flags = [flag for flag, given in (("--smoke", smoke), ("--strict", strict), ("--json", as_json)) if given]
    done = _run(folder, [*(names or []), *flags], keep=as_json)
    document = json.loads(done.stdout) if as_json and done.stdout else {}
    return Answer(document, lambda _: None, exit_code=done.returncode)


def _run(folder: Path, arguments: list[str], *, keep: bool = True) -> subprocess.CompletedProcess[str]:
    """The benchmarks of that checkout in a process of their own."""
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.PIPE if keep else None, text=True)  # noqa: S603


def checkout() -> Path:
    """The nearest folder, from the working folder up, that has benchmarks. Raises `ConfigError` CONF000."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "benchmarks" / "__main__.py").is_file():
            return folder
    fix = "Run it inside a checkout of libra_ray."
    raise ConfigError("CONF000", printable(here), "no folder 'benchmarks' here or above", fix, str(here))
