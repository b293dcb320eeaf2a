"""Comparing the simulated venue with the reference on random flow."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from libra_ray.testing.random_flow import KINDS, random_scenario
from libra_ray.testing.reference import reference_run
from libra_ray.testing.scenario_needs import needs_of
from libra_ray.testing.scenario_run import run_scenario

__all__ = ["Comparison", "Difference", "compare_document", "compare_random", "orders_of", "shrunk", "signature"]

ORDERS_PER_DOCUMENT = 60
LINES_MAX = 12


@dataclass(frozen=True)
class Difference:
    """A document on which the two disagree, as small as it could be made, and where."""

    seed: int
    kind: str
    lines: list[str]
    document: dict[str, Any]


@dataclass
class Comparison:
    """What a comparison found.

    Attributes:
        orders: submitted by all documents together.
        unsupported: tags that this build lacks, with the number of documents left out for them.
        difference: the first one, or None.
    """

    orders: int = 0
    documents: int = 0
    unsupported: dict[str, int] = field(default_factory=dict)
    difference: Difference | None = None

    @property
    def ok(self) -> bool:
        """Whether the two agreed on everything."""
        return self.difference is None


def compare_document(document: dict[str, Any]) -> list[str]:
    """Lines `path: expected X, got Y` where the engine gives other than the reference, X; empty when they agree.

    Events, bookings, timeline and the whole final state are compared. An engine that raises is a difference too.
    """
    result = reference_run(document)
    expect = {
        "events": [row if row[3] else row[:3] for row in result.events],
        "final": result.final,
        "timeline": result.timeline,
    }
    if result.bookings:
        expect["bookings"] = result.bookings
    try:
        outcome = run_scenario({**document, "expect": expect})
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the engine gave
        return [f"engine: expected a result, got {type(error).__name__}: {error}"]
    if outcome.unsupported:
        return [f"unsupported: {tag}" for tag in outcome.unsupported]
    return outcome.diff


def orders_of(document: dict[str, Any]) -> int:
    """How many orders the document's actions name."""
    return sum(_orders_in(operation) for block in document["actions"] for operation in block["do"])


def _orders_in(operation: dict[str, Any]) -> int:
    counts = {"submit": 1, "close": 1, "bracket": 3, "submit_list": len(operation.get("orders", []))}
    return counts.get(operation["op"], 0)


def compare_random(
    orders: int,
    seed: int = 0,
    kinds: Sequence[str] = KINDS,
    *,
    leave_out: frozenset[str] = frozenset(),
    per_document: int = ORDERS_PER_DOCUMENT,
) -> Comparison:
    """Compare on random documents until at least `orders` orders were submitted, or until the first difference.

    Documents take their kinds in turn and their seeds from `seed` on. O(orders).
    """
    found = Comparison()
    at = seed
    while found.orders < orders:
        kind = kinds[at % len(kinds)]
        document = random_scenario(at, kind=kind, orders=per_document, leave_out=leave_out)
        lines = compare_document(document)
        found.documents += 1
        if lines and all(line.startswith("unsupported: ") for line in lines):
            for line in lines:
                tag = line.removeprefix("unsupported: ")
                found.unsupported[tag] = found.unsupported.get(tag, 0) + 1
        elif lines:
            small = shrunk(document)
            found.difference = Difference(at, kind, compare_document(small)[:LINES_MAX], small)
            return found
        found.orders += orders_of(document)
        at += 1
    return found


# ---------------------------------------------------------------------- making it small


def signature(lines: list[str]) -> str:
    """What kind of difference it is: the names and codes of the first line, without labels and numbers."""
    if not lines:
        return ""
    places = "unsupported|fault|engine|balances|positions|locked|timeline|bookings"
    words = re.findall(rf"'([A-Z_]{{3,}})'|({places})", lines[0])
    return " ".join(name or place for name, place in words) or re.sub(r"[0-9.-]+", "", lines[0])


def shrunk(document: dict[str, Any]) -> dict[str, Any]:
    """The smallest prefix of the data that still differs, then without every operation and row that is not needed.

    What stays must differ in the same way (`signature`), so that one difference does not turn into another.
    """
    wanted = signature(compare_document(document))

    def differs(candidate: dict[str, Any]) -> bool:
        return signature(compare_document(candidate)) == wanted

    low, high = 1, len(document["data"])
    while low < high:
        middle = (low + high) // 2
        if differs(_prefix(document, middle)):
            high = middle
        else:
            low = middle + 1
    small = _prefix(document, high)
    if not differs(small):  # not monotone: a later row undid it
        small = document
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for candidate in _smaller(small):
            if differs(candidate):
                small, is_smaller = candidate, True
                break
    return small


def _prefix(document: dict[str, Any], rows: int) -> dict[str, Any]:
    blocks = [block for block in document["actions"] if block.get("at", 0) < rows]
    return _with(document, data=document["data"][:rows], actions=blocks)


def _with(document: dict[str, Any], **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of a document
    changed = {**document, **parts}
    return {**changed, "needs": needs_of(changed) or ["market"]}


def _smaller(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with one thing less: half of the blocks, a block, an operation, a row, an option."""
    blocks = document["actions"]
    half = len(blocks) // 2
    if half > 1:
        yield _with(document, actions=blocks[half:])
        yield _with(document, actions=blocks[:half])
    for at, block in enumerate(blocks):
        yield _with(document, actions=[*blocks[:at], *blocks[at + 1 :]])
        if len(block["do"]) > 1:
            for number in range(len(block["do"])):
                fewer = [*block["do"][:number], *block["do"][number + 1 :]]
                yield _with(document, actions=[*blocks[:at], {**block, "do": fewer}, *blocks[at + 1 :]])
    for at in range(len(document["data"]) - 1):
        if all(block.get("at") != at for block in blocks):
            yield _without_row(document, at)
    options = document["venue"].get("options", {})
    for name in options:
        fewer_options = {key: value for key, value in options.items() if key != name}
        yield _with(document, venue={**document["venue"], "options": fewer_options})


def _without_row(document: dict[str, Any], at: int) -> dict[str, Any]:
    blocks = [{**block, "at": block["at"] - 1} if block.get("at", -1) > at else block for block in document["actions"]]
    data = document["data"]
    return _with(document, data=[*data[:at], *data[at + 1 :]], actions=blocks)
