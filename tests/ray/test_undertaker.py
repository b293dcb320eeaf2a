"""What a killed driver leaves is removed by its undertaker."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from libra_ray.runtime.ray.undertaker import Undertaker

pytestmark = pytest.mark.slow

PROGRAM = """
import os, signal, subprocess, sys
from pathlib import Path
from libra_ray.runtime.ray.undertaker import Undertaker

root = Path(sys.argv[1])
undertaker = Undertaker()
for name in ("one", "two", "kept"):
    (root / name).mkdir()
    undertaker.mind(root / name)
undertaker.forget(root / "kept")
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
with (root / "one" / "log").open("w") as log:
    writer = subprocess.Popen(sleeper, stdout=log, stderr=log, start_new_session=True)
os.kill(writer.pid, signal.SIGSTOP)
apart = {"start_new_session": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
named = subprocess.Popen([*sleeper, str(root / "two")], **apart)
stranger = subprocess.Popen(sleeper, **apart)
print(writer.pid, named.pid, stranger.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folders_and_whoever_has_files_there_go_with_a_killed_driver_and_nobody_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    writer, named, stranger = map(int, done.stdout.split())

    wait_until_gone(tmp_path / "one", tmp_path / "two")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert [is_alive(pid) for pid in (writer, named, stranger)] == [False, False, True]
    os.kill(stranger, signal.SIGKILL)


def test_a_session_that_ends_well_leaves_folders_to_their_owner_and_no_process(tmp_path: Path) -> None:
    undertaker = Undertaker()
    undertaker.mind(tmp_path)
    pid = undertaker._process.pid  # noqa: SLF001

    undertaker.close()
    undertaker.close()

    assert tmp_path.exists()
    assert not is_alive(pid)


def test_an_undertaker_that_was_killed_is_not_missed(tmp_path: Path) -> None:
    undertaker = Undertaker()
    undertaker._process.kill()  # noqa: SLF001
    undertaker._process.wait()  # noqa: SLF001

    undertaker.mind(tmp_path)
    undertaker.close()

    assert tmp_path.exists()


def wait_until_gone(*paths: Path) -> None:
    for _ in range(200):
        if not any(path.exists() for path in paths):
            return
        time.sleep(0.05)  # noqa: TID251 - another process works at it
    pytest.fail(f"still there: {paths}")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
