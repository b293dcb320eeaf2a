"""Two runs of one seed are equal: no memory address, no hash and no order of a set decides anything."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import Source, planted, sources_under

SET_MAKERS = {"set", "frozenset"}
SET_ANNOTATIONS = {"set", "frozenset", "Set", "AbstractSet", "MutableSet"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
# What turns the order of its argument into a result. `sorted`, `len`, `sum`, `min`, `max`, `any`, `all` do not.
ORDER_KEEPERS = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "deque", "join", "array", "fromkeys"}


def unordered_uses(source: Source) -> Iterator[str]:
    """Each call of `id` or `hash` outside `__hash__`, and each place where a set's order becomes visible."""
    sets = _names_of_sets(source.tree)
    hashers = {
        child
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__hash__"
        for child in ast.walk(node)
    }
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="id" | "hash" as name)) if node not in hashers:
                yield f"{source.place(node)} {name}()"
            case ast.For(iter=over) | ast.comprehension(iter=over) if _is_set(over, sets):
                yield f"{source.place(over)} loop over a set"
            case ast.Call(func=func, args=[*_, over]) if _name(func) in ORDER_KEEPERS and _is_set(over, sets):
                yield f"{source.place(over)} {_name(func)} of a set"
            case ast.Starred(value=over) if _is_set(over, sets):
                yield f"{source.place(over)} unpacked set"
            case ast.Call(func=ast.Attribute(attr="pop", value=over), args=[]) if _is_set(over, sets):
                yield f"{source.place(over)} pop from a set"


def _names_of_sets(tree: ast.Module) -> set[str]:
    """Names, attributes included, that the file annotates as a set or gives one to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(target=target, annotation=annotation) if _is_set_annotation(annotation):
                names.add(_name(target))
            case ast.arg(arg=name, annotation=ast.expr() as annotation) if _is_set_annotation(annotation):
                names.add(name)
            case ast.Assign(targets=targets, value=value) if _is_set(value, names):
                names.update(_name(target) for target in targets)
    return names - {""}


def _is_set(node: ast.expr, sets: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SET_MAKERS
        case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in {*SET_METHODS, "copy"}:
            return _is_set(value, sets)
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, SET_OPERATORS):
            return _is_set(left, sets) or _is_set(right, sets)
        case ast.Name() | ast.Attribute():
            return _name(node) in sets
        case _:
            return False


def _is_set_annotation(node: ast.expr) -> bool:
    return _name(node.value if isinstance(node, ast.Subscript) else node) in SET_ANNOTATIONS


def _name(node: ast.expr) -> str:
    """`name` of `name`, `self.name` and `a.b.name`; else nothing."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_no_address_hash_or_set_decides_an_order() -> None:
    found = [use for source in sources_under("libra_ray/", "actors/") for use in unordered_uses(source)]

    assert found == [], "use the rank of registration, `sorted(...)`, or a dict as an ordered set"


@pytest.mark.parametrize(
    "text",
    [
        "key = (ts, id(x))",
        "key = hash(x)",
        "for x in {1, 2}: ...",
        "for x in set(a): ...",
        "ys = [y for y in frozenset(a)]",
        "a = set()\nfor x in a: ...",
        "def f(a: set[int]):\n    return list(a)",
        "class A:\n    ids: frozenset[str]\n    def f(self): return ','.join(self.ids)",
        "a = {1}\nx = a.pop()",
        "a = {1}\nf(*a)",
        "for x in set(a) - set(b): ...",
    ],
)
def test_a_planted_unordered_use_is_found(text: str) -> None:
    assert len(list(unordered_uses(planted(text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "for x in sorted({1, 2}): ...",
        "n = len(set(a))",
        "x in {1, 2}",
        "for x in dict.fromkeys(a): ...",
        "class A:\n    def __hash__(self): return hash(self.x)",
        "total = sum(set(a))",
    ],
)
def test_membership_sorting_and_counting_are_fine(text: str) -> None:
    assert list(unordered_uses(planted(text))) == []
