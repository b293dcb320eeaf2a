"""The environment that Ray's processes inherit: its own documented switches, and a token of this session alone.

A local Ray listens on all interfaces of the machine, so its port must not be open to others. Left alone, Ray writes a
token into the home folder, readable by everybody, and keeps it. Here it lies in the session's private folder and ends
with it; whoever configured a token (`RAY_AUTH_MODE`, `RAY_AUTH_TOKEN`, `RAY_AUTH_TOKEN_PATH`) is left alone.
"""

import os
import secrets  # noqa: TID251  # a token that can be derived from a seed is no token
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ray import _raylet

__all__ = ["NODE_CHECKS", "cluster_environment", "local_ray_environment"]

SWITCHES: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Without it each start warns that a future Ray will leave CUDA_VISIBLE_DEVICES alone.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
NODE_CHECKS: Final = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}
"""With these Ray itself gives up a node that does not answer after 4.5 s; left alone it takes 66 s."""
_TOKEN_FILE: Final = Path.home() / ".ray" / "auth_token"
TOKEN_SETTINGS: Final = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@contextmanager
def local_ray_environment(folder: Path, switches: Mapping[str, str]) -> Iterator[None]:
    """Set what a local Ray needs and `switches`, and afterwards put everything back, also what Ray set meanwhile."""
    switches = {**SWITCHES, **switches}
    touched = (*switches, *TOKEN_SETTINGS)
    before = {name: os.environ.get(name) for name in touched}
    has_own_token = all(before[name] is None for name in TOKEN_SETTINGS)
    try:
        for name, value in switches.items():
            os.environ.setdefault(name, value)
        if has_own_token:
            os.environ["RAY_AUTH_TOKEN_PATH"] = str(_write_token(folder))
            _forget_authentication()
        yield
    finally:
        _restore(before)
        if has_own_token:
            _forget_authentication()


@contextmanager
def cluster_environment() -> Iterator[None]:
    """Use the token that is configured, or Ray's own file; Ray itself does not when it is given an address."""
    names = ("RAY_AUTH_MODE", "RAY_USAGE_STATS_ENABLED")
    before = {name: os.environ.get(name) for name in names}
    has_token = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")) or _TOKEN_FILE.is_file()
    try:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if has_token:
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            _forget_authentication()
        yield
    finally:
        _restore(before)
        if has_token:
            _forget_authentication()


def _write_token(folder: Path) -> Path:
    path = folder / "token"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return path


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _forget_authentication() -> None:
    """Let this process read mode and token again: it keeps the first ones for life, and the next cluster has others.

    No public function does it; these are the two calls that Ray's own `ray.init` and command line make.
    """
    compiled: Any = _raylet
    compiled.Config.initialize("")
    compiled.AuthenticationTokenLoader.instance().reset_cache()
