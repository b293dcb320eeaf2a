"""The rules of `model.rules`, compiled: their own text, with arithmetic that never wraps.

A rule's text multiplies and divides Python's integers, which have no largest one. Here each product is a checked one,
and a product that is divided goes through 128 bits; nothing else is changed.
"""

import ast
import inspect
from collections.abc import Callable
from textwrap import dedent
from typing import Any, Final

from libra_ray.matching.core import wide
from libra_ray.matching.core.forms import small
from libra_ray.model.rules import fees, margin, pnl

__all__ = ["compiled_rule", "fee_linear", "notional_linear", "pnl_linear", "released", "worst_notional"]

_DIVISIONS: Final = {"div_half_even": "mul_div_half_even", "div_ceil": "mul_div_ceil"}
_CHECKED: Final = {ast.Mult: "mul", ast.Add: "add", ast.Sub: "sub"}


class _Checked(ast.NodeTransformer):
    """Rewrites arithmetic; arguments in `bound` are known, and branches that they rule out are left out."""

    def __init__(self, bound: dict[str, bool]) -> None:
        self._bound = bound

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        name = _CHECKED.get(type(node.op))
        return node if name is None else _call(name, node.left, node.right)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in _DIVISIONS:
            above, below = node.args
            is_product = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Mult)
            factors = (above.left, above.right) if is_product else (above, ast.Constant(1))  # type: ignore[attr-defined]
            parts = [self.visit(each) for each in (*factors, below)]
            return _call(_DIVISIONS[node.func.id], *parts)
        self.generic_visit(node)
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        known = _known(node.test, self._bound)
        if known is None:
            self.generic_visit(node)
            return node
        kept = node.body if known else node.orelse
        return [self.visit(statement) for statement in kept]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.args.kwonlyargs = []
        node.args.kw_defaults = []
        node.returns = None
        for each in node.args.args:
            each.annotation = None
        body: list[ast.stmt] = []
        for statement in node.body[1:]:
            made = self.visit(statement)
            body += made if isinstance(made, list) else [made]
            if isinstance(body[-1], ast.Return):
                break
        node.body = body
        return node


def _known(test: ast.expr, bound: dict[str, bool]) -> bool | None:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        small = _known(test.operand, bound)
        return None if small is None else not small
    return bound.get(test.id) if isinstance(test, ast.Name) else None


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def compiled_rule(rule: Callable[..., int], **bound: bool) -> Any:  # noqa: ANN401  # what numba makes
    """A rule in its compiled form, which raises `OverflowError` beyond 64 bits; `bound` are its keyword arguments."""
    tree = ast.parse(dedent(inspect.getsource(rule)))
    made = ast.fix_missing_locations(_Checked(bound).visit(tree))
    names: dict[str, Any] = {name: getattr(wide, name) for name in wide.__all__}
    exec(compile(made, f"<{rule.__name__}, checked>", "exec"), names)  # noqa: S102  # the library's own text
    return small(names[rule.__name__])


fee_linear: Final = compiled_rule(fees.fee_linear)
released: Final = compiled_rule(pnl.released)
pnl_linear: Final = compiled_rule(pnl.pnl_linear)
worst_notional: Final = compiled_rule(margin.worst_notional)
notional_linear: Final = compiled_rule(margin.notional_units, inverse=False)
"""`notional_units(px_twice_raw, qty_raw)` of linear contracts."""
