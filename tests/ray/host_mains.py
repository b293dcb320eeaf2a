"""What the host processes of the tests run; they import this module."""

import os
import signal
import sys
import threading

from libra_ray.errors import ConfigError

__all__ = ["give_back", "hang", "import_and_wait", "kill_itself", "raise_error", "wait_for_stop"]


def wait_for_stop(argument: object, stopping: threading.Event) -> object:
    """Do nothing until asked to stop; return the argument."""
    stopping.wait()
    return argument


def give_back(argument: object, _stopping: threading.Event) -> object:
    """Return the argument at once."""
    return argument


def raise_error(argument: str, _stopping: threading.Event) -> object:
    """Raise an error of the library, of Python, or that ends a process."""
    if argument == "typed":
        raise ConfigError("CONF010", "placement", "no actor 'x'", "Name one.", "x")
    if argument == "exit":
        sys.exit(3)
    raise ValueError(argument)


def kill_itself(_argument: object, _stopping: threading.Event) -> object:
    """End as nobody expects."""
    os.kill(os.getpid(), signal.SIGKILL)
    return None


def hang(_argument: object, _stopping: threading.Event) -> object:
    """Hold the interpreter's lock for good but for the switches between threads."""
    while True:
        pass


def import_and_wait(modules: list[str], stopping: threading.Event) -> list[str]:
    """Import what a host needs, idle, and say which heavy modules that has loaded."""
    for name in modules:
        __import__(name)
    stopping.wait()
    return [name for name in ("pandas", "numba", "optuna", "rich", "typer", "matplotlib") if name in sys.modules]
