"""A run file, read and checked: the system and the data that come of it.

Checked in one order before anything is read or started: keys and values, names, strategies, placement. Then data is
loaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from libra_ray.config import ConfigSource, Settings, first_of, read_part, read_settings
from libra_ray.data import Dataset
from libra_ray.errors import ConfigError, UserError, printable, quoted
from libra_ray.hosts.placement import PlacementLike
from libra_ray.runtime import Actor
from libra_ray.runtime.actor_config import config_class_of
from libra_ray.simulation.run_data import load_data
from libra_ray.simulation.run_placement import (
    check_supervision,
    checked_placement,
    deployment_of,
    placement_in_lockstep,
)
from libra_ray.simulation.run_settings import RunConfig, resolved_config
from libra_ray.simulation.strategy_import import import_actor
from libra_ray.simulation.system import System
from libra_ray.strategy import Strategy

__all__ = ["LoadedRun", "RunConfig", "load_run", "resolved_config"]

Made = TypeVar("Made", bound=Actor)


@dataclass(frozen=True)
class LoadedRun:
    """A run file that was read and checked: what `backtest` and `sweep` take.

    Attributes:
        config, source: the settings, and where each came from.
        system: venues, limits, strategies and actors.
        placement: which actors share a host, as `deploy` takes it; None where the file does not say.
    """

    config: RunConfig
    source: ConfigSource
    system: System
    placement: PlacementLike | None = None

    @property
    def folder(self) -> Path:
        """Where relative paths and strategies are looked for."""
        return self.config.run_folder(self.source)

    @property
    def lockstep_placement(self) -> PlacementLike | None:
        """`placement` as `backtest` takes it for a run in lockstep."""
        return placement_in_lockstep(self.placement, self.system)

    @property
    def deployment(self) -> Mapping[str, Any]:
        """What `deploy` is given beside the system: placement, restart types, supervision, metrics."""
        return deployment_of(self.config, self.placement, self.system)

    @cached_property
    def data(self) -> Dataset:
        """The data that the file names, between its start and end. Raises `DataError`, and `ConfigError` CONF008."""
        return load_data(self.config, self.source)


def load_run(
    config: str | Path | ConfigSource,
    *,
    environment: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
) -> LoadedRun:
    """Read a run file under its other layers and build its system. Nothing is written and no data is read yet.

    Raises `ConfigError`, all that was found in its `more`.
    """
    source = (
        config if isinstance(config, ConfigSource) else ConfigSource.read(config, environment=environment, sets=sets)
    )
    checked = read_settings(RunConfig, source)
    _refuse_repeated_names(checked, source)
    folder = checked.run_folder(source)
    actors = [_actor(source, folder, "actor", index, Actor) for index in range(len(checked.actor))]
    strategies = [_actor(source, folder, "strategy", index, Strategy) for index in range(len(checked.strategy))]
    system = System(checked.run.name, seed=checked.run.seed)
    for index, venue in enumerate(checked.venue):
        with source.located("venue", index, "balances"):
            venue.deposits()
        with source.located("venue", index):
            system.add_venue(**_given(venue))
    with source.located("risk"):
        system.risk(**_given(checked.risk))
    for kind, made, entries in (("actor", actors, checked.actor), ("strategy", strategies, checked.strategy)):
        for index, (actor, entry) in enumerate(zip(made, entries, strict=True)):
            with source.located(kind, index):
                system.add(actor, actor_id=entry.id)
    placement = checked_placement(checked, source, system)
    check_supervision(checked, source, system)
    return LoadedRun(checked, source, system, placement)


def _given(settings: Settings) -> dict[str, Any]:
    """What a table says, without its defaults."""
    return {name: getattr(settings, name) for name in type(settings).model_fields if name in settings.model_fields_set}


def _actor(source: ConfigSource, folder: Path, kind: str, index: int, wanted: type[Made]) -> Made:
    """The actor that an entry describes."""
    entry = source.at(kind, index) or source.at(kind)
    path_place = source.place(kind, index, "path")
    found = import_actor(entry["path"], wanted, folder=folder, place=path_place)
    keys = (kind, index, "config")
    try:
        settings = config_class_of(found)
        return read_part(settings, source, keys, lambda: found(**(source.at(*keys) or {})))
    except UserError:
        raise
    except Exception as error:
        what = f"{quoted(entry['path'])} cannot be made: {printable(error)}"
        raise ConfigError("CONF002", source.place(*keys), what, "Correct its settings or its __init__.") from error


def _refuse_repeated_names(config: RunConfig, source: ConfigSource) -> None:
    """CONF007: one name, one thing."""
    named: list[tuple[str, str, list[str | None]]] = [
        ("venue", "name", [venue.name for venue in config.venue]),
        ("instrument", "id", [instrument.id for instrument in config.instrument]),
        ("actor", "id", [actor.id for actor in config.actor]),
        ("strategy", "id", [strategy.id for strategy in config.strategy]),
    ]
    errors: list[UserError] = []
    for kind, key, names in named:
        for index, name in enumerate(names):
            if name is not None and name in names[:index]:
                place = source.place(kind, index, key)
                what = f"{quoted(name)} names two of [[{kind}]]"
                errors.append(ConfigError("CONF007", place, what, "Rename one.", name))
    if errors:
        raise first_of(errors)
