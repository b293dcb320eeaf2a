"""Checking scenario files: `libra check scenario PATH...`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from libra_ray.errors import ConfigError, DataError, quoted
from libra_ray.testing.scenario_run import run_scenario

__all__ = ["check_paths"]


def check_paths(paths: Iterable[str | Path]) -> dict[str, Any]:
    """Run every scenario of the files and folders given (recursively, sorted by path).

    Returns `{"passed", "failed", "unsupported": [names], "results": [{"name", "ok", "diff"}]}`. A scenario that needs
    what this build lacks is listed as unsupported and not run. Raises `ConfigError` for a file that is no scenario, and
    for two files of one name.
    """
    seen: dict[str, Path] = {}
    unsupported: list[str] = []
    results: list[dict[str, Any]] = []
    for path in _files(paths):
        document = _read(path)
        name = str(document.get("name"))
        if name in seen:
            what = f"scenario {quoted(name)} is also in {seen[name].name}"
            raise ConfigError("CONF007", str(path), what, "Give each scenario its own name.", name)
        seen[name] = path
        try:
            result = run_scenario(document)
        except (ConfigError, DataError) as error:
            place = f"{path} {error.place or ''}".rstrip()
            raise type(error)(error.code, place, error.what, error.fix, error.value) from error
        if result.unsupported:
            unsupported.append(result.name)
        else:
            results.append({"name": result.name, "ok": result.ok, "diff": result.diff})
    passed = sum(result["ok"] for result in results)
    return {"passed": passed, "failed": len(results) - passed, "unsupported": unsupported, "results": results}


def _files(paths: Iterable[str | Path]) -> list[Path]:
    found: list[Path] = []
    for each in map(Path, paths):
        if each.is_dir():
            found.extend(sorted(each.rglob("*.json")))
        elif each.is_file():
            found.append(each)
        else:
            raise ConfigError("CONF000", str(each), "no such file or folder", "Check the path.", str(each))
    if not found:
        raise ConfigError("CONF000", None, "0 scenario files", "Give a .json file or a folder of them.")
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError("CONF002", str(path), f"not JSON ({error})", "Correct the file.") from error
    except RecursionError as error:
        raise ConfigError(
            "CONF002", str(path), "lists and tables too deep in each other", "Correct the file."
        ) from error
    if not isinstance(document, dict):
        raise ConfigError("CONF002", str(path), "not a JSON object", "Correct the file.")
    return document
