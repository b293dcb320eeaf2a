"""From plain data to frozen settings; from pydantic's findings to one-line errors with place, value and fix."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from libra_ray.config.secrets import is_secret_key, masked, shown_text
from libra_ray.config.settings import nested_settings
from libra_ray.config.source import ConfigSource
from libra_ray.errors import ConfigError, DataError, LibraError, UserError, did_you_mean, quoted

__all__ = ["build_settings", "first_of", "read_part", "read_settings", "setting_errors"]

Model = TypeVar("Model", bound=BaseModel)
Made = TypeVar("Made")
Keys: TypeAlias = Sequence[str | int]
Places: TypeAlias = Callable[[Keys], str]

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "missing": ("no value given", "Add the key."),
    "int_type": ("{value} is not a whole number", "Write for example 10."),
    "int_parsing": ("{value} is not a whole number", "Write for example 10."),
    "int_from_float": ("{value} is not a whole number", "Write for example 10."),
    "int_parsing_size": ("{value} is too large for a whole number", "Write a smaller one."),
    "float_type": ("{value} is not a number", "Write for example 0.5."),
    "float_parsing": ("{value} is not a number", "Write for example 0.5."),
    "finite_number": ("{value} is not a finite number", "Write for example 0.5."),
    "bool_type": ("{value} is neither true nor false", "Write true or false without quotes."),
    "bool_parsing": ("{value} is neither true nor false", "Write true or false without quotes."),
    "string_type": ("{value} is not text", "Write it in quotes."),
    "string_too_short": ("{value} is too short", "Give at least {min_length} characters."),
    "string_too_long": ("{value} is too long", "Give at most {max_length} characters."),
    "string_pattern_mismatch": ("{value} has another form than {pattern}", "Correct the value."),
    "decimal_type": ("{value} is not a decimal", 'Write for example "0.25".'),
    "decimal_parsing": ("{value} is not a decimal", 'Write for example "0.25".'),
    "greater_than": ("{value} is not above {gt}", "Give a larger value."),
    "greater_than_equal": ("{value} is below {ge}", "Give at least {ge}."),
    "less_than": ("{value} is not below {lt}", "Give a smaller value."),
    "less_than_equal": ("{value} is above {le}", "Give at most {le}."),
    "multiple_of": ("{value} is not a multiple of {multiple_of}", "Correct the value."),
    "list_type": ("{value} is not a list", 'Write for example ["a", "b"].'),
    "tuple_type": ("{value} is not a list", 'Write for example ["a", "b"].'),
    "set_type": ("{value} is not a list", 'Write for example ["a", "b"].'),
    "dict_type": ("{value} is not a table", 'Write for example {{ key = "value" }}.'),
    "model_type": ("{value} is not a table", "Write [{key}] with its keys below."),
    "model_attributes_type": ("{value} is not a table", "Write [{key}] with its keys below."),
    "too_short": ("{actual_length} values are too few", "Give at least {min_length}."),
    "too_long": ("{actual_length} values are too many", "Give at most {max_length}."),
}
"""pydantic's error type -> what and fix; a type that is not here keeps pydantic's own sentence."""


def read_settings(model: type[Model], source: ConfigSource) -> Model:
    """The whole of `source` as `model`. Raises the first `ConfigError`, the others in its `more`."""
    return read_part(model, source, (), lambda: model.model_validate(source.data))


def read_part(model: type[BaseModel], source: ConfigSource, keys: Keys, make: Callable[[], Made]) -> Made:
    """What `make` makes of the settings at `keys`, which are those of `model`. Raises as `read_settings` does.

    `make` is called again where text was wanted and `--set run.name=2024` reads as a number: then as it was typed.
    """
    while True:
        try:
            return make()
        except ValidationError as error:
            texts = [source.as_text((*keys, *f["loc"])) for f in error.errors() if f["type"] == "string_type"]
            if not any(texts):
                raise first_of(errors_of(model, error, lambda loc: source.place(*keys, *loc))) from None


def build_settings(model: type[Model], values: Mapping[str, object], *, place: str = "") -> Model:
    """`values` from Python as `model`. Raises as `setting_errors` says."""
    with setting_errors(model, place):
        return model.model_validate(dict(values))


@contextmanager
def setting_errors(model: type[BaseModel], place: str = "") -> Iterator[None]:
    """Inside, what pydantic finds wrong with a `model` becomes the first `ConfigError`, the others in its `more`.

    Places are keys such as `risk.max_order_rate`, with `place` in front.
    """
    prefix = (place,) if place else ()
    try:
        yield
    except ValidationError as error:
        raise first_of(errors_of(model, error, lambda keys: ".".join(map(str, (*prefix, *keys))))) from None


def errors_of(model: type[BaseModel], error: ValidationError, place: Places) -> list[UserError]:
    """One error for each place, in the order of the settings type's fields.

    Missing keys come last: often they are what an unknown key was meant to be.
    """
    findings = sorted(error.errors(include_url=False), key=lambda found: found["type"] == "missing")
    errors: dict[str, UserError] = {}
    for found in findings:
        errors.setdefault(place(found["loc"]), _error(model, found, place))
    return list(errors.values())


def first_of(errors: Sequence[UserError]) -> UserError:
    """The first error, which decides code and exit, carrying the others."""
    first, *others = errors
    first.more = tuple[LibraError, ...](others)
    return first


def _error(model: type[BaseModel], found: ErrorDetails, place: Places) -> UserError:
    keys, value = found["loc"], found["input"]
    key = str(keys[-1]) if keys else ""
    where = place(keys)
    if found["type"] == "extra_forbidden":
        return ConfigError("CONF001", where, "unknown key", did_you_mean(key, _known_keys(model, keys[:-1])), key)
    facts: Mapping[str, Any] = found.get("ctx", {})
    cause = facts.get("error")
    if isinstance(cause, UserError):
        family = DataError if isinstance(cause, DataError) else ConfigError
        return family(cause.code, cause.place or where, cause.what, cause.fix, cause.value)
    shown = _shown(value, key)
    if found["type"] == "union_tag_invalid":
        value, facts = facts["tag"], {"expected": facts["expected_tags"]}
        shown = _shown(value, key)
    if found["type"] in ("literal_error", "enum", "union_tag_invalid"):
        allowed = [part.strip(" '") for part in str(facts["expected"]).replace(" or ", ", ").split(", ")]
        fix = did_you_mean(str(value), allowed) or "Correct the value."
        if fix.startswith("Known"):
            fix = f"Use {' or '.join(allowed)}."
        return ConfigError("CONF002", where, f"{shown} is not allowed", fix, _plain(value, key))
    if found["type"] in TEXTS:
        what, fix = TEXTS[found["type"]]
        facts = {**facts, "value": shown, "key": ".".join(map(str, keys))}
        what, fix = what.format(**facts), fix.format(**facts)
        return ConfigError("CONF002", where, what, fix, None if found["type"] == "missing" else _plain(value, key))
    if cause is not None:
        return ConfigError("CONF002", where, str(cause), "Correct the value.", _plain(value, key))
    what = found["msg"][:1].lower() + found["msg"][1:]
    return ConfigError("CONF002", where, f"{shown}: {what}", "Correct the value.", _plain(value, key))


def _known_keys(model: type[BaseModel], keys: Keys) -> list[str]:
    """The keys that may stand in the table at `keys`."""
    at: list[type[BaseModel]] = [model]
    for key in keys:
        named = [kind for kind in at if key in kind.model_fields]
        if named:  # indexes and the tags of unions lead nowhere
            at = [deeper for kind in named for deeper in nested_settings(kind.model_fields[str(key)].annotation)]
    return sorted({field.alias or name for kind in at for name, field in kind.model_fields.items()})


def _plain(value: object, key: str) -> str | None:
    return None if isinstance(value, (dict, list)) else shown_text(_text(value), key)


def _shown(value: object, key: str) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return quoted(shown_text(value, key))
    return masked(str(value)) if is_secret_key(key) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
