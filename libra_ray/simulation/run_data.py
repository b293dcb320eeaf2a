"""The data that a run file names: real samples, a catalog, files or synthetic streams, with its instruments."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from libra_ray.config import ConfigSource
from libra_ray.data import Dataset, Stream
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import import_file
from libra_ray.data.times import time_text
from libra_ray.errors import ConfigError, DataError, UserError, quoted
from libra_ray.model.instruments import Instrument
from libra_ray.simulation.run_instruments import default_instrument, defined_instruments, with_changes
from libra_ray.simulation.run_settings import FileSettings, RunConfig, SynthSettings

__all__ = ["load_data"]

SOURCES = ("sample", "catalog", "files", "synth")


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


def _files(config: RunConfig, source: ConfigSource, defined: dict[str, Instrument]) -> Dataset:
    """Every file imported, streams of one topic joined."""
    joined = Dataset(())
    for index, entry in enumerate(config.data.files):
        with source.located("data", "files", index, "instrument"):
            instrument = _instrument(entry.instrument, defined)
        with source.located("data", "files", index):
            joined += _imported(entry, instrument, source.folder)
    return joined


def _imported(entry: FileSettings, instrument: Instrument, folder: Path) -> Dataset:
    options = ImportOptions(**{name: getattr(entry, name) for name in ImportOptions.model_fields})
    return import_file(folder / entry.path, instrument, entry.type, period=entry.period, options=options).dataset


def _instrument(instrument_id: str, defined: dict[str, Instrument]) -> Instrument:
    """As the file defines it, or by its id alone."""
    return defined.get(instrument_id) or default_instrument(instrument_id)


_LOADERS: dict[str, Callable[[RunConfig, ConfigSource, dict[str, Instrument]], Dataset]] = {
    "files": _files,
}
