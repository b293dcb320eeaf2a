"""The risk engine: every order passes it, and a refusal is an event with a code."""

from libra_ray.risk.engine import RiskEngine
from libra_ray.risk.limits import RiskLimits

__all__ = ["RiskEngine", "RiskLimits"]
