"""On which line each key of a TOML text stands. `tomllib` reads the values; this finds the places.

The text has been accepted by `tomllib` before, so nothing is checked again here.
"""

import re
import tomllib
from typing import Final, TypeAlias

from libra_ray.errors import ConfigError, quoted

__all__ = ["KeyPath", "key_lines", "parse_assignment"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys from the root on; an integer is an index from 0, in an array of tables or in any other list."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_REST_OF_SCALAR: Final = re.compile(r"[^,\]}\n#]*")
_SEGMENT: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRINGS: Final = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")', re.DOTALL),
    re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every key, table header and list element of a valid TOML text. O(length)."""
    scan = _Scan(text.replace("\r\n", "\n"))
    scan.document()
    return scan.lines


def parse_assignment(text: str) -> tuple[tuple[str, ...], str]:
    """`risk.max_order_rate=5/1s` as the key's parts and the text behind the sign; parts may be in quotes.

    Raises `ConfigError` CONF000 where there is no key or no sign.
    """
    scan = _Scan(text)
    try:
        key = scan.key()
    except _NoKeyError:
        key = ()
    if not key or not text.startswith("=", scan.at):
        raise ConfigError(
            "CONF000", "--set", f"{quoted(text)} is not key=value", "Write for example --set run.seed=7.", text
        )
    return key, text[scan.at + 1 :].strip()


class _NoKeyError(Exception):
    """There is no key where one is read."""


class _Scan:
    """One pass over the text; `at` is the place reached."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.lines: dict[KeyPath, int] = {}
        self._counts: dict[KeyPath, int] = {}
        self._line, self._counted_to = 1, 0

    def document(self) -> None:
        """Every statement: headers and pairs."""
        table: KeyPath = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def key(self) -> tuple[str, ...]:
        """A dotted key, without the space behind it."""
        parts = []
        while True:
            self._skip(_SPACE)
            match = _SEGMENT.match(self.text, self.at)
            if match is None:
                raise _NoKeyError
            self.at = match.end()
            parts.append(_plain(match.group()))
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def _header(self) -> KeyPath:
        is_element = self.text.startswith("[[", self.at)
        line = self._line_here()
        self.at += 2 if is_element else 1
        key = self.key()
        self.at += 2 if is_element else 1
        path: KeyPath = ()
        for place, part in enumerate(key):
            path = (*path, part)
            is_last = place == len(key) - 1
            self._note(path, line, named=is_last)
            if is_last and is_element:
                count = self._counts[path] = self._counts.get(path, 0) + 1
                path = (*path, count - 1)
                self._note(path, line)
            elif path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line_here()
        path = table
        for part in self.key():
            path = (*path, part)
            self._note(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self._elements(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self.at = next((m.end() for s in _STRINGS if (m := s.match(self.text, self.at))), self.at)
            self._skip(_REST_OF_SCALAR)

    def _elements(self, path: KeyPath) -> None:
        index = 0
        self.at += 1
        while self._next_inside("]"):
            element = (*path, index)
            self._note(element, self._line_here())
            self._value(element)
            index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self._next_inside("}"):
            self._pair(path)

    def _next_inside(self, closing: str) -> bool:
        """Whether another element follows; steps over blanks, commas and in the end the closing bracket."""
        while self.text[self._skip(_BLANK)] == ",":
            self.at += 1
        if self.text[self.at] != closing:
            return True
        self.at += 1
        return False

    def _note(self, path: KeyPath, line: int, *, named: bool = False) -> None:
        """A table's own header is its place; without one, the first key that opened it."""
        if named and path not in self._counts:
            self.lines[path] = line
        else:
            self.lines.setdefault(path, line)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return self.at

    def _line_here(self) -> int:
        self._line += self.text.count("\n", self._counted_to, self.at)
        self._counted_to = self.at
        return self._line


def _plain(segment: str) -> str:
    """A key segment without its quotes; `tomllib` knows the escapes."""
    if segment[0] not in "\"'":
        return segment
    return next(iter(tomllib.loads(f"{segment} = 0")))
