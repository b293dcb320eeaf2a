"""An environment for each engine: a Python that it supports, its packages at tested versions, kept between runs.

One for each, since the engines exclude each other's versions of their dependencies. The folder ignores itself in git.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["GRID_PEERS", "PEERS", "Peer", "UnavailableError", "python_for", "ready_python"]

FOLDER: Final = Path(__file__).parent / ".environments"
READY: Final = "ready.json"
PYTHONS: Final = ((3, 11), (3, 12), (3, 13), (3, 14))
INSTALL_SECONDS_MAX: Final = 1_200


@dataclass(frozen=True)
class Peer:
    """Another engine: the module that runs it, what pip installs for it, the least Python that it needs."""

    name: str
    module: str
    requirements: tuple[str, ...]
    python_min: tuple[int, int] = (3, 11)

    @property
    def environment(self) -> str:
        """The folder of its environment: one for all modules of an engine."""
        return f"engine_{self.module.partition('_')[2]}"


PEERS: Final = (
    Peer("backtesting.py", "engine_backtesting", ("backtesting==0.6.6", "pandas==3.1.1")),
    Peer("backtrader", "engine_backtrader", ("backtrader==1.9.78.123", "pandas==3.1.1")),
    Peer("vectorbt", "engine_vectorbt", ("vectorbt==1.2.0", "pandas==3.1.1")),
    # Its reports concatenate pandas tables at each closed position, which pandas 3 does four times as slowly.
    Peer("NautilusTrader", "engine_nautilus", ("nautilus_trader==1.231.0", "pandas==2.3.3"), (3, 12)),
)
GRID_PEERS: Final = (
    Peer("vectorbt", "grid_vectorbt", PEERS[2].requirements),
    Peer("backtesting.py", "grid_backtesting", PEERS[0].requirements),
)
"""Those that have a way of their own to run a grid."""


class UnavailableError(Exception):
    """An engine cannot be installed here; the text says why in one line."""


def ready_python(peer: Peer) -> Path:
    """Give the Python of the peer's environment, made first where there is none. Raises `UnavailableError`."""
    folder = FOLDER / peer.environment
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    maker = python_for(peer)
    wanted = {"requirements": list(peer.requirements), "python": str(maker)}
    ready = folder / READY
    if python.exists() and ready.exists() and json.loads(ready.read_text()) == wanted:
        return python
    print(f"{peer.name}: making its environment with {maker}", file=sys.stderr, flush=True)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    _run([maker, "-m", "venv", "--clear", folder], peer)
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirements], peer)
    ready.write_text(json.dumps(wanted))
    return python


def python_for(peer: Peer) -> Path:
    """Find a Python for the peer: the running one where it will do, else the next newer. Raises `UnavailableError`."""
    running = sys.version_info[:2]
    if running >= peer.python_min:
        return Path(sys.executable).resolve()
    for version in PYTHONS:
        if version >= peer.python_min:
            for python in _candidates(*version):
                if _is_version(python, version):
                    return python
    least = ".".join(map(str, peer.python_min))
    raise UnavailableError(f"needs Python >= {least}, and none is on PATH or among pyenv's versions")


def _candidates(major: int, minor: int) -> list[Path]:
    """Look on PATH, then among pyenv's versions, the newest first."""
    on_path = shutil.which(f"python{major}.{minor}")
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{major}.{minor}.*/bin/python"), reverse=True)
    return [*([Path(on_path)] if on_path else []), *of_pyenv]


def _is_version(python: Path, version: tuple[int, int]) -> bool:
    """Ask it: pyenv puts names on PATH that only say that another version is active."""
    code = "import sys; print(*sys.version_info[:2])"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return run.stdout.split() == [str(part) for part in version]


def _run(command: list[str | Path], peer: Peer) -> None:
    """Run a step of the installation. Raises `UnavailableError` with its last line of complaint."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"cannot be installed: {error}") from error
    if run.returncode:
        lines = (run.stderr.strip() or run.stdout.strip() or f"exit code {run.returncode}").splitlines()
        complaints = [line for line in lines if line.startswith("ERROR")] or lines
        raise UnavailableError(f"cannot be installed ({' '.join(peer.requirements)}): {complaints[-1]}")
