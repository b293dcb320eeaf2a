"""`@compiled`: a handler as a plain function of state, parameters, a row and a desk, checked when it is declared."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any, Final, Generic, NamedTuple, ParamSpec, TypeVar, get_type_hints

from libra_ray.errors import StrategyError

__all__ = ["CompiledFunction", "Form", "Source", "compiled", "form_of", "refuse"]

P = ParamSpec("P")
R = TypeVar("R")

_TYPES: Final = {float: "float", int: "int", bool: "bool", list[float]: "floats"}


class Source(NamedTuple):
    """Where a function stands, and its tree with the line numbers of the file."""

    path: str
    tree: ast.FunctionDef


class Form(NamedTuple):
    """The named numbers of a state or of parameters: type by name, and the class."""

    cls: type
    types: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class CompiledFunction(Generic[P, R]):
    """What `@compiled` makes of a function. Called, it is that function; compiled it is when a run needs that."""

    function: Callable[P, R]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it interpreted."""
        return self.function(*args, **kwargs)

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @cached_property
    def plain(self) -> Callable[P, R]:
        """The function, calling other compiled functions without a detour."""
        function = self.function
        assert isinstance(function, FunctionType)  # noqa: S101  # the decorator saw to that
        callees = {name: each.plain for name, each in self.names.items() if isinstance(each, CompiledFunction)}
        if not callees or function.__closure__:
            return function
        names = {**function.__globals__, **callees}
        return FunctionType(function.__code__, names, function.__name__)

    @cached_property
    def source(self) -> Source:
        """Its source. Raises `StrategyError` STRAT010 where there is none to read."""
        function = self.function
        try:
            lines, first = inspect.getsourcelines(function)
            path = Path(inspect.getsourcefile(function) or "?").name
        except (OSError, TypeError) as error:
            fix = "Define it in a file or a notebook cell."
            raise StrategyError("STRAT010", None, f"the source of {self.name} cannot be read", fix) from error
        tree = ast.parse(textwrap.dedent("".join(lines)))
        ast.increment_lineno(tree, first - 1)
        node = _Plain().visit(tree).body[0]
        if not isinstance(node, ast.FunctionDef):
            raise StrategyError("STRAT010", f"{path}:{first}", f"{self.name} is no plain function", "Write def.")
        return Source(path, node)

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The annotations of its parameters and of what it returns."""
        return get_type_hints(self.function)

    @property
    def names(self) -> Mapping[str, Any]:
        """The names that it finds outside: those of its module, and of functions around it."""
        function = self.function
        assert isinstance(function, FunctionType)  # noqa: S101  # the decorator saw to that
        closure = inspect.getclosurevars(function)
        return {**closure.builtins, **closure.globals, **closure.nonlocals}


class _Plain(ast.NodeTransformer):
    """Writes `x += y` as `x = x + y`, so that there is one form of each assignment."""

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:  # the name that `ast` looks for
        read = ast.parse(ast.unparse(node.target), mode="eval").body
        value = ast.BinOp(read, node.op, node.value)
        for each in ast.walk(read):
            ast.copy_location(each, node)
        return ast.copy_location(ast.Assign([node.target], ast.copy_location(value, node)), node)


def compiled(function: Callable[P, R]) -> CompiledFunction[P, R]:
    """Declare a handler, or a function that handlers call, that both engines can run.

        @compiled
        def follow(state: CrossState, params: CrossParams, bar: BarValues, orders: Desk) -> None:
            state.fast += params.alpha * (bar.close_f - state.fast)

    `state` is a dataclass of floats, ints, bools and `list[float]`, `params` a NamedTuple of floats, ints and bools;
    the row is `BarValues`, `QuoteValues` or `TradeValues`; `orders` is the `Desk`. Functions that handlers call take
    these too, or floats, ints and bools, and give one of those. Raises `StrategyError` STRAT010 for anything that would
    not give the same numbers in both engines, with its line and what to write instead.
    """
    if not isinstance(function, FunctionType):
        raise StrategyError("STRAT010", None, f"{function!r} is no plain function", "Write @compiled above a def.")
    made: CompiledFunction[P, R] = CompiledFunction(function)
    from libra_ray.strategy.compiled.check import check

    check(made)
    return made


def form_of(cls: object, place: str) -> Form:
    """The fields of a state or of parameters. Raises `StrategyError` STRAT010 for another class or other types."""
    if isinstance(cls, type) and is_dataclass(cls):
        names = [field.name for field in fields(cls)]
    elif isinstance(cls, type) and issubclass(cls, tuple) and hasattr(cls, "_fields"):
        names = list(cls._fields)
    else:
        fix = "Give the state a @dataclass and the parameters a NamedTuple."
        raise StrategyError("STRAT010", place, f"{cls!r} has no declared fields", fix)
    hints = get_type_hints(cls)
    types: dict[str, str] = {}
    for name in names:
        kind = _TYPES.get(hints[name])
        if kind is None:
            fix = "Use float, int, bool or, in a state, list[float]."
            raise StrategyError("STRAT010", place, f"{cls.__name__}.{name} is {hints[name]}", fix)
        types[name] = kind
    return Form(cls, types)


def refuse(source: Source, node: ast.AST, what: str, fix: str) -> StrategyError:
    """The refusal of one place in a function."""
    line = getattr(node, "lineno", source.tree.lineno)
    return StrategyError("STRAT010", f"{source.path}:{line}", what, fix)
