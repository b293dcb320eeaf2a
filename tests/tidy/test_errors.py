"""Every error carries its facts and survives a process border; every code belongs to its family."""

import ast
import enum
import importlib
import inspect
import pickle
import re
import types
import typing
from collections.abc import Iterator
from decimal import Decimal

import pytest

from libra_ray.errors import LibraError
from tests.tidy.sources import Source, planted, sources_under

FAMILIES = {
    "ConfigError": "CONF",
    "ConnectionConfigError": "CONN",
    "DataError": "DATA",
    "VenueError": "VENUE",
    "JournalError": "JRN",
    "StrategyError": "STRAT",
}
SAMPLES: dict[type, object] = {
    str: "text 'x'",
    int: 7,
    bool: True,
    float: 0.5,
    Decimal: Decimal("1.5"),
    list: ["a", "b"],
}


def error_classes() -> list[type[LibraError]]:
    """LibraError and all its descendants in the library and the ready-made actors, in order of name."""
    for source in sources_under("libra_ray/", "actors/libra_actors/"):
        if "Error" in source.text and not source.path.endswith("/__main__.py"):
            importlib.import_module(source.module)
    found, waiting = {LibraError}, [LibraError]
    while waiting:
        children = [child for child in waiting.pop().__subclasses__() if child not in found]
        found.update(children)
        waiting.extend(children)
    shipped = [cls for cls in found if cls.__module__.split(".")[0] in {"libra_ray", "libra_actors"}]
    return sorted(shipped, key=lambda cls: (cls.__module__, cls.__qualname__))


def example(cls: type[LibraError]) -> LibraError:
    """An instance with a value of the declared type for every argument."""
    hints = typing.get_type_hints(cls.__init__)
    return cls(*(_sample(hints[parameter.name]) for parameter in parameters_of(cls)))


def parameters_of(cls: type[LibraError]) -> list[inspect.Parameter]:
    """What the constructor takes; Python's own takes nothing that we declare."""
    if cls.__init__ is Exception.__init__:
        return []
    return list(inspect.signature(cls).parameters.values())


def _sample(hint: object) -> object:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return _sample(next(part for part in typing.get_args(hint) if part is not type(None)))
    kind = typing.get_origin(hint) or hint
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if kind is tuple:
        return tuple(_sample(part) for part in typing.get_args(hint) if part is not Ellipsis)
    assert isinstance(kind, type), f"no sample for {hint!r}: facts are of plain types"
    assert kind in SAMPLES, f"no sample for {kind.__qualname__}: facts are of plain types, or add one to SAMPLES"
    return SAMPLES[kind]


@pytest.mark.slow
def test_every_error_survives_pickling_unchanged() -> None:
    classes = error_classes()
    assert set(FAMILIES) < {cls.__name__ for cls in classes}

    for cls in classes:
        error = example(cls)
        assert len(error.args) == len(parameters_of(cls)), cls.__qualname__
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert type(copy) is cls
        assert (copy.args, str(copy), vars(copy)) == (error.args, str(error), vars(error)), cls.__qualname__
        assert (copy.code, copy.family, copy.exit_code) == (error.code, error.family, error.exit_code)


@pytest.mark.slow
def test_every_error_is_one_line_that_begins_with_its_code() -> None:
    for cls in error_classes():
        error = example(cls)
        assert str(error).startswith(f"{error.code} "), cls.__qualname__
        assert "\n" not in str(error), cls.__qualname__


@pytest.mark.slow
def test_the_facts_of_an_error_are_positional() -> None:
    """With keyword-only arguments unpickling raises TypeError and hides the real error."""
    kinds = [(cls.__qualname__, one.kind) for cls in error_classes() for one in parameters_of(cls)]
    assert kinds

    assert [name for name, kind in kinds if kind is inspect.Parameter.KEYWORD_ONLY] == []


def raises_without_code(source: Source) -> Iterator[str]:
    """Each user error made with a literal that is no code of its family."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in FAMILIES:
                match args:
                    case [ast.Constant(value=str(code)), *_] if re.fullmatch(rf"{FAMILIES[name]}\d{{3}}", code):
                        continue
                    case [ast.Constant() | ast.JoinedStr(), *_] | []:
                        yield f"{source.place(node)} {name}"
                    case _:  # a code that was chosen elsewhere
                        continue
            case _:
                continue


def test_every_user_error_is_made_with_a_code_of_its_family() -> None:
    sources = sources_under("libra_ray/", "actors/libra_actors/")

    assert [place for source in sources for place in raises_without_code(source)] == []


@pytest.mark.parametrize("text", ["ConfigError('bad')", "errors.DataError('CONF001', p, w, f)", "VenueError()"])
def test_a_planted_error_without_its_code_is_found(text: str) -> None:
    assert len(list(raises_without_code(planted(text)))) == 1


def test_an_error_with_its_code_is_fine() -> None:
    assert list(raises_without_code(planted("DataError('DATA001', place, what, fix)"))) == []
