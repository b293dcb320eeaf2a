"""What runs in each host process of a deployment."""

import threading

from libra_ray.hosts.context import HostProgram
from libra_ray.hosts.loop import run_host

__all__ = ["run_deployed_host"]


def run_deployed_host(program: HostProgram, stopping: threading.Event) -> object:
    """Be the host of `program`; returns its final status."""
    return run_host(program, stopping)
