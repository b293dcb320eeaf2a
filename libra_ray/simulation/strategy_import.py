"""From `module.Class` of a run file to the class: searched beside the file first, then wherever Python looks."""

import sys
from collections.abc import Sequence
from importlib import import_module, invalidate_caches
from importlib.machinery import PathFinder
from pathlib import Path
from traceback import extract_tb
from typing import Final, TypeVar

from libra_ray.errors import ConfigError, UserError, did_you_mean, printable, quoted
from libra_ray.runtime.actor import Actor

__all__ = ["SEARCH_FOLDERS", "import_actor", "own_modules", "search_path"]

Kind = TypeVar("Kind", bound=Actor)

SEARCH_FOLDERS: Final = ("strategies", "src")
"""Folders beside the run file; the run file's own folder comes after them."""


def search_path(folder: Path) -> list[Path]:
    """Where classes are looked for first, in order; only folders that exist."""
    wanted = [*(folder / name for name in SEARCH_FOLDERS), folder]
    return [path.resolve() for path in wanted if path.is_dir()]


def import_actor(path: str, kind: type[Kind], *, folder: Path, place: str | None = None) -> type[Kind]:
    """The class that `path` names, a subclass of `kind`.

    The searched folders stay on `sys.path`: what the module imports later, and other processes that load the class,
    need them. Raises `ConfigError` CONF003 where it cannot be imported, CONF004 where it is no `kind`.
    """
    module_name, _, class_name = path.replace(":", ".").rpartition(".")
    searched = f"Searched: {', '.join(SEARCH_FOLDERS)}."
    if not module_name or not all(part.isidentifier() for part in f"{module_name}.{class_name}".split(".")):
        fix = 'Write for example "my_strategies.EmaCross".'
        raise ConfigError("CONF003", place, f"{quoted(path)} is not module.Class", fix, path)
    _prepare(module_name, search_path(folder))
    try:
        module = import_module(module_name)
    except UserError:
        raise
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            what = f"module {quoted(missing)} not found ({path})"
            raise ConfigError("CONF003", place, what, searched, path) from error
        what = f"module {quoted(module_name)} needs {quoted(missing)}, which is not installed ({path})"
        raise ConfigError("CONF003", place, what, f"Install {missing}.", path) from error
    except Exception as error:
        what = f"module {quoted(module_name)} does not import: {printable(error)}{_raised_at(error)}"
        raise ConfigError("CONF003", place, what, "Correct the module.", path) from error
    found = getattr(module, class_name, None)
    if found is None:
        known = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, kind)]
        what = f"module {quoted(module_name)} has no {quoted(class_name)}"
        raise ConfigError("CONF003", place, what, did_you_mean(class_name, known), path)
    if not (isinstance(found, type) and issubclass(found, kind)):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ConfigError("CONF004", place, f"{quoted(path)} is not {article} {kind.__name__}", "", path)
    return found


def own_modules(folder: Path) -> dict[str, Path]:
    """The loaded modules whose files lie below `folder`, by name: the code that a run's hash must cover."""
    root = folder.resolve()
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    paths = {name: Path(file).resolve() for name, file in files.items() if file}
    return {name: path for name, path in sorted(paths.items()) if path.is_relative_to(root)}


def _prepare(module_name: str, folders: Sequence[Path]) -> None:
    """Put the folders in front, and drop a module of the same name that was loaded from somewhere else."""
    for folder in reversed(folders):
        text = str(folder)
        if text in sys.path:
            sys.path.remove(text)
        sys.path.insert(0, text)
    invalidate_caches()
    top = module_name.partition(".")[0]
    spec = PathFinder.find_spec(top, [str(folder) for folder in folders])
    loaded = sys.modules.get(top)
    if spec is None or loaded is None or getattr(loaded, "__file__", None) == spec.origin:
        return
    for name in [name for name in sys.modules if name == top or name.startswith(f"{top}.")]:
        del sys.modules[name]


def _raised_at(error: Exception) -> str:
    """` (my.py:3)`: the innermost line that raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return ""  # its own text names file and line
    frames = extract_tb(error.__traceback__)
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
