"""Settings of actors: frozen models, found by the annotation of `config` on the actor's class."""

import inspect
import re
import sys
from collections.abc import Mapping
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    ForwardRef,
    Literal,
    TypeAlias,
    TypeVar,
    get_args,
    get_type_hints,
)

from pydantic import Field

from libra_ray.config import Settings
from libra_ray.errors import ConfigError, StrategyError, quoted

__all__ = [
    "ON_ERROR",
    "ActorConfig",
    "OnError",
    "actor_of",
    "check_actor_id",
    "config_class_of",
    "config_of",
    "how_to_give",
]


if TYPE_CHECKING:
    from libra_ray.runtime.actor import Actor

A = TypeVar("A", bound="Actor")
OnError: TypeAlias = Literal["fault", "degrade"]
ON_ERROR: Final = get_args(OnError)
_ACTOR_ID: Final = r"[A-Za-z0-9_.-]{1,128}"


class ActorConfig(Settings):
    """What every actor may be told.

    Attributes:
        actor_id: the actor's name; `{ClassName}-{n}` when None.
        on_error: what a data or event handler that raises leads to: FAULT, or DEGRADE while the actor is RUNNING. Once
            it is degraded, the next raise is a fault. Where it is not given, what the actor's class declares under
            that name.

    """

    actor_id: Annotated[str, Field(pattern=f"^{_ACTOR_ID}$")] | None = None
    on_error: OnError = "fault"


def check_actor_id(actor_id: object, place: str) -> None:
    """Raises `ConfigError` CONF002 for what is no actor's id: it is a part of topics and of names of files."""
    if not isinstance(actor_id, str) or re.fullmatch(_ACTOR_ID, actor_id) is None:
        fix = "Use 1 to 128 letters, digits and '_.-'."
        raise ConfigError("CONF002", place, f"{quoted(actor_id)} is no actor id", fix, str(actor_id))


def config_class_of(actor_class: type) -> type[ActorConfig]:
    """The nearest annotation `config: SomeConfig` over the class and its ancestors; `ActorConfig` when there is none.

    Raises `TypeError` when the annotation is no subclass of `ActorConfig`, or is a text that cannot be resolved.
    """
    return _annotated(actor_class)


@cache  # a sweep makes the same few classes again and again
def _annotated(actor_class: type) -> type[ActorConfig]:
    for each in actor_class.__mro__:
        annotation = inspect.get_annotations(each).get("config")
        if annotation is not None:
            resolved = _resolved(each, annotation)
            if not (isinstance(resolved, type) and issubclass(resolved, ActorConfig)):
                raise TypeError(f"{each.__name__}.config is annotated {annotation!r}, which is no ActorConfig")
            return resolved
    return ActorConfig


def config_of(actor_class: type, config: ActorConfig | None, settings: Mapping[str, Any]) -> ActorConfig:
    """`config` checked against the class, or one made of `settings`; pydantic's errors pass through."""
    made = _given(actor_class, config, settings)
    declared = getattr(actor_class, "on_error", None)
    if declared in ON_ERROR and "on_error" not in made.model_fields_set:
        return made.model_copy(update={"on_error": declared})
    return made


def how_to_give(given: object) -> str:
    """What to write where `given` stands in the place of an actor."""
    return f"Give an instance: {given.__name__}()." if isinstance(given, type) else "Give an instance of one."


def actor_of(actor_class: type[A], config: ActorConfig) -> A:
    """A new actor of these settings; a class whose `__init__` takes nothing is given them when it is made.

    Raises `StrategyError` STRAT004 where `__init__` takes anything but settings: what it was given once is not known.
    """
    kind: type = actor_class  # its own type is not hashable to mypy
    if _takes_nothing(kind):
        actor = actor_class()
        actor.config = config
        return actor
    actor = actor_class(config)
    if getattr(actor, "config", config).actor_id != config.actor_id:
        raise _not_of_settings(actor_class, "")
    return actor


@cache
def _takes_nothing(actor_class: type) -> bool:
    """Whether `__init__` takes nothing; raises STRAT004 where it takes neither nothing nor settings alone."""
    signature = inspect.signature(actor_class)
    if not signature.parameters:
        return True
    try:
        signature.bind(None)
    except TypeError as error:
        raise _not_of_settings(actor_class, f": {error}") from None
    return False


def _not_of_settings(actor_class: type, why: str) -> StrategyError:
    name = actor_class.__name__
    what = f"{name}.__init__ does not take the settings of which a system makes its actors anew{why}"
    fix = (
        "Write 'def __init__(self, config=None): super().__init__(config)', with fields of a config class for the rest."
    )
    return StrategyError("STRAT004", None, what, fix, name)


def _given(actor_class: type, config: ActorConfig | None, settings: Mapping[str, Any]) -> ActorConfig:
    config_class = config_class_of(actor_class)
    if config is None:
        return config_class(**settings)
    if settings:
        raise TypeError(f"{actor_class.__name__} takes a config or settings, not both: {', '.join(settings)}")
    if not isinstance(config, config_class):
        raise TypeError(f"{actor_class.__name__} takes a {config_class.__name__}, not a {type(config).__name__}")
    return config


def _resolved(owner: type, annotation: object) -> object:
    """An annotation written as text, looked up where its class was written."""
    if not isinstance(annotation, str | ForwardRef):
        return annotation
    holder = type(owner.__name__, (), {"__annotations__": {"config": annotation}, "__module__": owner.__module__})
    module = sys.modules.get(owner.__module__)
    try:
        return get_type_hints(holder, vars(module) if module else None, dict(vars(owner)))["config"]
    except NameError as error:
        what = f"{owner.__name__}.config is annotated {annotation!r}, which is not to be found in {owner.__module__}"
        raise TypeError(what) from error
