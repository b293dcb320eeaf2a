"""A real Ray head on this machine with a token, as `ray start` makes it, ended with all that it started."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from libra_ray.runtime.ray.undertaker import bury

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 15
PORTS = 7
TOKEN = "5e" * 32


@dataclass(frozen=True)
class Head:
    """Where it is, and the environment of whoever may use it."""

    address: str
    dashboard: str
    folder: Path
    environment: dict[str, str]

    @property
    def stranger(self) -> dict[str, str]:
        """The environment of somebody who has no token."""
        return {name: value for name, value in self.environment.items() if not name.startswith("RAY_AUTH")}

    def run(self, *command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of somebody who has the token."""
        return run(*command, cwd=cwd, environment={**self.environment, **more})


def run(*command: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=150)


def clean_environment(folder: Path) -> dict[str, str]:
    """The environment without what belongs to another Ray, and with a token of our own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    token = folder / "token"
    if not token.exists():
        token.touch(mode=0o600)
        token.write_text(TOKEN)
    return {
        **kept,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "actors")]),
        "TMPDIR": str(folder),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def port_options(ports: Sequence[int]) -> list[str]:
    """So that two heads can be on one machine."""
    names = (
        "port",
        "dashboard-port",
        "dashboard-agent-listen-port",
        "dashboard-agent-grpc-port",
        "metrics-export-port",
        "runtime-env-agent-port",
        "ray-client-server-port",
    )
    return [f"--{name}={port}" for name, port in zip(names, ports, strict=True)]


@contextmanager
def ray_head(
    folder: Path, *options: str, cores: int = 2, ports: Sequence[int] = (), **environment: str
) -> Iterator[Head]:
    """A head whose files lie in `folder`, which must be short. Its job server listens on the loopback alone."""
    shared = clean_environment(folder)
    ports = ports or free_ports(PORTS)
    session = folder / "r"
    command = [str(BIN / "ray"), "start", "--head", "--block", f"--num-cpus={cores}", f"--temp-dir={session}"]
    command += ["--dashboard-host=127.0.0.1", "--object-store-memory=100000000", "--disable-usage-stats"]
    log = (folder / "head.log").open("w")
    with log:
        process = subprocess.Popen(
            [*command, *port_options(ports), *options],
            env={**shared, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            dashboard = f"http://127.0.0.1:{ports[1]}"
            _wait_for(dashboard, process, folder / "head.log")
            address = f"{_address(folder / 'head.log')}:{ports[0]}"
            yield Head(address, dashboard, folder, {**shared, "RAY_API_SERVER_ADDRESS": dashboard})
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            bury([session])
    for name in ("token", "head.log"):
        (folder / name).unlink()
    for path in folder.glob("pymp-*"):  # of Ray's own helpers, which are killed
        shutil.rmtree(path)


def status_of(url: str, token: str | None) -> int:
    """The HTTP status of a page for somebody with this token."""
    if urlsplit(url).hostname != "127.0.0.1":
        raise ValueError(url)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:  # noqa: S310 - checked above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _wait_for(dashboard: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(START_SECONDS_MAX * 5):
        has_job_server = status_of(f"{dashboard}/api/jobs/", TOKEN) == 200
        if has_job_server and "block" in log.read_text():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)  # noqa: TID251 - a starting server sends no word
    raise RuntimeError(f"no head: {log.read_text()}")


def _address(log: Path) -> str:
    """The address that Ray chose for this machine; workers use it whatever they are told."""
    line = next(line for line in log.read_text().splitlines() if "--address=" in line)
    return line.partition("--address='")[2].partition(":")[0]


def last_json(text: str) -> dict[str, object]:
    """The last line of a job's log that is a JSON document."""
    line = next(line for line in reversed(text.splitlines()) if line.startswith("{"))
    document: dict[str, object] = json.loads(line)
    return document
