"""A time behind which no data can be read: what a check for looking ahead hides from the code that it checks.

A strategy may load data by itself, and would see what a shortened replay does not show it. Inside `horizon` each new
stream, whoever makes it and from whatever source, ends there.
"""

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["horizon", "horizon_ns"]

_ENDS_NS: list[int] = []


@contextmanager
def horizon(end_ns: int) -> Iterator[None]:
    """Inside, streams that are made in this process have no row at or behind `end_ns`; older ones keep theirs."""
    _ENDS_NS.append(end_ns)
    try:
        yield
    finally:
        _ENDS_NS.pop()


def horizon_ns() -> int | None:
    """The nearest horizon that holds now."""
    return min(_ENDS_NS, default=None)
