"""However its driver ends, a deployment leaves no process, socket, segment or file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG_TESTS

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SEGMENTS = Path("/dev/shm")  # noqa: S108 - where the system keeps shared memory
PROGRAM = """
import os, signal, sys, threading
from libra_ray.sessions import deploy
from libra_ray.simulation import System
from tests.sessions.parts import Counter, Ticker

system = System("ending")
for actor, actor_id in ((Ticker(), "T"), (Counter(), "C")):
    system.add(actor, actor_id)
deployment = deploy(system)
hosts = deployment.tree().hosts
if sys.argv[1] == "hung":
    os.kill(hosts[1].pid, signal.SIGSTOP)
print("up", *(host.pid for host in hosts), deployment.folder, flush=True)
if sys.argv[1] != "forgotten":
    with deployment:
        threading.Event().wait(60)
"""
ENDINGS = [
    pytest.param("hung", signal.SIGKILL, -signal.SIGKILL, id="killed with a host that hangs"),
    pytest.param("waits", signal.SIGINT, -signal.SIGINT, id="interrupted"),
]
if LONG_TESTS:
    ENDINGS += [
        pytest.param("waits", signal.SIGTERM, 143, id="terminated"),
        pytest.param("forgotten", None, 0, id="ended without a stop"),
    ]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder short enough for a socket; pytest's own is too long."""
    folder = Path(subprocess.check_output(["/usr/bin/mktemp", "-d", "/tmp/lXXXXXX"], text=True).strip())  # noqa: S108
    yield folder
    folder.rmdir()  # fails when something is left


@pytest.mark.parametrize(("mode", "number", "code"), ENDINGS)
def test_nothing_is_left(mode: str, number: signal.Signals | None, code: int, short_folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"TMPDIR": str(short_folder), "PYTHONPATH": f"{ROOT}:{ROOT / 'actors'}"}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert program.stdout is not None
    line = program.stdout.readline().split()
    assert line[:1] == ["up"], program.communicate()[1]
    hosts, folder = [int(pid) for pid in line[1:-1]], Path(line[-1])
    started = descendants(program.pid)
    assert (len(hosts), set(hosts) <= started, folder.parent) == (3, True, short_folder)

    if number is not None:
        program.send_signal(number)
    error = program.communicate(timeout=60)[1]

    assert program.returncode == code, error
    for _ in range(200):
        if not any(is_alive(pid) for pid in started) and not list(short_folder.iterdir()):
            break
        time.sleep(0.05)  # noqa: TID251 - nobody is there to tell when the last has ended
    assert [pid for pid in started if is_alive(pid)] == []
    assert [path.name for path in short_folder.iterdir()] == []
    assert [path for path in SEGMENTS.iterdir() if folder.name in path.name] == []


def descendants(pid: int) -> set[int]:
    """Its children, their children, ..."""
    found = [pid]
    for each in found:
        try:
            tasks = list(Path(f"/proc/{each}/task").iterdir())
            found += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:  # ended meanwhile
            continue
    return set(found[1:])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
