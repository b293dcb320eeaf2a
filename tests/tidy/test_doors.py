"""What an import loads, and what the library must never import."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, Source, planted, sources_under

HEAVY = {"ray", "ccxt", "typer", "rich", "optuna", "pandas"}
OUTSIDE = {"tests", "examples", "cluster", "benchmarks"}


def loaded_by(statement: str, folder: Path) -> set[str]:
    """The top-level modules that a new interpreter holds after `statement`."""
    program = (
        f"import sys, json\n{statement}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    path = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'actors')!r}]\n"
    run = [sys.executable, "-c", path + program]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.slow
@pytest.mark.parametrize("package", ["libra_ray", "libra_actors"])
def test_an_import_loads_nothing_heavy(package: str, tmp_path: Path) -> None:
    loaded = loaded_by(f"import {package}", tmp_path)

    assert package in loaded
    assert loaded & HEAVY == set(), "import it inside the function that needs it"


@pytest.mark.slow
def test_a_heavy_import_is_seen(tmp_path: Path) -> None:
    assert loaded_by("import rich", tmp_path) & HEAVY == {"rich"}


def imports_from_outside(source: Source) -> Iterator[str]:
    """Each import of a folder that is not installed."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        yield from (f"{source.place(node)} {module}" for module in modules if module.split(".")[0] in OUTSIDE)


def test_nothing_installed_imports_what_is_not() -> None:
    sources = sources_under("libra_ray/", "actors/libra_actors/")

    assert [found for source in sources for found in imports_from_outside(source)] == []


@pytest.mark.parametrize("text", ["import tests.tidy", "from examples.ema import x", "def f():\n    import cluster"])
def test_a_planted_import_from_outside_is_found(text: str) -> None:
    assert len(list(imports_from_outside(planted(text)))) == 1
