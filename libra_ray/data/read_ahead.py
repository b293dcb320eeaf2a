"""The next item is made in a thread while the last one is used: reading and cutting beside converting."""

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items in the same order, one of them ahead; what making an item raises is raised at its place."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        ahead: Future[T | object] = pool.submit(next, items, end)
        while (item := ahead.result()) is not end:
            ahead = pool.submit(next, items, end)
            yield item  # type: ignore[misc]  # the end is no item
