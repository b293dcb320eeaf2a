"""Run folders: `runs/<name>-<n>/` with run.json, Parquet tables, log and report. Each appears whole or not at all.

The id is reserved by making the empty folder, which only one process can do; everything is written beside it and moved
onto it in one step at the end. A draft with a journal stays when its run ends early: it can be gone on with. The index
of all runs is the folders themselves.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from libra_ray.errors import ConfigError, DataError, did_you_mean, printable

__all__ = [
    "LOG_NAME",
    "REPORT_NAME",
    "RunFolder",
    "content_hash",
    "find_run",
    "read_run",
    "read_runs",
    "reopened",
    "reserved",
]

INDEX_NAME: Final = "run.json"
LOG_NAME: Final = "run.log"
REPORT_NAME: Final = "report.html"
DIGEST_BYTES: Final = 16
LATEST: Final = "last"
_DRAFT: Final = ".draft"


@dataclass(frozen=True)
class RunFolder:
    """A run being written: `draft` is where files go now, `path` where they will be."""

    run_id: str
    path: Path
    draft: Path

    def write_table(self, name: str, table: pa.Table) -> None:
        """`<name>.parquet`, compressed."""
        pq.write_table(table, self.draft / f"{name}.parquet", compression="zstd")

    def write_index(self, document: Mapping[str, Any]) -> None:
        """`run.json`: what makes the folder a run."""
        (self.draft / INDEX_NAME).write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")


@contextmanager
def reserved(runs: Path, name: str, *, keeps: str = "") -> Iterator[RunFolder]:
    """The next free folder `{name}-{n}` under `runs`, kept when the block ends well and gone without a trace otherwise.

    `keeps`: a file in the draft that is worth more than a clean end; where it has come to be, everything stays.

    Raises `ConfigError` CONF000 where nothing can be written.
    """
    made = [folder for folder in (runs, *runs.absolute().parents) if not folder.exists()]
    held: list[Path] = []
    try:
        folder = _opened(runs, name, held)
        yield folder
        folder.draft.rename(folder.path)
    except BaseException:
        if keeps and len(held) > 1 and (held[1] / keeps).is_file():
            raise
        for path in held:
            shutil.rmtree(path, ignore_errors=True)
        for parent in made:
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()
        raise


def _opened(runs: Path, name: str, held: list[Path]) -> RunFolder:
    """Reserve the id and make the draft; what was made is in `held`, also when this is interrupted."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        path = _reserve(runs, name)
        held.append(path)
        draft = runs / f".{path.name}{_DRAFT}"
        shutil.rmtree(draft, ignore_errors=True)
        held.append(draft)
        draft.mkdir()
    except OSError as error:
        what = f"no run can be written here ({error.strerror})"
        raise ConfigError("CONF000", printable(runs), what, "Use --runs DIR with a folder you may write to.") from error
    return RunFolder(path.name, path, draft)


@contextmanager
def reopened(runs: Path, run_id: str) -> Iterator[RunFolder]:
    """The draft of a run that ended early, moved onto its folder when the block ends well; it stays otherwise.

    Raises `ConfigError` CONF000 where there is no such draft.
    """
    drafts = sorted(path.name[1 : -len(_DRAFT)] for path in runs.glob(f".*{_DRAFT}"))
    if run_id not in drafts:
        is_done = run_id and (runs / run_id / INDEX_NAME).is_file()
        what = f"'{printable(run_id)}' has ended" if is_done else f"no run '{printable(run_id)}' to go on with"
        fix = "Nothing is left to do." if is_done else did_you_mean(run_id, drafts) or "There is none at all."
        raise ConfigError("CONF000", printable(runs), what, fix, run_id)
    folder = RunFolder(run_id, runs / run_id, runs / f".{run_id}{_DRAFT}")
    folder.path.mkdir(exist_ok=True)
    yield folder
    folder.draft.rename(folder.path)


def read_runs(runs: Path) -> list[dict[str, Any]]:
    """The `run.json` of every finished run, oldest first. Empty when there is no folder."""
    paths = [path for path in runs.glob(f"*/{INDEX_NAME}") if not path.parent.name.startswith(".")]  # no drafts
    found = [_read_index(path) for path in paths]
    return sorted(found, key=lambda run: (int(run.get("created_ns", 0)), str(run.get("run_id", ""))))


def find_run(runs: Path, run_id: str) -> Path:
    """The folder of a run by its id, the beginning of one, or `last`. Raises `ConfigError` CONF000."""
    known = [str(run["run_id"]) for run in read_runs(runs)]
    if run_id == LATEST and known:
        return runs / known[-1]
    matches = [run_id] if run_id in known else [name for name in known if name.startswith(run_id)]
    if len(matches) == 1 and run_id:
        return runs / matches[0]
    if matches and run_id:
        fix = f"Write one of them: {', '.join(matches[:5])}."
        raise ConfigError("CONF000", printable(runs), f"'{printable(run_id)}' begins {len(matches)} runs", fix, run_id)
    fix = did_you_mean(run_id, known) or "Make one with 'libra backtest'."
    raise ConfigError("CONF000", printable(runs), f"no run '{printable(run_id)}'", fix, run_id)


def read_run(folder: Path) -> dict[str, Any]:
    """The `run.json` of one run folder. Raises `DataError` DATA011 where it is damaged."""
    return _read_index(folder / INDEX_NAME)


def content_hash(content: object) -> str:
    """BLAKE2b-128 over plain JSON data, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def _reserve(runs: Path, name: str) -> Path:
    pattern = re.compile(rf"{re.escape(name)}-(\d+)")
    taken = [int(match.group(1)) for entry in os.scandir(runs) if (match := pattern.fullmatch(entry.name))]
    number = max(taken, default=0) + 1
    while True:
        path = runs / f"{name}-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1  # another process was faster
        else:
            return path


def _read_index(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        place = f"{path.parent.name}/{path.name}"
        raise DataError("DATA011", place, "not readable as JSON", "Delete the run folder or restore it.") from error
    if not isinstance(document, dict) or "run_id" not in document:
        place = f"{path.parent.name}/{path.name}"
        raise DataError("DATA011", place, "no run_id in it", "Delete the run folder or restore it.")
    return document
