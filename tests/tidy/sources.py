"""What the tidy tests look at: parsed files of the project, found by walking, so that a new file is seen at once."""

import ast
import dataclasses
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["ROOT", "Source", "all_sources", "planted", "project_files", "sources_under"]

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Source:
    """One Python file: `path` is relative to the project, `tree` its syntax."""

    path: str
    text: str
    tree: ast.Module

    def place(self, node: ast.AST) -> str:
        """`path:line`, as an editor opens it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    @property
    def module(self) -> str:
        """The name it is imported by."""
        return self.path.removeprefix("actors/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def project_files() -> tuple[Path, ...]:
    """What git tracks or would add: neither caches nor environments. Needs a checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60).stdout.decode().split("\0")
    return tuple(path for path in sorted(ROOT / name for name in listed if name) if path.is_file())


@cache
def all_sources() -> tuple[Source, ...]:
    """Every Python file of the project, in order of path."""
    paths = [path for path in project_files() if path.suffix == ".py"]
    return tuple(_source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


def sources_under(*prefixes: str) -> list[Source]:
    """The files under one of `prefixes`. None at all is a failure: a check of nothing would pass."""
    found = [source for source in all_sources() if source.path.startswith(prefixes)]
    assert found, f"no Python file under {prefixes}"
    return found


def planted(text: str) -> Source:
    """A `Source` of a text with a fault in it: each check must be seen to find one."""
    return _source("planted.py", text)


def _source(path: str, text: str) -> Source:
    return Source(path, text, ast.parse(text, path))
