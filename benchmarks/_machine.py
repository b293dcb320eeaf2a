"""What a number was measured on: processor, cores, versions, commit. Numbers without it cannot be compared."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

__all__ = ["Machine", "version_of"]

DISTRIBUTIONS: Final = ("numpy", "numba", "pyarrow", "ray", "libra-ray")
ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Machine:
    """Where and with what a benchmark ran. `load_1m` is the machine's load average as the run began."""

    cpu: str
    cores: int
    load_1m: float
    system: str
    versions: dict[str, str]
    commit: str

    @classmethod
    def here(cls) -> "Machine":
        """Describe this machine as it is now."""
        versions = {"python": platform.python_version()} | {name: version_of(name) for name in DISTRIBUTIONS}
        load_1m = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        return cls(_cpu(), _cores(), round(load_1m, 2), platform.platform(), versions, _commit())


def version_of(distribution: str) -> str:
    """Give the installed version, or say that there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _commit() -> str:
    """Give the commit of the checkout, with `+changes` when files differ from it."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    if commit is None:
        return "none"
    return f"{commit}+changes" if _git("status", "--porcelain") else commit


def _git(*arguments: str) -> str | None:
    try:
        run = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)  # noqa: S607 - git of the PATH is the one wanted
    except OSError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None
