"""Checks that a result is honest: that nothing looks ahead, and that enough history was given."""

from libra_ray.sweeps.honesty.lookahead import LookaheadCheck, LookaheadFinding, check_lookahead
from libra_ray.sweeps.honesty.warmup import WarmupCheck, WarmupRow, check_warmup

__all__ = ["LookaheadCheck", "LookaheadFinding", "WarmupCheck", "WarmupRow", "check_lookahead", "check_warmup"]
