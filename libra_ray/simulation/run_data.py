"""The data that a run file names: real samples, a catalog, files or synthetic streams, with its instruments."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from libra_ray.config import ConfigSource
from libra_ray.data import Dataset, ImportOptions, Stream, catalog, import_file, sample, synth, time_text
from libra_ray.errors import ConfigError, quoted
from libra_ray.messages.schemas import BARS, SCHEMAS, Schema
from libra_ray.model.identifiers import check_instrument_id, period_ns
from libra_ray.model.instruments import Instrument
from libra_ray.simulation.run_instruments import default_instrument, defined_instruments, with_changes
from libra_ray.simulation.run_settings import RunConfig

__all__ = ["load_data", "stream_of"]

Instruments: TypeAlias = Mapping[str, Instrument]
BAR_PERIOD: Final = "1h"
SOURCES: Final = ("sample", "catalog", "files", "synth")


def load_data(config: RunConfig, source: ConfigSource) -> Dataset:
    """The rows of the one source that the file names, cut to the run's time, with the file's instruments.

    Raises `ConfigError` CONF002 for no source or several, CONF008 where rows are missing, and `DataError`.
    """
    chosen = [name for name in SOURCES if getattr(config.data, name)]
    if len(chosen) != 1:
        what = f"{' and '.join(chosen)} are given" if chosen else "no source of data given"
        raise ConfigError("CONF002", source.place("data"), what, f"Give one of {', '.join(SOURCES)}.")
    defined = defined_instruments(config.instrument, source)
    made = _LOADERS[chosen[0]](config, source, defined)
    return _cut(with_changes(made, config.instrument, defined, source), config, source)


def _cut(made: Dataset, config: RunConfig, source: ConfigSource) -> Dataset:
    """Rows from the run's start up to its end."""
    start_ns, end_ns = config.run.start, config.run.end
    if start_ns is None and end_ns is None:
        return made
    kept = made.between(start_ns, end_ns)
    if kept.rows == 0:
        span = f"it has {time_text(made.start_ns)} to {time_text(made.end_ns)}"
        place = source.place("run", "start" if start_ns is not None else "end")
        fix = "Correct start and end: the end itself is not included."
        raise ConfigError("CONF008", place, f"no data in this time range; {span}", fix)
    return kept


def _sample(config: RunConfig, source: ConfigSource, _defined: Instruments) -> Dataset:
    """Real data of an installed package."""
    with source.located("data", "sample"):
        return sample(*config.data.sample)


def _catalog(config: RunConfig, source: ConfigSource, _defined: Instruments) -> Dataset:
    """The named streams of a catalog, or all; only files that touch the run's time are read."""
    kept = catalog(config.run_folder(source) / Path(str(config.data.catalog)).expanduser())
    with source.located("data", "catalog", always=True):
        labels = config.data.streams or [f"{e.type} {e.instrument_id} {e.period}".strip() for e in kept.ls()]
        if not labels:
            raise ConfigError("CONF008", None, "the catalog is empty", "Fill it with 'libra data import'.")
    streams = []
    for index, label in enumerate(dict.fromkeys(labels)):
        with source.located("data", "streams", index, always=True):
            schema, instrument_id, period = stream_of(label)
            streams.append(kept.stream(schema, instrument_id, period, start=config.run.start, end=config.run.end))
    return Dataset(streams)


def stream_of(label: str) -> tuple[Schema, str, str]:
    """Type, instrument and period of `"bars AAPL.XNAS 1d"` or `"quotes EURUSD.SIM"`. Raises `ConfigError` CONF002."""
    words = label.split()
    fix = 'Write for example "bars AAPL.XNAS 1d" or "quotes EURUSD.SIM".'
    if not words or words[0] not in SCHEMAS or len(words) != (3 if words[0] == BARS.name else 2):
        raise ConfigError("CONF002", None, f"{quoted(label)} is not a stream", fix, label)
    if words[0] == BARS.name:
        period_ns(words[2])
    return SCHEMAS[words[0]], check_instrument_id(words[1]), words[2] if words[0] == BARS.name else ""


def _files(config: RunConfig, source: ConfigSource, defined: Instruments) -> Dataset:
    """Every file imported, streams of one topic joined."""
    joined = Dataset(())
    for index, entry in enumerate(config.data.files):
        with source.located("data", "files", index, "instrument"):
            instrument = _instrument(entry.instrument, defined)
        with source.located("data", "files", index):
            # What the entry does not say, the file may: only what is given overrides it.
            said = [name for name in ImportOptions.model_fields if name in entry.model_fields_set or name == "wording"]
            options = ImportOptions(**{name: getattr(entry, name) for name in said})
            path = config.run_folder(source) / Path(entry.path).expanduser()
            joined += import_file(path, instrument, entry.type, period=entry.period, options=options).dataset
    return joined


def _synth(config: RunConfig, source: ConfigSource, defined: Instruments) -> Dataset:
    """Every synthetic stream; two of one topic are refused."""
    streams: list[Stream] = []
    for index, entry in enumerate(config.data.synth):
        keys = ("data", "synth", index)
        if entry.model is not None and (entry.model == "gbm") != (entry.type == BARS.name):
            what = f"{entry.type} are not made by {quoted(entry.model)}"
            fix = 'Bars are "gbm", quotes and trades "walk".'
            raise ConfigError("CONF002", source.place(*keys, "model"), what, fix, entry.model)
        with source.located(*keys, "instrument"):
            instrument = _instrument(entry.instrument, defined)
        given: dict[str, Any] = {"price": entry.price, "volatility": entry.volatility, "start_ns": entry.start}
        with source.located(*keys):
            if entry.type != BARS.name and entry.period is not None:
                given["interval_ns"] = period_ns(entry.period)
            made = synth(
                entry.type,
                instrument,
                rows=entry.rows,
                period=entry.period or BAR_PERIOD if entry.type == BARS.name else "",
                seed=config.run.seed if entry.seed is None else entry.seed,
                **{name: value for name, value in given.items() if value is not None},
            )
        streams += made.streams
    with source.located("data", "synth"):
        return Dataset(streams)


def _instrument(instrument_id: str, defined: Instruments) -> Instrument:
    """As the file defines it, or by its id alone."""
    return defined.get(instrument_id) or default_instrument(instrument_id)


_LOADERS: Final[Mapping[str, Callable[[RunConfig, ConfigSource, Instruments], Dataset]]] = {
    "sample": _sample,
    "catalog": _catalog,
    "files": _files,
    "synth": _synth,
}
