"""Money, prices and quantities are integers: no float in the packages that compute them."""

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import Source, planted, sources_under

PACKAGES = ("libra_ray/model/", "libra_ray/risk/", "libra_ray/portfolio/", "libra_ray/matching/")
FLOAT_TYPES = {"float", "float16", "float32", "float64", "double"}
# `path::function` to the reason. Besides these, `..._f` and `__float__` are float views: the way off the grid.
ALLOWED = {
    "libra_ray/model/numbers.py::": "names what a user may write for a number; a float is read by its shortest text",
}


def float_uses(source: Source) -> Iterator[tuple[str, str]]:
    """Each float literal, float type and true division: (`path::function`, what and where)."""
    yield from _uses(source, source.tree, scope="")


def _uses(source: Source, node: ast.AST, *, scope: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        if node.name.endswith("_f") or node.name == "__float__":
            return
        scope = f"{scope}.{node.name}".removeprefix(".")
    what = _what(node)
    if what:
        yield f"{source.path}::{scope}", f"{source.place(node)} {what} in {scope or 'the module'}"
    if not _is_type_test(node):
        for child in ast.iter_child_nodes(node):
            yield from _uses(source, child, scope=scope)


def _what(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=float() | complex()):
            return f"literal {node.value!r}"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()) if not _has_decimal(node):
            return "true division"
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in FLOAT_TYPES:
            return name
        case _:
            return None


def _has_decimal(node: ast.AST) -> bool:
    """Whether an operand is made by `Decimal(...)`: such a quotient is a Decimal."""
    return any(isinstance(part, ast.Call) and ast.unparse(part.func) == "Decimal" for part in ast.walk(node))


def _is_type_test(node: ast.AST) -> bool:
    """`isinstance(x, float)`: how a float is refused."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_float_where_money_is_computed(package: str) -> None:
    found = [where for source in sources_under(package) for key, where in float_uses(source) if key not in ALLOWED]

    assert found == [], "write integers of a stated scale; a float view is a function named `..._f`"


def test_every_allowed_float_is_still_there() -> None:
    used = {key for source in sources_under(*PACKAGES) for key, _ in float_uses(source)}

    assert sorted(set(ALLOWED) - used) == [], "take the entry out of ALLOWED"


@pytest.mark.parametrize(
    "text", ["x = 0.5", "x = 1e9", "x = a / b", "x /= 2", "x = float(a)", "x = np.float64(a)", "def f(x: float): ..."]
)
def test_a_planted_float_is_found(text: str) -> None:
    assert len(list(float_uses(planted(text)))) == 1


@pytest.mark.parametrize(
    "text", ["x = a // b", "isinstance(x, float)", "def px_f(self) -> float: return 0.1 / 2", "x = Decimal(a) / b"]
)
def test_integers_float_views_and_refusals_are_no_float(text: str) -> None:
    assert list(float_uses(planted(text))) == []
