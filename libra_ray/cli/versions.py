"""Which versions are at work."""

import platform
import tomllib
from importlib import metadata
from pathlib import Path

__all__ = ["library_version", "versions"]

SHOWN = ("numpy", "numba", "pyarrow", "pydantic", "msgspec", "ray")


def library_version() -> str:
    """The installed version, or that of the checkout."""
    try:
        return metadata.version("libra-ray")
    except metadata.PackageNotFoundError:
        project = Path(__file__).resolve().parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text())["project"]["version"])


def versions() -> dict[str, str]:
    """Library, Python, platform and the libraries that a result may depend on."""
    found = {"libra_ray": library_version(), "python": platform.python_version(), "platform": platform.platform()}
    return found | {name: metadata.version(name) for name in SHOWN}
