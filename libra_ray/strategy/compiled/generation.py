"""From handlers to a module of compiled code: their own text with fields as places in arrays, and the loop around it.

The module lies in a folder that is named by a hash of everything its machine code is made of, so numba's cache, which
looks at one file alone, can never give the code of another text.
"""

import ast
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numba
import numpy as np

from libra_ray.strategy import numeric
from libra_ray.strategy.compiled.check import Signature, check, signature_of
from libra_ray.strategy.compiled.declarations import CompiledFunction, Form
from libra_ray.strategy.compiled.rows import ROWS, RowForm

__all__ = ["StateArrays", "cached_module", "handler_module", "module_text", "state_arrays"]

StateArrays = tuple[Any, ...]
"""Floats, ints and bools of a state as two arrays, then each of its arrays."""
_HERE: Final = Path(__file__).parent
_SOURCES: Final = ("checked_ints.py", "desk.py", "desk_calls.py", "rows.py", "../numeric.py")
_HEAD: Final = '''"""Made from {name}."""

from numba import njit

from libra_ray.strategy import numeric as _numeric
from libra_ray.strategy.compiled import checked_ints as _ints
from libra_ray.strategy.compiled import desk_calls as _desk
from libra_ray.strategy.compiled.rows import {values} as _Row

'''
_SCAN: Final = """
@njit(cache=True{options})
def scan(state, params, orders, times, columns, units, start, stop):
    ts, ts_event = times
    {names} = columns
    price_unit, size_unit = units
    for i in range(start, stop):
        row = _Row(ts[i], ts_event[i], {values})
        {handler}({arguments})
        if orders.counts[1] > 0:
            return i + 1
    return stop
"""


@cache
def handler_module(hook: str, handler: CompiledFunction[..., Any]) -> ModuleType:
    """The module of one handler: `scan(state, params, orders, times, columns, units, start, stop)` runs it over rows
    until one of them sends something, and returns the row after that.
    """  # noqa: D205  # what it has needs the line
    return cached_module(module_text(hook, handler))


def module_text(hook: str, handler: CompiledFunction[..., Any], *, tail: str = "") -> str:
    """The text of the module of a handler; `tail` is put behind it."""
    form = ROWS[hook]
    functions = _with_callees(handler)
    names = {function: f"_f{number}_{function.name}" for number, function in enumerate(functions)}
    texts = [_function_text(function, names) for function in reversed(functions)]
    signature = signature_of(handler)
    roles = {"state": "state", "params": "params", "row": "row", "desk": "orders"}
    columns = ", ".join(f"c_{name}" for name in form.columns)
    scan = _SCAN.format(
        options=_options(functions),
        names=columns,
        values=_row_values(form),
        handler=names[handler],
        arguments=", ".join(roles[signature.types[name]] for name in signature.arguments),
    )
    return _HEAD.format(name=handler.name, values=form.values.__name__) + "\n\n".join(texts) + "\n" + scan + tail


def state_arrays(state: Any) -> StateArrays:  # noqa: ANN401  # whatever dataclass the author has
    """A state as the arrays of its compiled form."""
    floats: list[float] = []
    ints: list[int] = []
    arrays: list[Any] = []
    for field in fields(state):
        value = getattr(state, field.name)
        if isinstance(value, list):
            arrays.append(np.array(value, np.float64))
        elif isinstance(value, float):
            floats.append(value)
        else:
            ints.append(int(value))
    return (np.array([*floats, 0.0]), np.array([*ints, 0], np.int64), *arrays)


def _row_values(form: RowForm) -> str:
    raw = [f"c_{name}[i]" for name in form.columns]
    floats = [f"c_{name}[i] / {'price_unit' if is_price else 'size_unit'}" for name, is_price in form.floats]
    return ", ".join([*raw, *floats])


def _options(functions: Sequence[CompiledFunction[..., Any]]) -> str:
    """Arrays are indexed with a look at their bounds, as the interpreter does."""
    has_arrays = any(isinstance(node, ast.Subscript) for each in functions for node in ast.walk(each.source.tree))
    return ", boundscheck=True" if has_arrays else ""


