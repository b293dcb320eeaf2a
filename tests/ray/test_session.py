"""What a session starts it ends, in every way there is to end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray

from libra_ray.errors import ConfigError
from libra_ray.runtime.ray import RaySession
from libra_ray.runtime.ray.processes import started_by_session
from tests.conftest import takes_long

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
END_SECONDS_MAX = 60
PROGRAM = """
import os, sys
from libra_ray import sweep
from tests.sweeps.runs import bars, fragile_system

def tell(progress):
    print(progress.done, progress.engine, flush=True)
    if mode == "raise" and progress.done == 3:
        raise RuntimeError("enough")

mode = sys.argv[1]
print("begin", flush=True)
result = sweep(fragile_system(), data=bars(3_000), grid={"lookback": range(1, 201)}, workers=2, progress=tell)
print("ended", result.trials, result.failed, flush=True)
"""


class Program:
    """A program that sweeps, and what of it and its processes is left on the machine."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.folder = folder
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment |= {"TMPDIR": str(folder), "PYTHONPATH": f"{ROOT}:{ROOT / 'actors'}"}
        arguments = [sys.executable, "-W", "error", "-c", PROGRAM, mode]
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self.lines: list[str] = []
        self.started: set[int] = set()

    def read_until(self, text: str) -> None:
        """Read lines up to one that begins with `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith(text):
                return
        pytest.fail(f"no {text!r}: {self.lines} {self.process.communicate()[1]}")

    def note_processes(self) -> None:
        """Remember all descendants there are now."""
        found = [self.process.pid]
        for pid in found:
            found += _children(pid)
        self.started |= set(found)

    def finish(self) -> tuple[int, str]:
        """Exit code and error output."""
        out, error = self.process.communicate(timeout=END_SECONDS_MAX)
        self.lines += out.splitlines()
        return self.process.returncode, error

    def left(self) -> tuple[list[int], list[str]]:
        """Processes that live, and files that are there."""
        return sorted(pid for pid in self.started if _is_alive(pid)), [path.name for path in self.folder.rglob("*")]


@takes_long
@pytest.mark.parametrize("mode", ["complete", "raise"])
def test_a_sweep_that_ends_by_itself_leaves_nothing(mode: str, short_folder: Path) -> None:
    program = Program(short_folder, mode)
    program.read_until("3 ")
    program.note_processes()
    assert len(program.started) > 4

    code, error = program.finish()

    assert (code, program.left()) == ({"complete": 0, "raise": 1}[mode], ([], []))
    assert ("RuntimeError: enough" in error) == (mode == "raise")
    assert ("ended 200 0" in program.lines) == (mode == "complete")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, -signal.SIGINT), pytest.param(signal.SIGTERM, 143, marks=takes_long)]
)
def test_a_sweep_that_is_interrupted_leaves_nothing(number: signal.Signals, code: int, short_folder: Path) -> None:
    program = Program(short_folder, "endless")
    program.read_until("3 ")
    program.note_processes()

    program.process.send_signal(number)

    assert program.finish()[0] == code
    assert program.left() == ([], [])


@takes_long
def test_a_sweep_that_is_terminated_while_ray_starts_leaves_nothing(short_folder: Path) -> None:
    program = Program(short_folder, "endless")
    program.read_until("begin")
    while not list(short_folder.glob("*/r/session_*/sockets")):  # what Ray makes just before its first processes
        time.sleep(0.01)  # noqa: TID251 - the start tells nobody where it is
    program.note_processes()

    program.process.send_signal(signal.SIGTERM)

    assert program.finish()[0] == 143
    assert program.left() == ([], [])


def test_a_session_within_another_joins_it_and_leaves_it_alone(two_workers: RaySession) -> None:
    with RaySession() as inner:
        assert (inner.is_local, inner.workers) == (False, 2)

    assert two_workers.is_local
    assert two_workers.describe() == f"Ray {ray.__version__}, 2 workers on this machine"
    assert ray.is_initialized()


def test_more_workers_than_the_cluster_has_cores_are_refused(two_workers: RaySession) -> None:
    with pytest.raises(ConfigError) as caught, RaySession(workers=two_workers.workers + 1):
        pytest.fail("entered")

    assert str(caught.value) == (
        "CONF002 workers: 3 is above the 2 cores of the cluster. Give fewer workers or add nodes."
    )


def test_no_more_workers_are_taken_than_there_is_work_for(two_workers: RaySession) -> None:
    with RaySession(workers=two_workers.workers, workers_max=1) as inner:
        assert inner.workers == 1


def test_a_session_of_no_worker_is_refused() -> None:
    with pytest.raises(ConfigError, match="CONF002 workers: 0 is below 1"):
        RaySession(workers=0)


def test_a_local_ray_has_a_token_of_its_own_and_gives_the_environment_back(two_workers: RaySession) -> None:
    token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])

    assert two_workers.is_local
    assert (token.stat().st_mode & 0o777, token.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(started_by_session(token.parent)) > 4


def test_an_address_at_which_nobody_listens_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    code = f"""
import os
os.environ["RAY_ADDRESS"] = {address!r}
from libra_ray.errors import ConnectionConfigError
from libra_ray.runtime.ray import RaySession
try:
    with RaySession():
        pass
except ConnectionConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)

    assert done.stdout.strip() == (
        f"CONN001 {address}: connection refused. Check RAY_ADDRESS, or unset it to start Ray on this machine."
    )


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # ended meanwhile
        return []


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
