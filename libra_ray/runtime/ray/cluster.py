"""Joining a cluster that is there already, and one clear sentence when that fails."""

import logging
import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import ray
from ray import _raylet
from ray.exceptions import AuthenticationError, RayError

from libra_ray.errors import ConnectionConfigError

__all__ = ["ADDRESS_VARIABLE", "join_cluster"]

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
ADDRESS_FIX: Final = f"Check {ADDRESS_VARIABLE}, or unset it to start Ray on this machine."
PROBE_SECONDS: Final = 2.0


def join_cluster(address: str) -> None:
    """Connect this process as a driver.

    Raises `ConnectionConfigError`: CONN001 when no cluster answers, CONN002 when it refuses the token, CONN003 when it
    runs other versions.
    """
    _probe(address)
    try:
        _probe_token(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (RayError, ConnectionError, RuntimeError) as error:
        causes = list(_causes(error))
        texts = " ".join(str(cause) for cause in causes)
        # Ray hides the reason behind a plain ConnectionError; only its text tells.
        if "InvalidAuthToken" in texts or any(isinstance(cause, AuthenticationError) for cause in causes):
            what = "token missing or wrong"
            raise ConnectionConfigError("CONN002", address, what, "Set RAY_AUTH_TOKEN_PATH.", address) from error
        what = " ".join(str(error).split())
        if "ersion mismatch" in texts:
            fix = "Install the same versions of Ray and Python here and there."
            raise ConnectionConfigError("CONN003", address, what, fix, address) from error
        raise ConnectionConfigError("CONN001", address, f"no cluster answers ({what})", ADDRESS_FIX, address) from error


def _probe(address: str) -> None:
    """Refuse an address at which nobody listens, at once; Ray itself would try for half a minute."""
    try:
        parts = urlsplit(address if "://" in address else f"ray://{address}")
        host, port = parts.hostname, parts.port
    except ValueError:  # no number: Ray knows what to say
        return
    if host is None or port is None:  # `auto`, for example: Ray knows what to do with it
        return
    try:
        socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        what = reason[:1].lower() + reason[1:]
        raise ConnectionConfigError("CONN001", address, what, ADDRESS_FIX, address) from error


def _probe_token(address: str) -> None:
    """Raises `AuthenticationError` when the cluster refuses us, at once; Ray itself would try again for 20 seconds.

    Raises `RpcError` when what listens there is no cluster: asking a second time would not help.
    """
    if "://" in address or ":" not in address:  # a client's server has another protocol; `auto` is Ray's to find
        return
    compiled: Any = _raylet
    compiled.GcsClient(address=address)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
