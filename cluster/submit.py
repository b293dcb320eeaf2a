"""Sends the sweep of a run file to a cluster, as a Ray job or through Ray's cluster launcher.

    python cluster/submit.py examples/ema_sweep.toml -- --table /shared/sweep.parquet
    python cluster/submit.py examples/ema_sweep.toml --launcher cluster/ray-cluster.yaml

What stands behind `--` goes to `cluster/sweep_job.py`. A job goes to RAY_API_SERVER_ADDRESS, carries the working
folder, and takes of this environment only what `--env` names: Ray shows these values to everybody, so no secret may be
among them. The exit code is that of `ray job submit` or `ray submit`.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from urllib.parse import urlsplit

from libra_ray.errors import ConfigError, ConnectionConfigError, LibraError

SCRIPT = Path("cluster") / "sweep_job.py"
REMOTE_FOLDER = "~/libra-job"
NOT_CARRIED = (".git", ".venv", "runs", "__pycache__", "*.parquet", "*.arrow", ".env", "*.pem", "*.key", "*token*")
SECRET_NAME = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL|PRIVATE|AUTH", re.IGNORECASE)
TOKEN_SETTINGS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, then send. Exit code 2 when something is missing or must not be sent."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    mine, job = (given[: given.index("--")], given[given.index("--") + 1 :]) if "--" in given else (given, [])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a run file with [grid], below the working folder")
    parser.add_argument("--env", action="append", default=[], metavar="NAME", help="pass this variable on; no secrets")
    parser.add_argument("--launcher", type=Path, metavar="YAML", help="use the cluster launcher with this file")
    parser.add_argument("--dry-run", action="store_true", help="print the commands and send nothing")
    options = parser.parse_args(mine)
    try:
        if not options.config.is_file() or options.config.is_absolute() or ".." in options.config.parts:
            fix = "Give a run file below the working folder: that is what travels."
            raise ConfigError("CONF002", str(options.config), "no such file here", fix, str(options.config))
        check_token(os.environ)
        if options.launcher is None:
            commands = [job_command(options.config, job, runtime_env(options.env, os.environ))]
        else:
            commands = launcher_commands(options.launcher, options.config, job)
    except LibraError as error:
        print(error, file=sys.stderr)  # noqa: T201  # what a person reads
        return error.exit_code
    for command in commands:
        if options.dry_run:
            print(json.dumps(command))  # noqa: T201  # what a person reads
        elif code := subprocess.run(  # noqa: S603  # Ray's own commands
            command, check=False, env={**os.environ, "RAY_AUTH_MODE": "token"}
        ).returncode:
            return code
    return 0


def runtime_env(names: Sequence[str], environment: Mapping[str, str]) -> dict[str, object]:
    """The runtime environment of the job. Raises `ConfigError` CONF002 for a variable that is not set or is secret."""
    return {"excludes": list(NOT_CARRIED), "env_vars": {name: _open_value(name, environment) for name in names}}


def check_token(environment: Mapping[str, str]) -> None:
    """Raises `ConnectionConfigError` CONN002 when no token is configured: whoever reaches the port could run code."""
    has_token = any(environment.get(name) for name in TOKEN_SETTINGS)
    if not has_token or environment.get("RAY_AUTH_MODE", "token") != "token":
        address = environment.get("RAY_API_SERVER_ADDRESS", "the cluster")
        fix = "Set RAY_AUTH_TOKEN_PATH."
        raise ConnectionConfigError("CONN002", address, "token missing or wrong", fix, address)


def job_command(config: Path, job: Sequence[str], environment: Mapping[str, object]) -> list[str]:
    """`ray job submit`: the working folder travels, the sweep runs on the cluster."""
    entry = ["python", SCRIPT.as_posix(), config.as_posix(), *job]
    return ["ray", "job", "submit", "--working-dir", ".", "--runtime-env-json", json.dumps(environment), "--", *entry]


def launcher_commands(cluster: Path, config: Path, job: Sequence[str]) -> list[list[str]]:
    """`ray rsync-up` of the run file's folder, which it does not make by itself, and `ray submit` of the script."""
    remote = f"{REMOTE_FOLDER}/{config.parent.as_posix()}/"
    make = ["ray", "exec", str(cluster), f"mkdir -p {REMOTE_FOLDER}/{quote(config.parent.as_posix())}"]
    up = ["ray", "rsync-up", str(cluster), f"{config.parent.as_posix()}/", remote]
    submit = ["ray", "submit", str(cluster), SCRIPT.as_posix(), "--", f"{remote}{config.name}"]
    return [make, up, [*submit, "--address", "auto", *job]]


def _open_value(name: str, environment: Mapping[str, str]) -> str:
    """The value of a variable that everybody may read."""
    value = environment.get(name)
    if value is None:
        raise ConfigError("CONF002", f"--env {name}", "it is not set here", "Export it first.", name)
    if SECRET_NAME.search(name) or urlsplit(value).password:
        what = "a secret in a runtime environment is shown to everybody"
        fix = "Put it into a file on the nodes (mode 0600, or a Kubernetes secret) and name the file."
        raise ConfigError("CONF002", f"--env {name}", what, fix, "***")
    return value


if __name__ == "__main__":
    sys.exit(main())
