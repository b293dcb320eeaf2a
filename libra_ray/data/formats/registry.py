"""All formats by name, and which of them a file is of. A format's module is imported when it is first needed."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Final, cast

from libra_ray.data.formats.frames import HEAD_BYTES, Format, Frame, Head
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import ConfigError, DataError, did_you_mean, quoted

__all__ = ["FORMATS", "detected", "format_named", "frames_of", "head_of"]

_MODULES: Final[dict[str, str]] = {
    "binance-capture": "binance_capture",
    "lean": "lean",
    "binance-vision": "binance_vision",
    "tardis": "tardis",
    "hyperliquid-capture": "hyperliquid_capture",
    "freqtrade": "freqtrade",
    "ccxt-rows": "ccxt_rows",
    "dbn": "databento",
    "parquet": "parquet_table",
    "feather": "feather_table",
    "jsonl": "jsonl_table",
    "csv": "csv_table",
}
FORMATS: Final = tuple(_MODULES)
"""The names, in the order in which a file is compared with them: the special before the general."""


@cache
def format_named(name: str) -> Format:
    """The format of that name. Raises `ConfigError` CONF002 for an unknown one."""
    if name not in _MODULES:
        raise ConfigError(
            "CONF002", "format", f"{quoted(name)} is not a format", did_you_mean(name, list(FORMATS)), name
        )
    return cast("Format", import_module(f"libra_ray.data.formats.{_MODULES[name]}").FORMAT)


def detected(file: RawFile, among: Sequence[str] | None = None) -> Format:
    """The first format, of those `among`, that a file's name and first bytes are of; CSV takes what no other does."""
    head = head_of(file)
    names = FORMATS if among is None else among
    return next((each for each in map(format_named, names) if each.matches(head)), format_named(FORMATS[-1]))


def frames_of(file: RawFile, options: ImportOptions, *, name: str | None = None) -> tuple[Format, list[Frame]]:
    """The frames of a file, by the named format or by the one that it is of."""
    chosen = detected(file) if name is None else format_named(name)
    return chosen, chosen.frames(file, options)


def head_of(file: RawFile) -> Head:
    """A look at the first bytes, of an archive those of its first file.

    A damaged packing gives none, and is reported when the file is read.
    """
    inner = file.name.removesuffix(".gz")
    try:
        first = file.members()[0]
        with first.stream() as stream:
            return Head(file, stream.read(HEAD_BYTES), first.inner_name or inner)
    except DataError:
        return Head(file, b"", inner)
