"""The shipped test kit: conformance scenarios, and a small system for tests of strategies."""

from libra_ray.testing.cell import Cell
from libra_ray.testing.conformance import check_paths
from libra_ray.testing.scenario_form import SCENARIO_FEATURES
from libra_ray.testing.scenario_run import ScenarioResult, run_scenario

__all__ = ["SCENARIO_FEATURES", "Cell", "ScenarioResult", "check_paths", "run_scenario"]
