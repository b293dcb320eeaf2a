"""What a compiled handler may say: whatever gives the same numbers interpreted and compiled, and nothing else."""

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from libra_ray.errors import did_you_mean, quoted
from libra_ray.strategy import numeric
from libra_ray.strategy.compiled.declarations import CompiledFunction, Form, Source, form_of, refuse
from libra_ray.strategy.compiled.desk import DESK_CALLS, DESK_FLAGS, Desk
from libra_ray.strategy.compiled.rows import ROWS

__all__ = ["Signature", "check", "signature_of"]

NUMBERS: Final = ("int", "float")
_PLAIN: Final = {float: "float", int: "int", bool: "bool", type(None): "none"}
_ROWS: Final = {form.values: form for form in ROWS.values()}
_SYMBOLS: Final = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip


class Signature:
    """What the arguments of a function are: its state and parameters, a row, a desk, or plain numbers."""

    def __init__(self, function: CompiledFunction[..., Any]) -> None:
        source, hints = function.source, function.hints
        arguments = source.tree.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs or arguments.defaults:
            raise refuse(source, source.tree, f"{function.name} has other than plain arguments", "Name each argument.")
        self.arguments = [argument.arg for argument in arguments.args]
        self.forms: dict[str, Form] = {}
        self.types: dict[str, str] = {}
        self.row: type | None = None
        for name in self.arguments:
            hint = hints.get(name)
            if hint is None:
                raise refuse(source, source.tree, f"{quoted(name)} has no annotation", "Say what it is, x: float.")
            if hint in _PLAIN:
                self.types[name] = _PLAIN[hint]
            elif hint is Desk:
                self.types[name] = "desk"
            elif hint in _ROWS:
                self.types[name], self.row = "row", hint
                self.forms[name] = Form(hint, {key: _PLAIN[kind] for key, kind in hint.__annotations__.items()})
            else:
                self.forms[name] = form_of(hint, f"{source.path}:{source.tree.lineno}")
                self.types[name] = "params" if issubclass(self.forms[name].cls, tuple) else "state"
        returned = hints.get("return", type(None))
        if returned not in _PLAIN:
            raise refuse(source, source.tree, f"it returns {returned}", "Return float, int, bool or None.")
        self.returns = _PLAIN[returned]


@cache
def signature_of(function: CompiledFunction[..., Any]) -> Signature:
    """The signature. Raises `StrategyError` STRAT010."""
    return Signature(function)


def check(function: CompiledFunction[..., Any]) -> Mapping[ast.expr, str]:
    """The type of each expression. Raises `StrategyError` STRAT010 at the first line that engines could run unlike."""
    checker = _Checker(function, signature_of(function))
    checker.body(function.source.tree.body)
    return checker.kinds


