"""What code a run is made by, as one hash."""

import inspect
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from libra_ray.simulation.run_folder import content_hash
from libra_ray.simulation.strategy_import import own_modules

__all__ = ["code_hash"]

LIBRARY: Final = Path(__file__).resolve().parents[1]
SHOWING: Final = ("cli", "analysis")
"""Parts of the library that show results and make none."""


def code_hash(classes: Iterable[type], folder: Path | None = None) -> str:
    """BLAKE2b-128 over the library's sources, those of the actors' modules and of their bases', and loaded modules
    below `folder`, that of a run file. A class that was typed into a prompt has no source and counts by its name.
    """  # noqa: D205  # what it covers needs the line
    files = {f"libra_ray/{path.relative_to(LIBRARY)}": path for path in _library_files()}
    typed: dict[str, str] = {}
    for cls in (base for each in classes for base in each.__mro__ if base.__module__.partition(".")[0] != "libra_ray"):
        try:
            source = inspect.getsourcefile(cls)
        except TypeError:  # of a prompt, or built in
            source = None
        if source is None:
            typed[f"{cls.__module__}.{cls.__qualname__}"] = ""
        else:
            files[cls.__module__] = Path(source)
    files |= {} if folder is None else own_modules(folder)
    digests = {name: blake2b(path.read_bytes(), digest_size=16).hexdigest() for name, path in files.items()}
    return content_hash(typed | digests)


def _library_files() -> list[Path]:
    found = LIBRARY.rglob("*.py")
    return sorted(path for path in found if path.relative_to(LIBRARY).parts[0] not in SHOWING)
