"""How the core is compiled: without counting references, which costs more than what is counted."""

from pathlib import Path
from typing import Any, Final, TypeVar

from numba import njit

from libra_ray.matching.forms import stamped

__all__ = ["core_sources", "entry", "inner", "once", "outer", "small"]

F = TypeVar("F")
_HERE: Final = Path(__file__).parent
_OPTIONS: Final[dict[str, Any]] = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def inner(function: F) -> F:
    """A function for compiled functions alone, which makes no arrays: callers keep those that they hand over."""
    form: F = njit(**_OPTIONS)(function)
    return form


def small(function: F) -> F:
    """`inner`, and copied into whoever calls it: a call hands over every field of every array."""
    form: F = njit(forceinline=True, **_OPTIONS)(function)
    return form


def once(function: F) -> F:
    """`inner`, and written out where it is called: for functions that one other calls."""
    form: F = njit(inline="always", **_OPTIONS)(function)
    return form


def entry(function: F) -> F:
    """`inner` for loops of other modules, kept on disk: fresh only while nothing in the core has changed."""
    form: F = stamped(njit(cache=True, **_OPTIONS)(function))
    return form


def outer(function: F) -> F:
    """A function for Python's own code, kept on disk as `entry` is."""
    form: F = stamped(njit(cache=True)(function))
    return form


def core_sources() -> tuple[Path, ...]:
    """The files that the core is made of."""
    matching = _HERE.parent
    rules = matching.parent.joinpath("model", "rules")
    return (*sorted(_HERE.glob("*.py")), *sorted(rules.glob("*.py")), matching.joinpath("bar_sizes.py"))
