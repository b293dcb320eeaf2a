"""Seeded synthetic market data: price processes, pairs, and order flow with books."""

from libra_ray.data.synthetic.hawkes import Hawkes
from libra_ray.data.synthetic.order_flow import ORDER_FLOW, synth_order_flow
from libra_ray.data.synthetic.pairs import synth_pair
from libra_ray.data.synthetic.processes import Gbm, Heston, JumpDiffusion, OrnsteinUhlenbeck, Process
from libra_ray.data.synthetic.rows import synth

__all__ = [
    "ORDER_FLOW",
    "Gbm",
    "Hawkes",
    "Heston",
    "JumpDiffusion",
    "OrnsteinUhlenbeck",
    "Process",
    "synth",
    "synth_order_flow",
    "synth_pair",
]
