"""Where settings come from: a TOML file, then the environment, then `--set`; each value knows its place.

The later layer wins: `run.toml` < `LIBRA_RISK__MAX_ORDER_RATE=5/1s` < `--set risk.max_order_rate=5/1s`.
"""

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from libra_ray.config.toml_lines import KeyPath, key_lines, parse_assignment
from libra_ray.errors import ConfigError, DataError, printable, quoted

__all__ = ["FILE_BYTES_MAX", "ConfigSource"]

ENVIRONMENT_PREFIX: Final = "LIBRA_"
ENVIRONMENT_SEPARATOR: Final = "__"
FILE_BYTES_MAX: Final = 1 << 20
_DOTTED: Final = re.compile(r"[\w.]+")
_TOML_PLACE: Final = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)$")


class ConfigSource:
    """The merged values of all layers as plain TOML data, and the place of each.

    Attributes:
        data: what the layers say, merged. Treat it as read-only.
        path: the file; relative paths inside it start from its folder.

    """

    def __init__(self, data: dict[str, Any], *, path: Path, lines: Mapping[KeyPath, int]) -> None:
        self.data, self.path = data, path
        self._lines = lines
        self._overrides: dict[KeyPath, tuple[str, str]] = {}

    @classmethod
    def read(
        cls, path: str | Path | None, *, environment: Mapping[str, str] | None = None, sets: Sequence[str] = ()
    ) -> Self:
        """Read a TOML file, or none, and lay environment and `--set` assignments over it.

        Only variables with a table, `LIBRA_<TABLE>__<KEY>`, are settings. Raises `ConfigError`: CONF000 for a file
        that cannot be read or an assignment without a key, CONF002 for text that is not TOML.
        """
        data, lines = ({}, {}) if path is None else _parsed(Path(path))
        source = cls(data, path=Path(path or ""), lines=lines)
        for variable, text in sorted((environment or {}).items()):
            if variable.upper().startswith(ENVIRONMENT_PREFIX) and ENVIRONMENT_SEPARATOR in variable:
                parts = variable[len(ENVIRONMENT_PREFIX) :].lower().split(ENVIRONMENT_SEPARATOR)
                source._override(parts, text, place=variable)
        for assignment in sets:
            key, text = parse_assignment(assignment)
            source._override(key, text, place=f"--set {'.'.join(key)}")
        return source

    @property
    def name(self) -> str:
        """The file as places show it."""
        return self.path.name

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.path.parent

    def place(self, *keys: str | int) -> str:
        """`run.toml:14 risk.max_order_rate`, `LIBRA_RISK__MAX_ORDER_RATE` or `--set risk.max_order_rate`.

        Keys that the data does not have (the tag of a union, the index of a single table) are left out. A key that
        is missing has the line of the table it belongs in.
        """
        path = self.known_path(keys)
        for length in range(len(path), 0, -1):
            if path[:length] in self._overrides:
                return self._overrides[path[:length]][0]
        if path not in self._lines:
            below = next((place for known, (place, _) in self._overrides.items() if known[: len(path)] == path), None)
            if below is not None:
                return below
        lengths = (length for length in range(len(path), 0, -1) if path[:length] in self._lines)
        line = next((f":{self._lines[path[:length]]}" for length in lengths), "")
        key = ".".join(map(str, path))
        return f"{self.name}{line} {key}".strip()

    def known_path(self, keys: Sequence[str | int]) -> KeyPath:
        """`keys` as they stand in the data, with the last one kept even where it is missing."""
        at: Any = self.data
        path: KeyPath = ()
        for place, key in enumerate(keys):
            if self._leads(at, key):
                at = at[key]
            elif place < len(keys) - 1 or isinstance(key, int):
                continue
            path = (*path, key)
        return path

    def at(self, *keys: str | int) -> Any:  # noqa: ANN401  # plain TOML data
        """The value at these keys; None where there is none."""
        path = self.known_path(keys)
        found: Any = self.data
        for key in path:
            if not self._leads(found, key):
                return None
            found = found[key]
        return found

    @contextmanager
    def located(self, *keys: str | int, always: bool = False) -> Iterator[None]:
        """Inside, an error about settings that has no place gets that of `keys`.

        One whose place is a key, such as `venue.name`, gets the line of that key; with `always`, any gets `keys`.
        """
        try:
            yield
        except (ConfigError, DataError) as error:
            inner = [] if error.place is None else error.place.split(".")[1:]
            is_plain = error.place is not None and _DOTTED.fullmatch(error.place) is not None
            is_key = is_plain and bool(inner) and self.at(*keys, *inner) is not None
            is_own = error.place is None or error.place in map(str, keys)
            if not (is_key or is_own or always):
                raise
            place = self.place(*keys, *inner) if is_key else self.place(*keys)
            moved = type(error)(error.code, place, error.what, error.fix, error.value)
            moved.more = error.more
            raise moved from error

    def as_text(self, keys: Sequence[str | int]) -> bool:
        """Take an overriding value as the text it was given as, not as TOML. False where there is none to change."""
        path = self.known_path(keys)
        if path not in self._overrides:
            return False
        holder: Any = self.data
        for key in path[:-1]:
            holder = holder[key]
        text = self._overrides[path][1]
        if holder[path[-1]] == text:
            return False
        holder[path[-1]] = text
        return True

    @staticmethod
    def _leads(holder: Any, key: str | int) -> bool:  # noqa: ANN401  # plain TOML data
        if isinstance(holder, list):
            return isinstance(key, int) and key < len(holder)
        return isinstance(holder, dict) and key in holder

    def _override(self, keys: Sequence[str], text: str, *, place: str) -> None:
        """Put one value of a later layer in, making tables on the way."""
        holder: Any = self.data
        path: KeyPath = ()
        for key in keys[:-1]:
            step = _step(holder, key, place)
            path = (*path, *step)
            for part in step:
                if isinstance(holder, dict):
                    holder.setdefault(part, {})
                holder = holder[part]
        path = (*path, *(step := _step(holder, keys[-1], place)))
        for part in step[:-1]:
            holder = holder[part]
        holder[step[-1]] = _value(text)
        self._overrides = {known: entry for known, entry in self._overrides.items() if known[: len(path)] != path}
        self._overrides[path] = (place, text)