def _with_callees(handler: CompiledFunction[..., Any]) -> list[CompiledFunction[..., Any]]:
    """The handler, then whom it calls, each once and after its callers."""
    found: list[CompiledFunction[..., Any]] = []

    def visit(function: CompiledFunction[..., Any]) -> None:
        if function in found:
            found.remove(function)
        found.append(function)
        names = function.names
        for node in ast.walk(function.source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                callee = names.get(node.func.id)
                if isinstance(callee, CompiledFunction):
                    visit(callee)

    visit(handler)
    return found


def _function_text(function: CompiledFunction[..., Any], names: Mapping[CompiledFunction[..., Any], str]) -> str:
    signature, kinds = signature_of(function), check(function)
    tree = function.source.tree
    body = [_Writer(function, signature, kinds, names).visit(statement) for statement in _without_docstring(tree)]
    arguments = ", ".join(signature.arguments)
    lines = "\n".join(ast.unparse(ast.fix_missing_locations(statement)) for statement in body) or "pass"
    indented = "\n".join(f"    {line}" for line in lines.split("\n"))
    return f"\n@njit(cache=True{_options([function])})\ndef {names[function]}({arguments}):\n{indented}"


def _without_docstring(tree: ast.FunctionDef) -> list[ast.stmt]:
    first = tree.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return tree.body[1:] if is_text else tree.body


class _Writer(ast.NodeTransformer):
    """Rewrites a function's own tree: fields to places, ints to checked arithmetic, calls to their compiled forms."""

    def __init__(
        self,
        function: CompiledFunction[..., Any],
        signature: Signature,
        kinds: Mapping[ast.expr, str],
        names: Mapping[CompiledFunction[..., Any], str],
    ) -> None:
        self._outside, self._signature, self._kinds, self._names = function.names, signature, kinds, names
        self._places = {name: _places(form) for name, form in signature.forms.items() if name != "row"}

    def visit(self, node: ast.AST) -> Any:  # noqa: ANN401  # as `ast` has it
        """A new tree; the function's own stays as it is."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return self._attribute(node, node.value.id)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and self._kinds.get(node) == "int":
            return _call("_ints.neg", self.visit(node.operand))
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Assign):
            return self._assign(node)
        copied = type(node)(**{name: self._copied(value) for name, value in ast.iter_fields(node)})
        return ast.copy_location(copied, node) if isinstance(node, ast.expr | ast.stmt) else copied

    def _copied(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, ast.AST):
            return self.visit(value)
        return [self._copied(each) for each in value] if isinstance(value, list) else value

    def _name(self, node: ast.Name) -> ast.expr:
        value = self._outside.get(node.id)
        is_constant = isinstance(value, bool | int | float) and node.id not in self._signature.types
        if is_constant and isinstance(node.ctx, ast.Load) and self._kinds.get(node) is not None:
            return ast.Constant(value) if not self._is_local(node) else ast.Name(node.id, node.ctx)
        return ast.Name(node.id, node.ctx)

    def _is_local(self, node: ast.Name) -> bool:
        return node.id in self._signature.types

    def _attribute(self, node: ast.Attribute, owner: str) -> ast.expr:
        kind = self._signature.types.get(owner)
        if kind not in ("state", "params"):
            return ast.Attribute(ast.Name(owner, ast.Load()), node.attr, node.ctx)
        place = ast.parse(f"{owner}{self._places[owner][node.attr]}", mode="eval").body
        if self._signature.forms[owner].types[node.attr] == "bool" and isinstance(node.ctx, ast.Load):
            return ast.Compare(place, [ast.NotEq()], [ast.Constant(0)])
        assert isinstance(place, ast.Subscript)  # noqa: S101  # every place is an index
        return ast.Subscript(place.value, place.slice, node.ctx)

    def _assign(self, node: ast.Assign) -> ast.stmt:
        (target,) = node.targets
        value = self.visit(node.value)
        if isinstance(target, ast.Attribute) and self._kinds[node.value] == "bool":
            value = _call("int", value)
        return ast.copy_location(ast.Assign([self.visit(target)], value), node)

    def _arithmetic(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        checked = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}.get(type(node.op))
        if self._kinds.get(node) == "int" and checked is not None:
            return _call(f"_ints.{checked}", left, right)
        return ast.BinOp(left, node.op, right)

    def _call(self, node: ast.Call) -> ast.expr:
        arguments = [self.visit(argument) for argument in (*node.args, *(each.value for each in node.keywords))]
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            owner, name = node.func.value.id, node.func.attr
            if self._signature.types.get(owner) == "desk":
                return _call(f"_desk.{name}", ast.Name(owner, ast.Load()), *arguments)
            is_column = name in numeric.COLUMN_FUNCTIONS
            return _call(f"_numeric.{'_' if is_column else ''}{name}", *arguments)
        assert isinstance(node.func, ast.Name)  # noqa: S101  # the check has seen to that
        found = self._outside.get(node.func.id)
        if isinstance(found, CompiledFunction):
            return _call(self._names[found], *arguments)
        own = {"min": "_ints.least", "max": "_ints.greatest"}
        return _call(own.get(node.func.id, node.func.id), *arguments)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(name, mode="eval").body, list(arguments), [])


def _places(form: Form) -> dict[str, str]:
    """Where each field stands in the compiled form of a state or of parameters."""
    if issubclass(form.cls, tuple):
        return {name: f"[{number}]" for number, name in enumerate(form.types)}
    places: dict[str, str] = {}
    counts = {"floats": 2, "float": 0, "int": 0}
    for name, kind in form.types.items():
        of = "int" if kind == "bool" else kind
        number, counts[of] = counts[of], counts[of] + 1
        places[name] = f"[{number}]" if of == "floats" else f"[{0 if of == 'float' else 1}][{number}]"
    return places


# ---------------------------------------------------------------------- the cache


def cached_module(text: str, *, extra: Sequence[Path] = ()) -> ModuleType:
    """The module of a text, from the cache where it was compiled before on this machine."""
    name = f"libra_compiled_{_digest(text, tuple(extra))}"
    module = sys.modules.get(name)
    if module is None:
        folder = _cache_folder() / name
        path = folder / "handlers.py"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _write_whole(path, text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None  # noqa: S101  # the file is there and is Python
        assert spec.loader is not None  # noqa: S101
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return module


def _digest(text: str, extra: tuple[Path, ...]) -> str:
    state = hashlib.sha256(text.encode())
    state.update(_made_of(extra).encode())
    return state.hexdigest()[:24]


@cache
def _made_of(extra: tuple[Path, ...]) -> str:
    """Sources that are compiled into every handler, and what compiles them."""
    from llvmlite import binding

    sources = [(_HERE / name).resolve() for name in _SOURCES] + list(extra)
    parts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources]
    versions = (numba.__version__, np.__version__, sys.version, binding.get_host_cpu_name())
    return "\n".join([*parts, *versions])


@cache
def _cache_folder() -> Path:
    """`LIBRA_CACHE`, else the user's cache folder, else a temporary one of this user."""
    given = os.environ.get("LIBRA_CACHE")
    places = [Path(given)] if given else []
    places.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "libra_ray" / "compiled")
    for place in places:
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    return Path(tempfile.mkdtemp(prefix="libra-compiled-"))


def _write_whole(path: Path, text: str) -> None:
    """So that another process finds all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".py")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
