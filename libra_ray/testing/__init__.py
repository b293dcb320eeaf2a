"""The shipped test kit: conformance scenarios, a slow reference to compare with, and a small system for strategies."""

from libra_ray.testing.cell import Cell
from libra_ray.testing.comparison import Comparison, compare_document, compare_random
from libra_ray.testing.conformance import check_paths
from libra_ray.testing.random_flow import random_scenario
from libra_ray.testing.reference import reference_run
from libra_ray.testing.scenario_form import SCENARIO_FEATURES
from libra_ray.testing.scenario_run import ScenarioResult, run_scenario

__all__ = [
    "SCENARIO_FEATURES",
    "Cell",
    "Comparison",
    "ScenarioResult",
    "check_paths",
    "compare_document",
    "compare_random",
    "random_scenario",
    "reference_run",
    "run_scenario",
]
