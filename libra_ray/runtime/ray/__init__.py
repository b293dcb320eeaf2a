"""Ray as the control plane: processes, placement and one copy of the data per node. The only package that imports ray.

It is imported lazily, by whoever starts a session, so that `import libra_ray` and a single backtest never load Ray.
"""

from libra_ray.runtime.ray.host_process import EndKind, HostEnd, HostMain, HostProcess, ProcessInfo, ended_hosts
from libra_ray.runtime.ray.pool import EnginePool, Job, Outcome
from libra_ray.runtime.ray.session import RaySession, core_count
from libra_ray.runtime.ray.sharing import SharedFolder, own_node

__all__ = [
    "EndKind",
    "EnginePool",
    "HostEnd",
    "HostMain",
    "HostProcess",
    "Job",
    "Outcome",
    "ProcessInfo",
    "RaySession",
    "SharedFolder",
    "core_count",
    "ended_hosts",
    "own_node",
]
