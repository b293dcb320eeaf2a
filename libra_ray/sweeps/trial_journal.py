"""Every finished trial as a line of a file: what a sweep that was killed goes on from.

A line is a checksum, a space and JSON. The first says what sweep it is; the others are trials in the order of their
end. A kill may cut the last line short, which is then not there; a broken line before others is damage.
"""

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final, Self

from libra_ray.errors import ConfigError, JournalError
from libra_ray.sweeps.trials import Trial

try:
    import fcntl as _fcntl
except ImportError:  # Windows: no such lock; that nobody resumes a sweep twice at once is then the user's word
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

__all__ = ["JOURNAL_NAME", "TrialJournal", "TrialKey"]

JOURNAL_NAME: Final = "trials.journal"
FORMAT: Final = 1
TrialKey = tuple[int, int, str]
"""Trial number, the stage of pruning that it ran, 0 the first, and which combination it was."""


class TrialJournal:
    """Context manager over the journal of one sweep; only one process at a time has it open.

    `identity` is what makes the sweep this one. Raises `ConfigError` CONF009 where the file is of another one,
    `JournalError`: JRN001 where it cannot be written, JRN002 where another process has it, JRN003 where it is damaged.

    Attributes:
        finished: what was there.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.finished: dict[TrialKey, Trial] = {}
        self._identity = {"format": FORMAT, **identity}
        self._file = _opened(path)
        try:
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def add(self, trial: Trial, key: TrialKey) -> None:
        """Note a finished trial: once this returns, no kill of this process loses it."""
        values = {name: getattr(trial, name) for name in Trial.__slots__}
        told = {name: value for name, value in values.items() if value is not None and value is not False}
        self._write({"stage": key[1], "of": key[2], **told})

    def _read(self) -> None:
        size = os.fstat(self._file).st_size
        lines = os.pread(self._file, size, 0).split(b"\n")
        rest = lines.pop()  # after the last line break: cut short, or nothing
        documents: list[dict[str, Any]] = []
        at = 0
        for number, line in enumerate(lines):
            document = _parsed(line)
            if document is None:
                if number < len(lines) - 1:
                    what = f"line {number + 1} is damaged, and others follow"
                    raise JournalError("JRN003", f"{self.path} byte {at:,}", what, "Begin a new sweep.", exit_code=3)
                rest = line
                break
            documents.append(document)
            at += len(line) + 1
        if rest or at < size:
            os.ftruncate(self._file, at)
        if not documents:
            self._write(self._identity)
            return
        self._refuse_another(documents[0])
        for document in documents[1:]:
            stage, combination = document.pop("stage"), document.pop("of")
            trial = Trial(**document)
            self.finished[trial.number, stage, combination] = trial

    def _refuse_another(self, begun: Mapping[str, Any]) -> None:
        identity = json.loads(json.dumps(self._identity, default=str))
        names = [name for name, value in identity.items() if begun.get(name) != value]
        if names:
            what = f"it was begun with another configuration: {', '.join(names)} differ"
            raise ConfigError("CONF009", "resume", what, "Resume a sweep with what it was begun with.", str(self.path))

    def _write(self, document: Mapping[str, Any]) -> None:
        text = json.dumps(document, default=str).encode()
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        before = os.fstat(self._file).st_size
        try:
            while line:  # where the disk is full a write takes a part, and the next one says why
                line = line[os.write(self._file, line) :]
        except OSError as error:
            os.ftruncate(self._file, before)
            what = f"no space for the next trial ({error.strerror})"
            fix = "Free some space, then go on with --resume."
            raise JournalError("JRN001", str(self.path), what, fix) from error


def _opened(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        what = f"cannot be written ({error.strerror})"
        raise JournalError("JRN001", str(path), what, "Use --runs DIR with a folder you may write to.") from error
    if fcntl is None:
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        what = f"sweep {path.parent.name} already runs"
        raise JournalError("JRN002", str(path), what, "Wait for it, or stop it first.", exit_code=2) from error
    return file


def _parsed(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
