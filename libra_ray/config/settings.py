"""The frozen settings type that every configuration of the library descends from."""

from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from libra_ray.errors import ConfigError

__all__ = ["Settings", "nested_settings"]


class Settings(BaseModel):
    """Frozen, strict about unknown keys: a misspelt setting is an error, never silently the default.

    A validator may raise `ValueError`, or `ConfigError` with its own fix; `libra_ray.config` adds the place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401  # whatever the file holds
        """Refuse `true` for a number: it would silently be 1."""
        if not isinstance(value, bool) or info.field_name is None:
            return value
        accepted = _members(cls.model_fields[info.field_name].annotation)
        if {int, float} & accepted and not {bool, Any, object} & accepted:
            shown = "true" if value else "false"
            raise ConfigError("CONF002", None, f"{shown} is not a number", "Write a number without quotes.", shown)
        return value


def nested_settings(annotation: object) -> list[type[BaseModel]]:
    """The settings types that a field of this annotation may hold, also inside lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in nested_settings(part)]


def _members(annotation: object) -> set[object]:
    """The annotation, or the parts of a union, without what `Annotated` adds."""
    parts = get_args(annotation)
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        return set().union(*(_members(part) for part in parts))
    if hasattr(annotation, "__metadata__"):
        return _members(parts[0])
    try:
        return {annotation}
    except TypeError:
        return set()
