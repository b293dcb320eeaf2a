"""Which files code opens by itself: what it reads there, no check of the data it is given can see."""

import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

__all__ = ["opened_files"]

NOT_DATA: Final = frozenset({".py", ".pyc", ".pyi", ".so", ".nbi", ".nbc", ".toml"})
SYSTEM: Final = tuple(Path(folder) for folder in ("/proc", "/sys", "/dev", "/etc", "/usr"))
_WATCHERS: list[list[str]] = []
_HOOKED: list[bool] = []


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Files that are opened inside, in order of first opening: complete after the block.

    Code, settings and what belongs to Python or the system do not count. Libraries that open files without Python's
    help are not seen.
    """
    if not _HOOKED:
        _HOOKED.append(True)
        sys.addaudithook(_on_audit)  # for good: Python does not take a hook back
    seen: list[str] = []
    found: list[str] = []
    _WATCHERS.append(seen)
    try:
        yield found
    finally:
        _WATCHERS.remove(seen)
        found += dict.fromkeys(path for path in seen if _is_data(path))


def _on_audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _WATCHERS and event == "open" and isinstance(arguments[0], str):
        _WATCHERS[-1].append(arguments[0])


def _is_data(path: str) -> bool:
    whole = Path(path).absolute()
    if whole.suffix in NOT_DATA or any(whole.is_relative_to(folder) for folder in SYSTEM):
        return False
    own = {Path(folder) for folder in sysconfig.get_paths().values()} | {Path(sys.prefix), Path(sys.base_prefix)}
    return not any(whole.is_relative_to(folder) for folder in own)