def _step(holder: Any, key: str, place: str) -> KeyPath:  # noqa: ANN401  # plain TOML data
    """The way one key leads from `holder`: through the only element of a list, and to a key of any case."""
    if isinstance(holder, list):
        if key.isdecimal() and int(key) < len(holder):
            return (int(key),)
        if len(holder) == 1 and not key.isdecimal():
            return (0, *_step(holder[0], key, place))
        what = f"{quoted(key)} is not one of its {len(holder)} elements"
        raise ConfigError("CONF000", place, what, "Give the index, from 0.", key)
    if not isinstance(holder, dict):
        raise ConfigError(
            "CONF000", place, f"{quoted(key)} lies below a value that is not a table", "Check the key.", key
        )
    if key in holder:
        return (key,)
    return (next((known for known in holder if known.lower() == key.lower()), key),)


def _value(text: str) -> Any:  # noqa: ANN401  # plain TOML data
    """`text` read as a TOML value, and as plain text where it is none."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if len(read) == 1 else text


def _parsed(path: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """The data and the lines of one file, within bounds whatever the file holds."""
    given, name = printable(path), path.name
    try:
        found = path.stat()
    except (OSError, ValueError):
        fix = "Give the path of a configuration file."
        raise ConfigError("CONF000", given, "no such file", fix, str(path)) from None
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError("CONF000", given, "not a file", "Give the path of a configuration file.", str(path))
    if found.st_size > FILE_BYTES_MAX:
        what = f"{found.st_size:,} bytes exceed the limit of {FILE_BYTES_MAX:,} for a configuration"
        raise ConfigError("CONF002", name, what, "Shorten the file.", str(found.st_size))
    try:
        text = path.read_bytes().decode()
        return tomllib.loads(text), key_lines(text)
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
        raise ConfigError("CONF000", given, what, "Check its permissions.", str(path)) from error
    except UnicodeDecodeError as error:
        what = f"byte {error.start:,} is not UTF-8"
        raise ConfigError("CONF002", name, what, "Save the file as UTF-8.") from error
    except RecursionError:
        raise ConfigError("CONF002", name, "lists or tables lie too deep in each other", "Flatten the file.") from None
    except ValueError as error:
        reason, line = _toml_reason(str(error))
        raise ConfigError("CONF002", f"{name}{line}", f"not TOML: {reason}", "Correct the line.") from error


def _toml_reason(text: str) -> tuple[str, str]:
    """The reader's own words as one clause, and its line as `:14`."""
    match = _TOML_PLACE.search(text)
    reason = text[: match.start()] if match else text
    return reason[:1].lower() + reason[1:].strip().replace("\n", " "), f":{match.group(1)}" if match else ""
