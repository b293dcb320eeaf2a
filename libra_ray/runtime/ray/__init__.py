"""Ray as the control plane: processes, placement and one copy of the data per node. The only package that imports ray.

It is imported lazily, by whoever starts a session, so that `import libra_ray` and a single backtest never load Ray.
"""

from libra_ray.runtime.ray.pool import EnginePool, Job, Outcome
from libra_ray.runtime.ray.session import RaySession, core_count
from libra_ray.runtime.ray.sharing import SharedFolder

__all__ = ["EnginePool", "Job", "Outcome", "RaySession", "SharedFolder", "core_count"]
