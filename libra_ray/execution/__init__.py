"""The execution engine: commands out to venues, events back into orders, positions and accounts."""

from libra_ray.execution.client import ExecutionClient
from libra_ray.execution.engine import ExecutionEngine
from libra_ray.execution.record import RunRecord

__all__ = ["ExecutionClient", "ExecutionEngine", "RunRecord"]
