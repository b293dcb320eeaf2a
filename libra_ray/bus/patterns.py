"""Patterns of topics: `*` stands for any run of characters, dots and nothing included, `?` for exactly one."""

import re
from collections.abc import Callable

__all__ = ["is_literal", "literal_length", "matcher"]


def is_literal(pattern: str) -> bool:
    """The pattern matches the topic of its own text and no other."""
    return "*" not in pattern and "?" not in pattern


def literal_length(pattern: str) -> int:
    """How much of a topic the pattern names: the characters before its first wildcard."""
    return len(re.split(r"[*?]", pattern, maxsplit=1)[0])


def matcher(pattern: str) -> Callable[[str], bool]:
    """A test for topics. Each `*` costs time linear in the topic: a piece once found is not looked for again."""
    first, *rest = (re.escape(piece).replace(r"\?", ".") for piece in pattern.split("*"))
    if rest:
        *middle, last = rest
        # The shortest way to each middle piece is as good as any other, so the regex need not come back to it.
        first += "".join(f"(?>.*?{piece})" for piece in middle if piece) + ".*" + last
    compiled = re.compile(first, re.DOTALL)
    return lambda topic: compiled.fullmatch(topic) is not None
