"""The plan of a kernel whose parts live apart: what every host must know to wire its own part of it."""

from dataclasses import dataclass

from libra_ray.data.aggregation import BarSpec
from libra_ray.kernel.settings import RiskSettings, VenueSettings
from libra_ray.model.instruments import Instrument

__all__ = ["KernelPlan", "client_id"]


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """Values only, the same in every host; it travels with each resident.

    Attributes:
        instruments: all that are traded or looked at, in order of rank.
        bars: bars that the data engine makes of rows.
    """

    venues: tuple[VenueSettings, ...]
    instruments: tuple[Instrument, ...]
    risk: RiskSettings
    seed: int = 0
    bars: tuple[BarSpec, ...] = ()


def client_id(venue: str) -> str:
    """The actor id of a venue's client."""
    return f"{venue}-client"
