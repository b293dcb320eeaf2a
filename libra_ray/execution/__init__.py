"""The execution engine: commands out to venues, events back into orders; the emulator, which holds orders here."""

from libra_ray.execution.audience import Audience
from libra_ray.execution.client import ExecutionClient
from libra_ray.execution.emulator import OrderEmulator
from libra_ray.execution.engine import ExecutionEngine
from libra_ray.execution.port import ExecutionPort
from libra_ray.execution.record import RunRecord

__all__ = ["Audience", "ExecutionClient", "ExecutionEngine", "ExecutionPort", "OrderEmulator", "RunRecord"]
