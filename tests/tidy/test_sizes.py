"""Lengths are a ratchet: nothing new grows large, and what is large may only shrink."""

import ast
from collections.abc import Iterator

from tests.tidy.sources import Source, all_sources, planted

FILE_LINES_MAX = 450
FUNCTION_LINES_MAX = 120
# `path` or `path::function` to its present length. Lower the number when it shrinks; take it out when it is small.
LARGE: dict[str, int] = {}


def large_things(source: Source) -> Iterator[tuple[str, int]]:
    """Each file and function past its limit, with its lines."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield source.path, lines
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{source.path}::{node.name}", lines


def test_no_file_or_function_is_larger_than_it_was() -> None:
    assert len(all_sources()) > 1

    found = dict(item for source in all_sources() for item in large_things(source))

    assert found == LARGE, "split by noun or by step; LARGE only ever gets smaller"


def test_a_planted_giant_is_found() -> None:
    giant = "def f():\n" + "    x = 1\n" * FILE_LINES_MAX

    assert list(large_things(planted(giant))) == [("planted.py", 451), ("planted.py::f", 451)]
