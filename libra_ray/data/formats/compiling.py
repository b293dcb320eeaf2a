"""Compiled functions whose machine code on disk is fresh only while no scanner's source has changed."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from numba import njit

__all__ = ["compiled"]

F = TypeVar("F")
HERE: Final = Path(__file__).parent


def compiled(function: F) -> F:
    """`njit` with a cache. numba's own check looks at the function's file alone, not at the files of what it calls."""
    dispatcher: Any = njit(cache=True, nogil=True)(function)
    file = dispatcher._cache._cache_file  # noqa: SLF001 - numba has no public way to say what code was made of
    file._source_stamp = (file._source_stamp, _sources_digest())  # noqa: SLF001
    form: F = dispatcher
    return form


@cache
def _sources_digest() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(HERE.glob("*_scan.py")))).hexdigest()
