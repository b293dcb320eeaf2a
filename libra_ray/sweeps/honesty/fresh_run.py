"""The system of a run file with its code loaded anew: what a module computed when it was loaded is computed again."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libra_ray.config import ConfigSource
from libra_ray.data import Dataset
from libra_ray.simulation.run_config import load_run
from libra_ray.simulation.strategy_import import own_modules
from libra_ray.simulation.system import System

__all__ = ["FreshRun"]

KEPT: Final = ("libra_ray", "libra_actors", "__main__", "__mp_main__")


@dataclass(frozen=True)
class FreshRun:
    """Called, it makes the system; inside a horizon, its modules see no data behind that either."""

    source: ConfigSource
    folder: Path

    def __call__(self, _data: Dataset) -> System:
        installed = Path(sys.prefix).resolve()
        for name, path in own_modules(self.folder).items():
            if name.partition(".")[0] not in KEPT and not path.is_relative_to(installed):
                del sys.modules[name]
        return load_run(self.source).system
