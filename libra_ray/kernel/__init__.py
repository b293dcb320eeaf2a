"""The kernel: configuration in, the system's actors built in order, started, and stopped in reverse."""

from libra_ray.kernel.kernel import KernelParts, TradingKernel
from libra_ray.kernel.settings import (
    FixedFee,
    LatencySettings,
    LimitSettings,
    MakerTaker,
    PerContractFee,
    RateLimit,
    RiskSettings,
    TieredFee,
    VenueSettings,
)

__all__ = [
    "FixedFee",
    "KernelParts",
    "LatencySettings",
    "LimitSettings",
    "MakerTaker",
    "PerContractFee",
    "RateLimit",
    "RiskSettings",
    "TieredFee",
    "TradingKernel",
    "VenueSettings",
]
