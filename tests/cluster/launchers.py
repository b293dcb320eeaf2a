"""A machine that `ray up` can reach: this one, through an SSH server of our own on the loopback."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # it comes with Ray

from libra_ray.runtime.ray.undertaker import bury
from tests.cluster.heads import BIN, PORTS, ROOT, clean_environment, free_ports, port_options, run

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
NEEDS = {"sshd": SSHD, **{name: shutil.which(name) for name in ("ssh", "ssh-keygen", "rsync")}}
CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
SetEnv HOME={folder}/home PYTHONPATH={root}:{root}/actors
"""


@dataclass(frozen=True)
class Launcher:
    """A cluster file, the home folder of the machine that it names, and the environment of who may use it."""

    cluster: Path
    home: Path
    environment: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of somebody who has the key and the token, in the checkout."""
        return run(*command, cwd=ROOT, environment=self.environment)


@contextmanager
def launcher(folder: Path) -> Iterator[Launcher]:
    """The cluster file of `cluster/` with one machine, this one; nothing is launched yet. All lies in `folder`."""
    (port, *ports) = free_ports(PORTS + 1)
    home, tools = folder / "home", folder / "bin"
    home.mkdir()
    tools.mkdir()
    (home / ".bash_profile").write_text(f"export PATH={BIN}:$PATH\n")
    (home / ".bashrc").touch()
    for name in ("host_key", "user_key"):
        make = [str(NEEDS["ssh-keygen"]), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    ssh = tools / "ssh"  # Ray's launcher knows no port, and rsync finds this one too
    ssh.write_text(f'#!/bin/sh\nexec {NEEDS["ssh"]} -F none -p {port} "$@"\n')
    ssh.chmod(0o700)
    environment = clean_environment(folder)
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    (folder / "sshd_config").write_text(CONFIGURATION.format(port=port, folder=folder, root=ROOT))
    sshd = subprocess.Popen(
        [str(SSHD), "-D", "-f", str(folder / "sshd_config"), "-E", str(folder / "sshd.log")], start_new_session=True
    )
    try:
        _wait_for(folder / "sshd.log")
        yield Launcher(_cluster_file(folder, ports), home, environment)
    finally:
        bury([folder / "r"])
        sshd.terminate()
        sshd.wait()
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _cluster_file(folder: Path, ports: list[int]) -> Path:
    """Ours, for one machine that runs trials too. `ray stop` would end every Ray of the machine, so it goes."""
    document = yaml.safe_load((ROOT / "cluster" / "ray-cluster.yaml").read_text())
    document["provider"] |= {"head_ip": "127.0.0.1", "worker_ips": []}
    document |= {"min_workers": 0, "max_workers": 0, "file_mounts": {"~/.ray/auth_token": str(folder / "token")}}
    document["auth"] = {"ssh_user": pwd.getpwuid(os.getuid()).pw_name, "ssh_private_key": str(folder / "user_key")}
    stop, start = document["head_start_ray_commands"]
    assert stop == "ray stop"
    options = " ".join([*port_options(ports), f"--temp-dir={folder / 'r'}", "--object-store-memory=100000000"])
    start = start.replace("--num-cpus=0", "--num-cpus=2").replace("--port=6379", options)
    document["head_start_ray_commands"] = [start]
    path = folder / "cluster.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def _wait_for(log: Path) -> None:
    for _ in range(200):
        if log.exists() and "listening" in log.read_text():
            return
        time.sleep(0.05)  # noqa: TID251 - a starting server sends no word
    raise RuntimeError(f"no SSH server: {log.read_text() if log.exists() else ''}")
