"""What is left when the driver is killed: a small process of its own ends the others and removes the folders.

No hook runs in a driver that is killed. The kernel then ends a Ray that it started, all but the agents, which wait a
minute for an answer (measured), and a host that is stopped does not see that its driver is gone. So the driver holds a
pipe to this process, and the end of the pipe tells of the driver's.

The file is run as a program, without site packages: it imports nothing but the standard library.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["Undertaker", "bury"]

PROC: Final = Path("/proc")
BURY_SECONDS_MAX: Final = 20.0
POLL_SECONDS: Final = 0.1
EXIT_SECONDS_MAX: Final = 5.0


class Undertaker:
    """Minds folders until `close`. Should this process die before, the folders go, and who has a file open in them.

    A process that this one forks without a new program holds the pipe too, and delays that to its own end.
    """

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", __file__]
        nothing = subprocess.DEVNULL
        # A session of its own: Ctrl-C and a kill of the driver's group do not reach it.
        self._process = subprocess.Popen(  # noqa: S603  # our own file
            command, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, cwd="/", start_new_session=True
        )

    def mind(self, folder: Path) -> None:
        """Bury this folder too, if it comes to that."""
        self._write(b"+", folder)

    def forget(self, folder: Path) -> None:
        """Its owner has removed it."""
        self._write(b"-", folder)

    def close(self) -> None:
        """Nothing is left to be buried. Returns when the process has ended; may be called twice."""
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            self._send(b"done\n")
            with suppress(BrokenPipeError):  # somebody killed it
                pipe.close()
        try:
            self._process.wait(EXIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _write(self, sign: bytes, folder: Path) -> None:
        self._send(sign + os.fsencode(folder).hex().encode() + b"\n")

    def _send(self, line: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            pipe.write(line)
            pipe.flush()
        except BrokenPipeError:  # killed by somebody: then the next session sweeps
            return


def bury(folders: Iterable[Path]) -> None:
    """Kill every process that has a file open in one of `folders` or names it as an argument; then remove them."""
    wanted = [os.fsencode(folder) for folder in folders]
    deadline = time.monotonic() + BURY_SECONDS_MAX  # noqa: TID251  # no clock of ours without site packages
    while time.monotonic() < deadline:  # noqa: TID251
        left = [pid for pid in _processes() if any(_belongs(pid, folder) for folder in wanted)]
        if not left:
            break
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)  # noqa: TID251  # killed processes send no word
    for folder in wanted:
        shutil.rmtree(folder, ignore_errors=True)


def _processes() -> list[int]:
    return [int(path.name) for path in PROC.glob("[0-9]*") if int(path.name) != os.getpid()]


def _belongs(pid: int, folder: bytes) -> bool:
    """Ray's workers hide their arguments behind a title, but each has its log file open below the folder."""
    place = PROC / str(pid)
    try:
        arguments = (place / "cmdline").read_bytes().split(b"\0")
        if any(argument.endswith(folder) or folder + b"/" in argument for argument in arguments):
            return True
        descriptors = list((place / "fd").iterdir())
    except OSError:  # ended meanwhile, or somebody else's
        return False
    return any(_target(descriptor).startswith(folder + b"/") for descriptor in descriptors)


def _target(descriptor: Path) -> bytes:
    try:
        return os.fsencode(descriptor.readlink())
    except OSError:
        return b""


def _wait_and_bury() -> None:
    folders: dict[bytes, None] = {}
    for line in sys.stdin.buffer:
        if line == b"done\n":
            return
        folder = bytes.fromhex(line[1:].decode())
        if line.startswith(b"+"):
            folders[folder] = None
        else:
            folders.pop(folder, None)
    bury([Path(os.fsdecode(folder)) for folder in folders])


if __name__ == "__main__":
    _wait_and_bury()
