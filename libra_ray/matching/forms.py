"""The two forms of one text: compiled over 64-bit integers, interpreted over Python's own, which have no largest one.

Instruments of 10 to 18 decimals need more than 64 bits. What is compiled for the others runs interpreted for them, so
each rule is written once, in what numba and Python have in common.
"""

import hashlib
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, Final, TypeVar

from numba import njit

__all__ = ["compiled", "inlined", "interpreted", "stamped"]

F = TypeVar("F")
HERE: Final = Path(__file__).parent
FOLDERS: Final = (HERE, HERE.parent.joinpath("model", "rules"))
_PLAIN: Final[dict[str, dict[str, Any]]] = {}


def compiled(function: F) -> F:
    """`njit` with a cache on disk that is fresh only while no file of the matching core or the rules has changed.

    numba's own looks at the function's file alone: after a change in the file of something that is called, it would go
    on with the old machine code.
    """
    form: F = stamped(njit(cache=True)(function))
    return form


def inlined(function: F) -> F:
    """`compiled`, and copied into whoever calls it: a call that hands over arrays costs 20 ns, more than a hash."""
    form: F = stamped(njit(cache=True, inline="always")(function))
    return form


def stamped(dispatcher: Any) -> Any:  # noqa: ANN401  # what `njit` makes
    """A function with a cache on disk, that cache fresh only while no file of the matching or the rules has changed."""
    file = dispatcher._cache._cache_file  # noqa: SLF001 - numba has no public way to say what code was made of
    file._source_stamp = (file._source_stamp, _sources_digest())  # noqa: SLF001
    return dispatcher


@cache
def _sources_digest() -> str:
    paths = sorted(path for folder in FOLDERS for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def interpreted(function: F) -> F:
    """The plain form of a compiled function. What it calls is plain too, also what it imports from other modules."""
    source: Any = getattr(function, "py_func", None)
    if source is None:
        raise TypeError(function)
    form: F = _plain_names(source)[source.__name__]
    return form


def _plain_names(source: FunctionType) -> dict[str, Any]:
    """The globals of a module with each compiled function replaced; made once, when its first function is asked for."""
    module = source.__module__
    names = _PLAIN.get(module)
    if names is None:
        names = _PLAIN[module] = dict(source.__globals__)
        for name, value in list(names.items()):
            inner = getattr(value, "py_func", None)
            if isinstance(inner, FunctionType):
                own = names if inner.__module__ == module else _plain_names(inner)
                names[name] = FunctionType(inner.__code__, own, inner.__name__, inner.__defaults__)
    return names
