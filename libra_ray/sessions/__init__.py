"""Deployments: a system on hosts of its own, supervised, while it runs.

The names are loaded at first use: a host process finds its main function and its residents here, and must not load what
the driver alone needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libra_ray.sessions.deployment import Deployment as Deployment
    from libra_ray.sessions.deployment import deploy as deploy
    from libra_ray.sessions.supervision_settings import GroupSettings as GroupSettings
    from libra_ray.sessions.supervision_settings import SupervisionSettings as SupervisionSettings

_HOME = {
    "Deployment": "libra_ray.sessions.deployment",
    "GroupSettings": "libra_ray.sessions.supervision_settings",
    "SupervisionSettings": "libra_ray.sessions.supervision_settings",
    "deploy": "libra_ray.sessions.deployment",
}

__all__ = ["Deployment", "GroupSettings", "SupervisionSettings", "deploy"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'libra_ray.sessions' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value
