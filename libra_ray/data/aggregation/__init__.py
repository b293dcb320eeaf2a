"""Bars made from ticks or from smaller bars: row by row in a replay and live, or of a whole dataset at once."""

from libra_ray.data.aggregation.batches import aggregate
from libra_ray.data.aggregation.builders import Builder, make_builder
from libra_ray.data.aggregation.delivery import BarCursor, BarDelivery
from libra_ray.data.aggregation.maker import BarMaker
from libra_ray.data.aggregation.specs import Aggregation, BarSpec
from libra_ray.data.aggregation.time_bars import TimeBars

__all__ = [
    "Aggregation",
    "BarCursor",
    "BarDelivery",
    "BarMaker",
    "BarSpec",
    "Builder",
    "TimeBars",
    "aggregate",
    "make_builder",
]
