"""A profile: a TOML file that remembers how files of one origin are to be read."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from libra_ray.data.import_options import ImportOptions
from libra_ray.errors import ConfigError, did_you_mean

__all__ = ["PROFILE_KEYS", "profile_of", "read_profile"]

PROFILE_KEYS: Final = ("type", "period", "format")
"""Keys beside the fields of `ImportOptions`: what `import_file` takes for itself."""
BYTES_MAX: Final = 1 << 20
_NOT_KEPT: Final = ("wording", "continues")


def read_profile(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The keys of a profile: `type`, `period`, `format`, and fields of `ImportOptions`, not yet checked.

    Raises `ConfigError` CONF001 for an unknown key, CONF002 for a file that is no TOML.
    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > BYTES_MAX:
            raise ConfigError("CONF002", name, f"larger than {BYTES_MAX:,} bytes", "Give a profile.", str(path))
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = f"the profile cannot be read ({getattr(error, 'strerror', None) or str(error).splitlines()[0]})"
        raise ConfigError("CONF002", name, what, "Check the path and the file.", str(path)) from error
    known = [*PROFILE_KEYS, *(field for field in ImportOptions.model_fields if field not in _NOT_KEPT)]
    for key in values:
        if key not in known:
            raise ConfigError("CONF001", f"{name} {key}", "unknown key", did_you_mean(key, known), key)
    return values


def profile_of(
    options: ImportOptions, columns: Mapping[str, str], *, kind: str, period: str, format_name: str
) -> dict[str, Any]:
    """What a profile keeps of an import: its columns and everything that was declared for it."""
    declared = options.model_dump(include=options.model_fields_set - {*_NOT_KEPT, "columns"})
    kept = {"type": kind, "period": period, "format": format_name, **declared}
    kept["columns"] = {**options.columns, **columns}
    return {key: value for key, value in kept.items() if value not in (None, "", {}, ())}
