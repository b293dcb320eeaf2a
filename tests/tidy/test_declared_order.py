"""Two runs of one seed are equal: no memory address, no hash and no order of a set decides anything."""

import ast
from collections import deque
from collections.abc import Iterator

import pytest

from tests.tidy.sources import Source, planted, sources_under

SET_MAKERS = {"set", "frozenset"}
SET_ANNOTATIONS = {"set", "frozenset", "Set", "AbstractSet", "MutableSet"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
# What turns the order of its argument into a result, and what does not.
ORDER_KEEPERS = {"list", "tuple", "iter", "enumerate", "zip", "map", "filter", "deque", "join", "array", "fromkeys"}
ORDER_LOSERS = {"sorted", "len", "sum", "min", "max", "any", "all", *SET_MAKERS}
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
SCOPES = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def unordered_uses(source: Source) -> Iterator[str]:
    """Each use of `id` or `hash` outside `__hash__`, and each place where a set's order becomes visible."""
    yield from _uses_in(source, source.tree, sets=_attributes_of_sets(source.tree))


def _uses_in(source: Source, scope: Scope, *, sets: frozenset[str]) -> Iterator[str]:
    nodes = list(_own_nodes(scope))
    sets |= _names_of_sets(scope, nodes, sets)
    harmless = {part for node in nodes for part in _harmless(node, in_hash=getattr(scope, "name", "") == "__hash__")}
    for node in nodes:
        if node in harmless:
            continue
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from _uses_in(source, node, sets=sets)
            case ast.Call(func=ast.Name(id="id" | "hash" as name)):
                yield f"{source.place(node)} {name}()"
            case ast.For(iter=over) | ast.comprehension(iter=over) if _is_set(over, sets):
                yield f"{source.place(over)} loop over a set"
            case ast.Call(func=func, args=[*_, over]) if _name(func) in ORDER_KEEPERS and _is_set(over, sets):
                yield f"{source.place(over)} {_name(func)} of a set"
            case ast.Starred(value=over) if _is_set(over, sets):
                yield f"{source.place(over)} unpacked set"
            case ast.Call(func=ast.Attribute(attr="pop", value=over), args=[]) if _is_set(over, sets):
                yield f"{source.place(over)} pop from a set"
            case _:
                continue


def _own_nodes(scope: Scope) -> Iterator[ast.AST]:
    """All nodes of a scope; of a scope inside it only its head."""
    waiting = deque(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.popleft()
        yield node
        if not isinstance(node, SCOPES):
            waiting += ast.iter_child_nodes(node)


def _harmless(node: ast.AST, *, in_hash: bool) -> list[ast.AST]:
    """What would look unordered and is not: a loop whose order its taker loses, a test whether something hashes."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp(generators=loops), *_]) if name in ORDER_LOSERS:
            return list(loops)
        case ast.SetComp(generators=loops):
            return list(loops)
        case ast.Expr(value=ast.Call(func=ast.Name(id="hash")) as call):
            return [call]
        case ast.Call(func=ast.Name(id="hash")) if in_hash:
            return [node]
        case _:
            return []


def _attributes_of_sets(tree: ast.Module) -> frozenset[str]:
    """Names of attributes that the file annotates as a set, or gives one to."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(body=body):
                fields = [part for part in body if isinstance(part, ast.AnnAssign)]
                names.update(_name(part.target) for part in fields if _is_set_annotation(part.annotation))
            case ast.AnnAssign(target=ast.Attribute(attr=name), annotation=annotation):
                names.update({name} if _is_set_annotation(annotation) else ())
            case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if _is_set(value, frozenset()):
                names.add(name)
            case _:
                continue
    return frozenset(f".{name}" for name in names)


def _names_of_sets(scope: Scope, nodes: list[ast.AST], sets: frozenset[str]) -> frozenset[str]:
    """Names of one scope that are annotated as a set, or are given one."""
    names: set[str] = set()
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
        names.update(one.arg for one in arguments if one.annotation and _is_set_annotation(one.annotation))
    for node in nodes:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation) if _is_set_annotation(annotation):
                names.add(name)
            case ast.Assign(targets=targets, value=value) if _is_set(value, sets | names):
                names.update(target.id for target in targets if isinstance(target, ast.Name))
            case _:
                continue
    return frozenset(names)


def _is_set(node: ast.expr, sets: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SET_MAKERS
        case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in {*SET_METHODS, "copy"}:
            return _is_set(value, sets)
        case ast.BinOp(op=op, left=left, right=right) if isinstance(op, SET_OPERATORS):
            return _is_set(left, sets) or _is_set(right, sets)
        case ast.Name(id=name):
            return name in sets
        case ast.Attribute(attr=name):
            return f".{name}" in sets
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


@pytest.mark.slow
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
        "class A:\n    def f(self):\n        self.ids = set()\n    def g(self):\n        for x in self.ids: ...",
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
        "total = sum(x.size for x in set(a))",
        "names = {x.name for x in set(a)}",
        "hash(x)",
        "def f():\n    a = set()\ndef g(a: list[int]):\n    for x in a: ...",
    ],
)
def test_membership_sorting_and_counting_are_fine(text: str) -> None:
    assert list(unordered_uses(planted(text))) == []
