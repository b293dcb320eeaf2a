"""Real processes for tests of the catalog: forked from one that has no threads, they write, die, or look.

Run as a program: `kill FOLDER SEED KILLS` or `race FOLDER ROUNDS`; prints what it found as one JSON line.
"""

import json
import os
import select
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from libra_ray.clock import LiveClock
from libra_ray.data.parquet_catalog import catalog
from libra_ray.errors import DataError
from libra_ray.messages.schemas import BARS
from tests.data.catalog_rows import EURUSD, bars, hours_read

__all__ = ["kill", "race"]

APPENDED = 200
ACTIONS = ("append", "replace", "compact")


def _start(work: Callable[[], Any]) -> tuple[int, int]:
    """A child that does `work` and sends its answer; its pid and where the answer is read."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    try:
        answer = json.dumps(work())
    except Exception as error:  # noqa: BLE001  # the parent shows it
        answer = json.dumps(f"{type(error).__name__}: {error}")
    os.write(write, answer.encode())
    os._exit(0)


def _answer(child: tuple[int, int]) -> Any:  # noqa: ANN401  # what the work gave; None of one that died
    pid, read = child
    with os.fdopen(read, "rb") as pipe:
        content = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(content) if content else None


def _act(folder: Path, action: str, hour: int, ready: int) -> float:
    made, rows = catalog(folder), bars(hour, APPENDED)
    os.write(ready, b"1")
    clock = LiveClock()
    start_ns = clock.now_ns()
    if action == "append":
        made.write(EURUSD, BARS, rows, "1h")
    elif action == "replace":
        made.write(EURUSD, BARS, bars(50, 100), "1h", on_overlap="replace")
    else:
        made.compact()
    return (clock.now_ns() - start_ns) / 1e9


def _state(folder: Path) -> tuple[list[int], list[str]]:
    made = catalog(folder)
    return hours_read(made), [error.message for error in made.check().errors]


def kill(folder: Path, seed: int, kills: int) -> dict[str, Any]:
    """Writers that are killed after a random part of their time; each time the rows are those before or after."""
    draw = np.random.Generator(np.random.Philox(seed))
    _answer(_start(lambda: catalog(folder).write(EURUSD, BARS, bars(0, APPENDED), "1h").rows))
    hours, faults, died, landed = list(range(APPENDED)), [], 0, 0
    usual_s = dict.fromkeys(ACTIONS, 0.05)
    while died < kills:
        action, hour = ACTIONS[int(draw.integers(len(ACTIONS)))], hours[-1] + 1
        ready_read, ready = os.pipe()
        child = _start(partial(_act, folder, action, hour, ready))
        os.read(ready_read, 1)
        select.select([], [], [], draw.random() * usual_s[action])
        os.kill(child[0], signal.SIGKILL)
        os.close(ready_read)
        os.close(ready)
        seconds = _answer(child)
        died += seconds is None
        usual_s[action] = seconds * 1.1 if isinstance(seconds, float) else usual_s[action] * 1.05
        found, errors = _answer(_start(partial(_state, folder)))
        after = [*hours, *range(hour, hour + APPENDED)] if action == "append" else hours
        landed += found != hours
        if found not in (hours, after) or errors or isinstance(seconds, str):
            faults.append([action, len(hours), len(found), seconds, errors])
        hours = found
    _answer(_start(lambda: catalog(folder).write(EURUSD, BARS, bars(hours[-1] + 1, 1), "1h").rows))
    left = {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*")}
    return {"died": died, "landed": landed, "faults": faults, "orphans": sorted(left - set(_named(folder)))}


def race(folder: Path, rounds: int) -> list[Any]:
    """Three writers of three ranges at once, in a folder that is not there; what each said and what is there then."""
    found = []
    for turn in range(rounds):
        root = folder / str(turn)
        wait, go = os.pipe()
        children = [_start(partial(_write_at_once, root, number, wait, go)) for number in range(3)]
        os.close(go)
        said = [_answer(child) for child in children]
        os.close(wait)
        hours, errors = _answer(_start(partial(_state, root)))
        wanted = [hour for k, answer in enumerate(said) if answer == "written" for hour in range(100 * k, 100 * k + 10)]
        found.append({"said": said, "as_said": hours == wanted, "errors": errors})
    return found


def _write_at_once(root: Path, number: int, wait: int, go: int) -> str:
    rows = bars(100 * number, 10)
    os.close(go)
    os.read(wait, 1)
    try:
        catalog(root).write(EURUSD, BARS, rows, "1h")
    except DataError as error:
        return error.code
    return "written"


def _named(folder: Path) -> list[str]:
    named: list[str] = _answer(_start(lambda: [entry.file for entry in catalog(folder).ls()]))
    return named


if __name__ == "__main__":
    task, root, *numbers = sys.argv[1:]
    given = [int(number) for number in numbers]
    sys.stdout.write(json.dumps(kill(Path(root), *given) if task == "kill" else race(Path(root), *given)))
