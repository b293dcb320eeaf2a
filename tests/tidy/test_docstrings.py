"""Every public name says what it means; a door names what is behind it."""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from types import ModuleType

import pytest

from tests.tidy.sources import Source, sources_under

SHIPPED = ("libra_ray/", "actors/libra_actors/")
MEMBERS = (property, classmethod, staticmethod)


def undocumented(module: ModuleType, protocols: Iterable[type] = ()) -> Iterator[str]:
    """Public classes and functions that `module` defines, and their public members, without a docstring.

    An override inherits the text of what it overrides, and a member that of the protocol it serves: hooks are
    documented once, for the one who overrides.
    """
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if not (value.__doc__ or "").strip():
            yield f"{module.__name__}.{name}"
        if inspect.isclass(value):
            documents = [*value.__mro__, *(one for one in protocols if _serves(value, one))]
            members = [key for key, member in vars(value).items() if _is_member(member) and not key.startswith("_")]
            yield from (f"{module.__name__}.{name}.{key}" for key in members if not _has_doc(documents, key))


def _is_member(member: object) -> bool:
    return inspect.isfunction(member) or isinstance(member, MEMBERS)


def _has_doc(classes: list[type], key: str) -> bool:
    return any(vars(cls)[key].__doc__ for cls in classes if key in vars(cls))


def _serves(cls: type, protocol: type) -> bool:
    """Whether `cls` has every member of `protocol`."""
    return all(hasattr(cls, key) for key in vars(protocol) if not key.startswith("_"))


def _protocols(modules: list[ModuleType]) -> list[type]:
    values = [value for module in modules for value in vars(module).values()]
    return list(
        dict.fromkeys(value for value in values if inspect.isclass(value) and getattr(value, "_is_protocol", False))
    )


def _exports(source: Source) -> list[str] | None:
    """The value of `__all__`, or None where there is none."""
    for node in source.tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value) if value is not None:
                return list(ast.literal_eval(value))
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value):
                return list(ast.literal_eval(value))
            case _:
                continue
    return None


@pytest.mark.slow
def test_every_public_name_has_a_docstring() -> None:
    modules = [importlib.import_module(source.module) for source in sources_under(*SHIPPED) if _is_imported(source)]

    protocols = _protocols(modules)

    assert [name for module in modules for name in undocumented(module, protocols)] == []


def _is_imported(source: Source) -> bool:
    """`__main__` would run."""
    return not source.path.endswith("/__main__.py")


def test_every_package_lists_its_public_names() -> None:
    doors = [source for source in sources_under(*SHIPPED) if source.path.endswith("__init__.py")]

    assert [source.path for source in doors if _exports(source) is None] == [], "add __all__"


@pytest.mark.slow
def test_every_listed_name_exists() -> None:
    listed = [(source.module, name) for source in sources_under(*SHIPPED) for name in _exports(source) or ()]
    assert listed

    missing = [(module, name) for module, name in listed if not hasattr(importlib.import_module(module), name)]

    assert missing == []


def test_planted_names_without_a_docstring_are_found() -> None:
    module = ModuleType("planted")
    text = """
class Documented:
    'Text.'
    def hook(self): 'Text.'
    def bare(self): ...
    @property
    def value(self): ...
    def _private(self): ...
class Override(Documented):
    'Text.'
    def hook(self): ...
class Bare: ...
def bare(): ...
def _private(): ...
"""
    exec(compile(text, "planted.py", "exec"), vars(module))  # noqa: S102 - a text of this file

    names = {name.removeprefix("planted.") for name in undocumented(module)}
    assert names == {"Documented.bare", "Documented.value", "Bare", "bare"}
