"""Constraints between parameters: `fast < slow`, as text in a run file or as a function."""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.sweeps.grid import Parameter

__all__ = ["Constraint", "ConstraintLike", "constraints_of"]

ConstraintLike: TypeAlias = str | Callable[[Mapping[str, Any]], bool]
Constraint: TypeAlias = Callable[[Mapping[str, Any]], bool]

_BINARY: Final[dict[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: Final[dict[type, Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
FIX: Final = 'Write for example "fast * 2 < slow".'


def constraints_of(given: Iterable[ConstraintLike], parameters: Sequence[Parameter]) -> tuple[Constraint, ...]:
    """Each as a function of a combination by name. In text a parameter goes by its name or by its setting's.

    Text may compare, add, subtract, multiply, divide, and use `and`, `or`, `not`; nothing else is evaluated. Raises
    `ConfigError` CONF002 for other text, CONF009 for a name that is no parameter.
    """
    names: dict[str, str] = {}
    for parameter in parameters:
        for alias in (parameter.name, f"{parameter.actor_id}.{parameter.setting}", parameter.setting):
            names.setdefault(alias.replace("-", "_"), parameter.name)
    return tuple(_parsed(each, _plain(each, parameters), names) if isinstance(each, str) else each for each in given)


def _parsed(text: str, plain: str, names: Mapping[str, str]) -> Constraint:
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError):
        raise ConfigError("CONF002", "constraints", f"{quoted(text)} is no comparison", FIX, text) from None
    _check(tree, text, names)
    return lambda combination: bool(_value(tree, combination, names))


def _plain(text: str, parameters: Sequence[Parameter]) -> str:
    """Actor ids with a dash, `EmaCross-1.fast`, as Python takes them for a name."""
    for actor_id in sorted({parameter.actor_id for parameter in parameters}, key=len, reverse=True):
        text = text.replace(f"{actor_id}.", f"{actor_id.replace('-', '_')}.")
    return text


def _check(node: ast.expr, text: str, names: Mapping[str, str]) -> None:
    match node:
        case ast.BoolOp(values=parts):
            children = parts
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            children = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            children = [left, right]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARE for op in ops):
            children = [left, *others]
        case ast.Constant(value=int() | float() | str() | bool()):
            children = []
        case ast.Name() | ast.Attribute():
            name = ast.unparse(node)
            if name not in names:
                what = f"{quoted(name)} in {quoted(text)} is no parameter of the sweep"
                raise ConfigError("CONF009", "constraints", what, did_you_mean(name, list(names)), name)
            children = []
        case _:
            what = f"{quoted(ast.unparse(node))} in {quoted(text)} is not evaluated"
            raise ConfigError("CONF002", "constraints", what, FIX, text)
    for child in children:
        _check(child, text, names)


def _value(node: ast.expr, combination: Mapping[str, Any], names: Mapping[str, str]) -> Any:  # noqa: ANN401
    match node:
        case ast.BoolOp(op=op, values=parts):
            test = all if isinstance(op, ast.And) else any
            return test(_value(part, combination, names) for part in parts)
        case ast.UnaryOp(op=op, operand=operand):
            value = _value(operand, combination, names)
            return not value if isinstance(op, ast.Not) else -value
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, combination, names), _value(right, combination, names))
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_value(each, combination, names) for each in (left, *others)]
            pairs = zip(ops, values, values[1:], strict=False)
            return all(_COMPARE[type(op)](one, other) for op, one, other in pairs)
        case ast.Constant(value=value):
            return value
        case _:
            return combination[names[ast.unparse(node)]]
