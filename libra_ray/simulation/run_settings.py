"""The tables and keys of a run file, as frozen settings."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from libra_ray.config import ConfigSource, Settings, is_secret_key, masked
from libra_ray.config.times import TimeNs
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.wording import Wording
from libra_ray.errors import ConfigError, quoted
from libra_ray.hosts.metrics_settings import MetricsSettings
from libra_ray.hosts.placement import PlacementSettings
from libra_ray.kernel import RiskSettings, VenueSettings
from libra_ray.kernel.settings import DecimalText
from libra_ray.runtime.supervision import Restart
from libra_ray.runtime.supervision.settings import SupervisionSettings
from libra_ray.simulation.walk_forward_settings import WalkForwardSettings

__all__ = [
    "ActorSettings",
    "DataSettings",
    "FileSettings",
    "InstrumentSettings",
    "InstrumentTables",
    "RunConfig",
    "RunSettings",
    "RunSupervision",
    "SweepSettings",
    "SynthSettings",
    "resolved_config",
]

NAME_CHARS_MAX: Final = 64
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]")


def _is_name(text: str) -> str:
    """What may begin the name of a folder."""
    found = _NOT_IN_NAMES.search(text)
    if found is not None:
        fix = "Allowed are letters, digits, '.', '_' and '-'."
        raise ConfigError("CONF002", None, f"name {quoted(text)} contains {quoted(found.group())}", fix, text)
    if not text or text[0] in ".-" or len(text) > NAME_CHARS_MAX:
        fix = f"Begin with a letter, a digit or '_', and use at most {NAME_CHARS_MAX} characters."
        raise ConfigError("CONF002", None, f"{quoted(text)} is not a name", fix, text)
    return text


def _listed(value: Any) -> Any:  # noqa: ANN401  # whatever the file holds
    """One table or text, where a list of them may stand."""
    return [value] if isinstance(value, dict | str) else value


OneOrMore: Final = BeforeValidator(_listed)
Name: TypeAlias = Annotated[str, AfterValidator(_is_name)]


class RunSettings(Settings):
    """`[run]`.

    Attributes:
        start, end: data before `start` and from `end` on is left out.
        batch_rows: rows at a time; changes speed and memory, no result.
        engine: `event`; `compiled` or `auto` run the handlers of compiled strategies as machine code, for one result.
        folder: where relative paths and strategies are looked for, from the run file on; None = beside it.
    """

    name: Name
    seed: NonNegativeInt = 0
    start: TimeNs | None = None
    end: TimeNs | None = None
    batch_rows: PositiveInt | None = None
    engine: Literal["event", "compiled", "auto"] = "event"
    folder: str | None = None


class FileSettings(ImportOptions):
    """`[[data.files]]`: a file with its import options, read anew in each run. Relative paths start at the run file."""

    path: str
    type: Literal["bars", "quotes", "trades"]
    instrument: str
    period: str = ""
    wording: Wording = Wording.FILE


class SynthSettings(Settings):
    """`[data.synth]`: seeded synthetic data; the same numbers wherever it runs.

    Attributes:
        model: `gbm` for bars, `walk` for quotes and trades.
        period: of bars; of quotes and trades their mean distance.
        seed: None = that of the run.
        price: where it begins.
        volatility: the standard deviation of one bar's return.
    """

    instrument: str
    type: Literal["bars", "quotes", "trades"] = "bars"
    period: str | None = None
    rows: PositiveInt = 10_000
    model: Literal["gbm", "walk"] | None = None
    seed: NonNegativeInt | None = None
    start: TimeNs | None = None
    price: DecimalText | None = None
    volatility: Annotated[float, Field(gt=0)] | None = None


class DataSettings(Settings):
    """`[data]`: exactly one source.

    Attributes:
        sample: real data that an installed package carries, by symbol or stream; see `libra data ls --samples`.
        catalog, streams: a catalog folder, and what to read of it: `"bars AAPL.XNAS 1d"`, `"quotes EURUSD.SIM"`.
        files: files to import for this run only.
        synth: synthetic streams.
    """

    sample: Annotated[list[str], OneOrMore] = Field(default_factory=list)
    catalog: str | None = None
    streams: Annotated[list[str], OneOrMore] = Field(default_factory=list)
    files: Annotated[list[FileSettings], OneOrMore] = Field(default_factory=list)
    synth: Annotated[list[SynthSettings], OneOrMore] = Field(default_factory=list)


class InstrumentSettings(Settings):
    """`[[instrument]]`: a definition when it has a `kind`, otherwise changes to an instrument that the data brings."""

    id: str
    kind: Literal["pair", "equity", "future", "perpetual"] | None = None
    base: str | None = None
    quote: str | None = None
    settlement: str | None = None
    inverse: bool | None = None
    tick: DecimalText | None = None
    step: DecimalText | None = None
    multiplier: DecimalText | None = None
    min_qty: DecimalText | None = None
    max_qty: DecimalText | None = None
    min_notional: DecimalText | None = None
    max_notional: DecimalText | None = None
    margin_init: DecimalText | None = None
    margin_maint: DecimalText | None = None
    maker_fee: DecimalText | None = None
    taker_fee: DecimalText | None = None
    activation: TimeNs | None = None
    expiration: TimeNs | None = None
    negative_prices: bool | None = None


class InstrumentTables(Settings):
    """The `[[instrument]]` tables of a run file alone: what an import needs of it."""

    model_config = ConfigDict(extra="ignore")

    instrument: Annotated[list[InstrumentSettings], OneOrMore] = Field(default_factory=list)


class ActorSettings(Settings):
    """`[strategy]`, `[[strategy]]` and `[[actor]]`: a class by its path, its id, and its own settings in `config`."""

    path: str
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,128}$")] | None = None
    config: dict[str, Any] = Field(default_factory=dict)


class PruningSettings(Settings):
    """`[sweep.pruning]`: see `libra_ray.sweeps.Pruning`."""

    parts: list[float] = Field(default_factory=lambda: [0.25, 0.5])
    keep: float = 0.5


class SweepSettings(Settings):
    """`[sweep]`.

    Attributes:
        rank: the figure that trials are ranked by.
        workers: how many processes run them.
        seed: of the sampler; else that of the run.
        sampler: `grid`, `random`, `lhs`, `tpe`, `cmaes`, `nsga2`; all but the first need `trials`.
        objectives: what the sampler looks for, `rank` by default; several for `nsga2`.
        constraints: text such as `"fast * 2 < slow"`.
        pruning: parts of the data after which trials are compared, and the part of them that goes on.
        patience: stop when so many trials in a row brought nothing better.
        time_budget_seconds: begin no trial after that.
    """

    rank: str = "sharpe_ratio"
    workers: PositiveInt | None = None
    seed: NonNegativeInt | None = None
    sampler: str = "grid"
    trials: PositiveInt | None = None
    objectives: list[str] = Field(default_factory=list)
    constraints: list[str] = Field(default_factory=list)
    pruning: PruningSettings | None = None
    patience: PositiveInt | None = None
    time_budget_seconds: PositiveFloat | None = None


class RunSupervision(SupervisionSettings):
    """`[supervision]`.

    Attributes:
        restart: what brings an actor back: `permanent` the end of its host and a fault of its own, `transient` the end
            of its host, `temporary` nothing.
        restarts: the same for single actors, by id.
    """

    restart: Restart = Restart.TRANSIENT
    restarts: dict[str, Restart] = Field(default_factory=dict)


class RunConfig(Settings):
    """A whole run file. `placement`, `supervision` and `metrics` change how it runs on hosts, and no result."""

    run: RunSettings
    data: DataSettings
    venue: Annotated[list[VenueSettings], OneOrMore, Field(min_length=1)]
    instrument: Annotated[list[InstrumentSettings], OneOrMore] = Field(default_factory=list)
    strategy: Annotated[list[ActorSettings], OneOrMore, Field(min_length=1)]
    actor: Annotated[list[ActorSettings], OneOrMore] = Field(default_factory=list)
    risk: RiskSettings = RiskSettings()
    placement: PlacementSettings = PlacementSettings()
    supervision: RunSupervision = RunSupervision()
    metrics: MetricsSettings = MetricsSettings()
    sweep: SweepSettings = SweepSettings()
    walk_forward: WalkForwardSettings = WalkForwardSettings()
    grid: dict[str, Any] = Field(default_factory=dict)

    def run_folder(self, source: ConfigSource) -> Path:
        """Where relative paths and strategies are looked for."""
        return source.folder / Path(self.run.folder or "").expanduser()


def resolved_config(config: RunConfig) -> dict[str, Any]:
    """Every setting with its default as plain JSON data, secrets masked."""
    document: dict[str, Any] = _shown(config.model_dump(mode="json"))
    return document


def _shown(value: Any, key: str = "") -> Any:  # noqa: ANN401  # plain JSON data
    if isinstance(value, dict):
        return {name: _shown(part, str(name)) for name, part in value.items()}
    if isinstance(value, list):
        return [_shown(part, key) for part in value]
    return masked(str(value)) if value is not None and is_secret_key(key) else value