class _Checker:
    """Goes through a function in the order of its lines, and knows the type of each local name so far."""

    def __init__(self, function: CompiledFunction[..., Any], signature: Signature) -> None:
        self._source: Source = function.source
        self._outside: Mapping[str, Any] = function.names
        self._signature = signature
        self._locals: dict[str, str] = {n: t for n, t in signature.types.items() if t in ("int", "float", "bool")}
        self._known = set(self._locals)
        self.kinds: dict[ast.expr, str] = {}

    # ------------------------------------------------------------------ statements

    def body(self, statements: list[ast.stmt]) -> None:
        for number, statement in enumerate(statements):
            if number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Pass() | ast.Break() | ast.Continue():
                pass
            case ast.Assign(targets=[target]):
                self._assign(target, self._type(node.value), node)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self._type(value), node)
            case ast.If():
                self._wants(node.test, "bool")
                self._branches([node.body, node.orelse])
            case ast.While(orelse=[]):
                self._wants(node.test, "bool")
                self._branches([node.body, []])
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range")) as call, orelse=[]):
                for argument in call.args:
                    self._wants(argument, "int")
                self._name(name, "int", node)
                self._branches([node.body, []])
            case ast.Return(value=None):
                self._returns("none", node)
            case ast.Return(value=ast.expr() as value):
                self._returns(self._type(value), node)
            case ast.Expr(value=ast.Call() as call):
                self._type(call)
            case ast.For():
                raise self._no(node, "a loop over other than range()", "Write for i in range(n).")
            case _:
                what = f"{type(node).__name__.lower()} cannot be compiled"
                raise self._no(node, what, "Use assignments, if, for over range(), while and return.")

    def _branches(self, bodies: list[list[ast.stmt]]) -> None:
        """What is known after branches is what each of them that goes on has made known."""
        before, after = set(self._known), []
        for body in bodies:
            self._known = set(before)
            self.body(body) if body else None
            if not (body and isinstance(body[-1], ast.Return | ast.Break | ast.Continue)):
                after.append(self._known)
        self._known = set.intersection(*after) if after else before

    def _returns(self, kind: str, node: ast.stmt) -> None:
        if kind != self._signature.returns:
            what = f"it returns {kind} and is declared to return {self._signature.returns}"
            raise self._no(node, what, f"Return {self._signature.returns}.")

    def _assign(self, target: ast.expr, kind: str, node: ast.stmt) -> None:
        match target:
            case ast.Name(id=name):
                self._name(name, kind, node)
            case ast.Attribute(value=ast.Name(id=owner), attr=field) if self._signature.types.get(owner) == "state":
                self._fits(self._field(owner, field, node), kind, f"{owner}.{field}", node)
            case ast.Subscript():
                self._fits(self._type(_as_load(target)), kind, "an element", node)
            case _:
                raise self._no(node, "this cannot be assigned to", "Assign to a local name or a field of the state.")

    def _name(self, name: str, kind: str, node: ast.stmt) -> None:
        if name in self._signature.types and name not in self._locals:
            raise self._no(node, f"{quoted(name)} is an argument", "Use another name.")
        if kind not in ("int", "float", "bool"):
            raise self._no(node, f"{quoted(name)} would be {kind}", "Keep numbers in local names.")
        self._fits(self._locals.setdefault(name, kind), kind, name, node)
        self._known.add(name)

    def _fits(self, wanted: str, kind: str, name: str, node: ast.AST) -> None:
        if wanted != kind:
            fix = "Write float(x)." if (wanted, kind) == ("float", "int") else f"Give it {wanted}."
            raise self._no(node, f"{name} is {wanted} and would be given {kind}", fix)

    # ------------------------------------------------------------------ expressions

    def _wants(self, node: ast.expr, wanted: str) -> None:
        kind = self._type(node)
        if kind != wanted:
            fix = (
                "Compare it, x != 0." if wanted == "bool" else "Write float(x)." if wanted == "float" else "Use an int."
            )
            raise self._no(node, f"{ast.unparse(node)} is {kind} where {wanted} is needed", fix)

    def _type(self, node: ast.expr) -> str:
        kind = self.kinds[node] = self._found(node)
        return kind

    def _found(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=bool()):
                return "bool"
            case ast.Constant(value=int() as value):
                if not -(2**63) <= value < 2**63:
                    raise self._no(node, f"{value} has more than 64 bits", "Use a float.")
                return "int"
            case ast.Constant(value=float()):
                return "float"
            case ast.Name(id=name):
                return self._read(name, node)
            case ast.Attribute(value=ast.Name(id=owner), attr=field) if owner in self._signature.forms:
                return self._field(owner, field, node)
            case ast.Subscript(value=column, slice=index):
                if self._type(column) != "floats":
                    raise self._no(node, f"{ast.unparse(column)} is no list[float]", "Index an array of the state.")
                self._wants(index, "int")
                return "float"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._wants(operand, "bool")
                return "bool"
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                return self._number(operand)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.BoolOp(values=parts):
                for part in parts:
                    self._wants(part, "bool")
                return "bool"
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._wants(test, "bool")
                kind = self._type(body)
                self._fits(kind, self._type(orelse), "the other value", node)
                return kind
            case ast.Call():
                return self._call(node)
            case _:
                what = f"{ast.unparse(node)} cannot be compiled"
                raise self._no(node, what, "Use numbers, fields of the state, parameters and rows, and arithmetic.")

    def _number(self, node: ast.expr) -> str:
        kind = self._type(node)
        if kind not in NUMBERS:
            raise self._no(node, f"{ast.unparse(node)} is {kind}, not a number", "Use 1 if x else 0.")
        return kind

    def _arithmetic(self, node: ast.BinOp) -> str:
        left, right, symbol = self._number(node.left), self._number(node.right), _SYMBOLS.get(type(node.op), "?")
        both_int = left == right == "int"
        match symbol:
            case "+" | "-" | "*":
                return "int" if both_int else "float"
            case "/":
                if both_int:
                    what = "a division of two ints rounds otherwise when compiled"
                    raise self._no(node, what, "Write float(a) / b, or a // b.")
                return "float"
            case "//" | "%" if both_int:
                return "int"
            case "//" | "%":
                raise self._no(node, f"{symbol} of floats may differ when compiled", "Use numeric.floor(x / y).")
            case "**":
                raise self._no(node, "** may differ when compiled", "Write x * x, or numeric.power(x, y).")
            case _:
                raise self._no(node, f"{ast.unparse(node)} cannot be compiled", "Use + - * / // %.")

    def _comparison(self, node: ast.Compare) -> str:
        kinds = [self._type(each) for each in (node.left, *node.comparators)]
        if any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops):
            raise self._no(node, "in and is cannot be compiled", "Use == != < <= > >=.")
        if len(set(kinds)) > 1 or kinds[0] not in ("int", "float", "bool"):
            what = f"{ast.unparse(node)} compares {' with '.join(kinds)}"
            raise self._no(node, what, "Write float(x) around the int.")
        return "bool"

    def _call(self, node: ast.Call) -> str:
        match node.func:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if self._signature.types.get(owner) == "desk":
                return self._desk_call(name, node)
            case _ if node.keywords:
                raise self._no(node, "arguments by name cannot be compiled", "Give them in order.")
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if self._outside.get(owner) is numeric:
                return self._numeric_call(name, node)
            case ast.Name(id=name):
                return self._named_call(name, node)
            case _:
                what = f"{ast.unparse(node.func)} cannot be called"
                raise self._no(node, what, "Call the desk, numeric functions and @compiled functions.")

    def _desk_call(self, name: str, node: ast.Call) -> str:
        if name not in DESK_CALLS:
            raise self._no(node, f"a desk has no {quoted(name)}", did_you_mean(name, list(DESK_CALLS)))
        wanted, gives = DESK_CALLS[name]
        if len(node.args) != len(wanted):
            raise self._no(node, f"{name} takes {len(wanted)} arguments", f"Give {', '.join(wanted) or 'none'}.")
        for keyword in node.keywords:
            if keyword.arg != DESK_FLAGS.get(name):
                known = DESK_FLAGS.get(name)
                fix = f"It knows {known}." if known else "Leave it out."
                raise self._no(node, f"{name} knows no {quoted(str(keyword.arg))}", fix)
            self._wants(keyword.value, "bool")
        for argument, kind in zip(node.args, wanted, strict=False):
            self._wants(argument, kind)
        return gives

    def _numeric_call(self, name: str, node: ast.Call) -> str:
        if name in numeric.SCALAR_FUNCTIONS:
            for argument in node.args:
                self._wants(argument, "float")
            return numeric.SCALAR_FUNCTIONS[name]
        if name in numeric.COLUMN_FUNCTIONS:
            for argument in node.args:
                self._wants(argument, "floats")
            return "float"
        known = [*numeric.SCALAR_FUNCTIONS, *numeric.COLUMN_FUNCTIONS]
        raise self._no(node, f"numeric has no {quoted(name)}", did_you_mean(name, known))

    def _named_call(self, name: str, node: ast.Call) -> str:
        found = self._outside.get(name)
        if isinstance(found, CompiledFunction):
            signature = signature_of(found)
            if len(node.args) != len(signature.arguments):
                raise self._no(node, f"{name} takes {len(signature.arguments)} arguments", "Give as many.")
            for argument, wanted in zip(node.args, signature.arguments, strict=True):
                if signature.types[wanted] in ("int", "float", "bool"):
                    self._wants(argument, signature.types[wanted])
                elif not (isinstance(argument, ast.Name) and self._same(argument.id, wanted, signature)):
                    raise self._no(node, f"{wanted} of {name} is another thing", "Hand on the argument itself.")
            return signature.returns
        match name, node.args:
            case "abs", [x]:
                return self._number(x)
            case (("min" | "max"), [x, y]):
                kind = self._number(x)
                self._fits(kind, self._number(y), "the other value", node)
                return kind
            case "float", [x]:
                self._number(x)
                return "float"
            case "len", [x]:
                self._wants(x, "floats")
                return "int"
            case _:
                own = "Declare it @compiled, or use numeric functions."
                fix = "Use numeric.floor(x)." if name in ("int", "round") else own
                raise self._no(node, f"{name}() cannot be compiled so", fix)

    def _same(self, given: str, wanted: str, signature: Signature) -> bool:
        ours, theirs = self._signature, signature
        if ours.types.get(given) != theirs.types[wanted]:
            return False
        return ours.types[given] == "desk" or ours.forms[given].cls is theirs.forms[wanted].cls

    # ------------------------------------------------------------------ names

    def _read(self, name: str, node: ast.expr) -> str:
        if name in self._locals:
            if name not in self._known:
                raise self._no(node, f"{quoted(name)} may have no value here", "Give it one before the branch.")
            return self._locals[name]
        value = self._outside.get(name)
        if isinstance(value, bool | int | float):
            if value != value or (isinstance(value, int) and not -(2**63) <= value < 2**63):  # noqa: PLR0124 - is NaN
                raise self._no(node, f"{quoted(name)} is {value}", "Put a number of 64 bits there.")
            return _PLAIN[type(value)]
        if name in self._signature.types:
            raise self._no(node, f"{quoted(name)} is no number", "Use its fields.")
        what = f"{quoted(name)} is neither a local name nor a number of the module"
        raise self._no(node, what, "Put it into the parameters.")

    def _field(self, owner: str, field: str, node: ast.AST) -> str:
        form = self._signature.forms[owner]
        kind = form.types.get(field)
        if kind is None:
            what = f"{form.cls.__name__} has no {quoted(field)} in compiled form"
            raise self._no(node, what, did_you_mean(field, list(form.types)))
        return kind

    def _no(self, node: ast.AST, what: str, fix: str) -> Exception:
        return refuse(self._source, node, what, fix)


def _as_load(node: ast.expr) -> ast.expr:
    """The expression that reads what `node` writes."""
    read = ast.parse(ast.unparse(node), mode="eval").body
    for each in ast.walk(read):
        ast.copy_location(each, node)
    return read
