"""The data that a run file names: real samples, a catalog, files or synthetic streams, with its instruments."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from libra_ray.config import ConfigSource
from libra_ray.data import Dataset, Stream
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import import_file
from libra_ray.data.times import time_text
from libra_ray.errors import ConfigError, DataError, UserError, quoted
from libra_ray.model.instruments import Instrument
from libra_ray.simulation.run_instruments import defined_instruments, with_changes
from libra_ray.simulation.run_settings import FileSettings, RunConfig, SynthSettings

__all__ = ["load_data", "located"]

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
        with located(source, "data", "files", index, "instrument"):
            instrument = _instrument(entry.instrument, defined)
        with located(source, "data", "files", index):
            joined += _imported(entry, instrument, source.folder)
    return joined


def _imported(entry: FileSettings, instrument: Instrument, folder: Path) -> Dataset:
    options = ImportOptions(**{name: getattr(entry, name) for name in ImportOptions.model_fields})
    return import_file(folder / entry.path, instrument, entry.type, period=entry.period, options=options).dataset


@contextmanager
def located(source: ConfigSource, *keys: str | int) -> Iterator[None]:
    """Inside, a user error without a place of its own gets that of these keys; one that names a key gets its line."""
    try:
        yield
    except (ConfigError, DataError) as error:
        if error.place is None:
            raise _moved(error, source.place(*keys)) from error
        inner = error.place.split(".")
        if source.at(*keys, *inner[1:]) is not None:
            raise _moved(error, source.place(*keys, *inner[1:])) from error
        raise


def _moved(error: ConfigError | DataError, place: str) -> UserError:
    """The same error at another place."""
    moved = type(error)(error.code, place, error.what, error.fix, error.value)
    moved.more = error.more
    return moved
