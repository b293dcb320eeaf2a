"""The shipped test kit: conformance scenarios, a slow reference to compare with, and a small system for strategies."""

from libra_ray.testing.cell import Cell
from libra_ray.testing.comparison import Comparison, compare_document, compare_random
from libra_ray.testing.conformance import check_paths
from libra_ray.testing.fault_rules import Delay, Drop, Duplicate, Kill, Partition, Reorder, Rule
from libra_ray.testing.faults import FaultPlan
from libra_ray.testing.manual_clock import ManualClock
from libra_ray.testing.probe_host import ProbeHost
from libra_ray.testing.probes import Heard, Probe
from libra_ray.testing.random_flow import random_scenario
from libra_ray.testing.recording import Recorder
from libra_ray.testing.reference import reference_run
from libra_ray.testing.replaying import ReplayDivergedError, Replayed, Replayer
from libra_ray.testing.scenario_form import SCENARIO_FEATURES
from libra_ray.testing.scenario_run import ScenarioResult, run_scenario
from libra_ray.testing.traffic import Crossing, TrafficWriter, read_traffic
from libra_ray.testing.traffic_comparison import assert_same_traffic

__all__ = [
    "SCENARIO_FEATURES",
    "Cell",
    "Comparison",
    "Crossing",
    "Delay",
    "Drop",
    "Duplicate",
    "FaultPlan",
    "Heard",
    "Kill",
    "ManualClock",
    "Partition",
    "Probe",
    "ProbeHost",
    "Recorder",
    "Reorder",
    "ReplayDivergedError",
    "Replayed",
    "Replayer",
    "Rule",
    "ScenarioResult",
    "TrafficWriter",
    "assert_same_traffic",
    "check_paths",
    "compare_document",
    "compare_random",
    "random_scenario",
    "read_traffic",
    "reference_run",
    "run_scenario",
]
