"""The risk engine: every order passes it, and a refusal is an event with a code."""

from libra_ray.risk.breaches import BreachRules, BreachWatch
from libra_ray.risk.engine import RiskEngine, RiskLinks
from libra_ray.risk.limits import Limits, RiskRules
from libra_ray.risk.self_trade import SelfTradeMode

__all__ = ["BreachRules", "BreachWatch", "Limits", "RiskEngine", "RiskLinks", "RiskRules", "SelfTradeMode"]
