"""The kernel: configuration in, the system's actors built in order, started, and stopped in reverse."""

from libra_ray.kernel.kernel import KernelParts, TradingKernel
from libra_ray.kernel.settings import MakerTaker, RateLimit, RiskSettings, VenueSettings

__all__ = ["KernelParts", "MakerTaker", "RateLimit", "RiskSettings", "TradingKernel", "VenueSettings"]
