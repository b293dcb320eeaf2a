"""Two recordings side by side: the same messages in the same order, whatever host, life and hour they are of."""

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from libra_ray.bus.wire.frames import Kind
from libra_ray.errors import printable
from libra_ray.messages.class_names import has_arrow_door
from libra_ray.messages.codec import DecodeError
from libra_ray.runtime.inbox import Lane
from libra_ray.testing.traffic import Crossing, read_traffic

__all__ = ["IGNORED_FIELDS", "Traffic", "assert_same_traffic"]

Traffic: TypeAlias = Path | Iterable[Crossing]
"""A recording, or its records."""

IGNORED_FIELDS: Final = ("ts_ns", "deadline_ns", "epoch", "host_id")
"""Fields of messages that tell the hour, the life or the host and not what happened."""

_UPKEEP: Final = frozenset(
    kind.name
    for kind in (
        Kind.HELLO, Kind.WELCOME, Kind.ACK, Kind.HEARTBEAT, Kind.TABLE, Kind.RELEASE, Kind.CREDIT, Kind.GOODBYE,
        Kind.SUBSCRIBE,
    )
)  # fmt: skip
_REPLY = re.compile(r"reply:(\d+)")
_BEFORE: Final = 3
_CHARS_MAX: Final = 300


def assert_same_traffic(
    one: Traffic, other: Traffic, *, by_source: bool = False, ignoring: Collection[str] = IGNORED_FIELDS
) -> None:
    """Raise `AssertionError` at the first difference, with what is the same before it.

    Times, numbers, hosts and epochs of records do not count, nor fields of messages named in `ignoring`, nor frames
    that keep links alive. Correlations count by the order in which they came. `by_source` compares each (source, lane)
    by itself, which is all that is promised between hosts; it reads the recordings once for each.
    """
    if not by_source:
        _compare(_read(one), _read(other), ignoring, "")
        return
    one, other = (each if isinstance(each, Path) else list(each) for each in (one, other))
    streams = {(each.source, each.lane): None for traffic in (one, other) for each in _read(traffic)}
    for source, lane in sorted(streams):
        where = f" of {source or '(outside)'} in lane {Lane(lane).name}"
        _compare(_only(one, source, lane), _only(other, source, lane), ignoring, where)


def _read(traffic: Traffic) -> Iterator[Crossing]:
    found = read_traffic(traffic) if isinstance(traffic, Path) else traffic
    return (each for each in found if each.kind not in _UPKEEP)


def _only(traffic: Traffic, source: str, lane: int) -> Iterator[Crossing]:
    return (each for each in _read(traffic) if (each.source, each.lane) == (source, lane))


def _compare(one: Iterator[Crossing], other: Iterator[Crossing], ignoring: Collection[str], where: str) -> None:
    before: deque[str] = deque(maxlen=_BEFORE)
    sameness = _Sameness(ignoring)
    for number, (left, right) in enumerate(zip_longest(one, other), start=1):
        difference = None if left is None or right is None else sameness.difference(left, right)
        if left is not None and right is not None and difference is None:
            before.append(f"    {number:,}: {_shown(left)}")
            continue
        lines = [f"traffic differs at record {number:,}{where}{'' if difference is None else f', {difference}'}"]
        lines += [f"  one:   {_shown(left)}", f"  other: {_shown(right)}"]
        lines += ["  before it, in both:", *before] if before else []
        raise AssertionError("\n".join(lines))


class _Sameness:
    """What makes two records the same. Correlations are told by the place at which each side first had them."""

    def __init__(self, ignoring: Collection[str]) -> None:
        self._ignoring = frozenset(ignoring)
        self._numbers: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def difference(self, left: Crossing, right: Crossing) -> str | None:
        """Where two records differ first, with both values; None when they are the same."""
        for name in ("source", "lane", "kind", "destination", "type"):
            found = self._between(getattr(left, name), getattr(right, name), name)
            if found is not None:
                return found
        if left.kind in ("REQUEST", "REPLY", "DEADLINE") and not self._same_number(left.extra, right.extra):
            return f"correlation: {left.extra}, {right.extra}"
        if left.body == right.body:
            return None
        try:
            return self._between(left.message, right.message, left.type)
        except DecodeError as error:
            return f"bodies, which cannot be read here: {error}"

    def _between(self, left: Any, right: Any, path: str) -> str | None:  # noqa: ANN401 - any message
        if type(left) is not type(right):
            return _differs(path, left, right)
        if isinstance(left, msgspec.Struct):
            return self._between_fields(left, right, path)
        if isinstance(left, dict):
            if list(left) != list(right):
                return _differs(f"keys of {path}", list(left), list(right))
            return self._first(self._between(left[key], right[key], f"{path}[{key!r}]") for key in left)
        if isinstance(left, list | tuple):
            if len(left) != len(right):
                return _differs(f"length of {path}", len(left), len(right))
            return self._first(
                self._between(*pair, f"{path}[{index}]") for index, pair in enumerate(zip(left, right, strict=True))
            )
        numbers = [_REPLY.fullmatch(each) for each in (left, right)] if isinstance(left, str) else [None]
        if all(numbers):
            is_same = self._same_number(*(int(match[1]) for match in numbers if match))
        elif has_arrow_door(type(left)) and hasattr(left, "equals"):
            is_same = left.equals(right)
        else:
            is_same = left == right or (left != left and right != right)  # noqa: PLR0124 - not a number
        return None if is_same else _differs(path, left, right)

    def _between_fields(self, left: msgspec.Struct, right: msgspec.Struct, path: str) -> str | None:
        for name in left.__struct_fields__:
            if name in self._ignoring:
                continue
            ours, theirs = getattr(left, name), getattr(right, name)
            if name == "correlation_id":
                found = None if self._same_number(ours, theirs) else _differs(f"{path}.{name}", ours, theirs)
            else:
                found = self._between(ours, theirs, f"{path}.{name}")
            if found is not None:
                return found
        return None

    @staticmethod
    def _first(differences: Iterable[str | None]) -> str | None:
        return next((each for each in differences if each is not None), None)

    def _same_number(self, left: int, right: int) -> bool:
        places = [
            known.setdefault(number, len(known)) for known, number in zip(self._numbers, (left, right), strict=True)
        ]
        return places[0] == places[1]


def _differs(path: str, left: object, right: object) -> str:
    return f"{path}: {_cut(repr(left))} is not {_cut(repr(right))}"


def _shown(crossing: Crossing | None) -> str:
    if crossing is None:
        return "(nothing more)"
    try:
        content = _cut(repr(crossing.message)) if crossing.type else ""
    except DecodeError as error:
        content = f"{crossing.type} ({error})"
    head = f"{crossing.source or '(outside)'} {Lane(crossing.lane).name} {crossing.kind} {crossing.destination}"
    return f"{head} {content}".rstrip()


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _CHARS_MAX else f"{text[:_CHARS_MAX]}..."
