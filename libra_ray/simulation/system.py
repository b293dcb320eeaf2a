"""System: what is to be run, as values. Classes and settings, never instances; each run makes its own."""

from collections.abc import Mapping
from copy import copy
from dataclasses import asdict
from typing import Any, NamedTuple, Self

from libra_ray.config import build_settings
from libra_ray.data.aggregation import BarSpec
from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.kernel import RiskSettings, VenueSettings
from libra_ray.kernel.settings import FeeSettings
from libra_ray.model.instruments import Instrument
from libra_ray.runtime import Actor, ActorConfig, actor_of, check_actor_id, how_to_give

__all__ = ["ActorEntry", "System", "check_actor", "check_system"]


class ActorEntry(NamedTuple):
    """One actor to be made: its id, class and settings."""

    actor_id: str
    cls: type[Actor]
    config: ActorConfig

    def make(self) -> Actor:
        """A new instance."""
        return actor_of(self.cls, self.config.model_copy(update={"actor_id": self.actor_id}))


class System:
    """Venues, risk limits, actors and strategies.

        system = System("demo", seed=7)
        system.add_venue("SIM", account="margin", balances=["100_000 USD"], fees=MakerTaker("0.0002", "0.0005"))
        system.add(EmaCross(instrument="EURUSD.SIM", bars="1h", fast=10, slow=30, quantity="1000"))

    A system is picklable and may be run any number of times; a run changes nothing in it.
    """

    def __init__(self, name: str = "system", *, seed: int = 0) -> None:
        self.name = name
        self.seed = seed
        self._venues: dict[str, VenueSettings] = {}
        self._instruments: dict[str, Instrument] = {}
        self._actors: dict[str, ActorEntry] = {}
        self._bars: dict[str, BarSpec] = {}
        self._risk = RiskSettings()

    def __repr__(self) -> str:
        return f"System({self.name!r}, venues={list(self._venues)}, actors={list(self._actors)})"

    def add_venue(self, name: str, *, fees: FeeSettings | None = None, **settings: Any) -> Self:  # noqa: ANN401
        """Add a simulated venue; keywords as in `VenueSettings`.

        Raises `ConfigError`, CONF007 for a name given twice.
        """
        if name in self._venues:
            what = f"venue {quoted(name)} is given 2 times"
            raise ConfigError("CONF007", None, what, "Give each its own name.", name)
        self._venues[name] = build_settings(
            VenueSettings, {"name": name, "fees": fees, **settings}, place=f"venue {name}"
        )
        return self

    def add_instrument(self, instrument: Instrument) -> Self:
        """Add an instrument beside those that come with the data, or in place of one of them."""
        self._instruments[instrument.id] = instrument
        return self

    def add_bars(self, bars: BarSpec | str) -> str:
        """Have bars made from ticks or from smaller bars; returns the name to subscribe to.

            name = system.add_bars("ACME.SIM-10-VOLUME-LAST")       # then `subscribe_bars("ACME.SIM", name)`

        They are delivered like bars of the data, and never execute orders or make a price. Raises `ConfigError`:
        CONF002 for a text that names no bars, CONF007 for bars given twice; a run raises CONF008 where their source
        is missing.
        """
        spec = BarSpec.parse(bars) if isinstance(bars, str) else bars
        if spec.topic in self._bars:
            fix = "Give one of them a name of its own."
            raise ConfigError("CONF007", None, f"bars {quoted(spec)} are given 2 times", fix, str(spec))
        self._bars[spec.topic] = spec
        return spec.name

    def add(self, actor: Actor, actor_id: str | None = None) -> str:
        """Take note of an actor's class and settings; returns its id, `{ClassName}-{n}` unless one is given.

        Raises `ConfigError`, CONF002 for what is no id, CONF004 for what is no actor, CONF007 for an id given twice.
        """
        check_actor(actor, "System.add")
        name = actor.config.actor_id if actor_id is None else actor_id
        if name is not None:
            check_actor_id(name, "System.add")
        else:
            number = 1 + sum(entry.cls is type(actor) for entry in self._actors.values())
            while f"{type(actor).__name__}-{number}" in self._actors:
                number += 1
            name = f"{type(actor).__name__}-{number}"
        if name in self._actors:
            fix = "Give each actor an id of its own."
            raise ConfigError("CONF007", None, f"actor id {quoted(name)} is given 2 times", fix, name)
        self._actors[name] = ActorEntry(name, type(actor), actor.config)
        return name

    def risk(self, **settings: Any) -> Self:  # noqa: ANN401 - see RiskSettings
        """Set limits of the risk engine; keywords as in `RiskSettings`. What is not named keeps its default."""
        self._risk = build_settings(RiskSettings, settings, place="risk")
        return self

    # ------------------------------------------------------------------ what a run reads

    @property
    def venues(self) -> tuple[VenueSettings, ...]:
        """The venues, in the order given."""
        return tuple(self._venues.values())

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Instruments that were added by hand."""
        return self._instruments

    @property
    def bars(self) -> tuple[BarSpec, ...]:
        """Bars to be made, in the order given."""
        return tuple(self._bars.values())

    @property
    def actors(self) -> tuple[ActorEntry, ...]:
        """Actors and strategies, in the order given."""
        return tuple(self._actors.values())

    @property
    def risk_settings(self) -> RiskSettings:
        """The limits of the risk engine."""
        return self._risk

    def with_settings(self, changes: Mapping[str, Mapping[str, Any]]) -> "System":
        """A copy in which actors have other settings: `{"EmaCross-1": {"fast": 5}}`.

        Raises `ConfigError`: CONF009 for an unknown actor id, CONF001 or CONF002 for a setting it does not take.
        """
        made = copy(self)
        made._actors = dict(self._actors)  # noqa: SLF001 - a copy of its own kind
        for actor_id, settings in changes.items():
            entry = self._actors.get(actor_id)
            if entry is None:
                hint = did_you_mean(actor_id, list(self._actors))
                raise ConfigError("CONF009", None, f"actor {quoted(actor_id)} is not in the system", hint, actor_id)
            whole = {**entry.config.model_dump(), **settings}
            made._actors[actor_id] = entry._replace(config=build_settings(type(entry.config), whole, place=actor_id))  # noqa: SLF001
        return made

    def described(self) -> dict[str, Any]:
        """Everything as plain values in a fixed order: what a configuration hash is made of."""
        bars = {"bars": [asdict(spec) for spec in self.bars]} if self._bars else {}
        return {
            "name": self.name,
            "seed": self.seed,
            "venues": [venue.model_dump(mode="json") for venue in self._venues.values()],
            "risk": self._risk.model_dump(mode="json"),
            **bars,
            "actors": [
                {
                    "id": entry.actor_id,
                    "class": f"{entry.cls.__module__}.{entry.cls.__qualname__}",
                    "config": entry.config.model_dump(mode="json"),
                }
                for entry in self._actors.values()
            ],
        }


def check_system(given: object, place: str) -> None:
    """Raises `ConfigError` CONF002 unless `given` is a system."""
    if not isinstance(given, System):
        fix = "Make one: system = lr.System(), then system.add_venue(...) and system.add(...)."
        raise ConfigError("CONF002", place, f"{quoted(given)} is not a system", fix, str(given))


def check_actor(given: object, place: str) -> None:
    """Raises `ConfigError` CONF004 unless `given` is an actor, and not its class."""
    if not isinstance(given, Actor):
        raise ConfigError("CONF004", place, f"{quoted(given)} is not an actor", how_to_give(given), str(given))
