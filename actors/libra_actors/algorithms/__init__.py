"""Ready-made execution algorithms: orders name one by its actor id and say in `exec_algorithm_params` how.

    system.add(Twap())
    self.buy("BTCUSDT.SIM", 1, exec_algorithm_id="TWAP",
             exec_algorithm_params={"horizon_secs": 3600, "interval_secs": 60})

Each rule is a pure function over integers; the actor only carries it out. An order with parameters that are missing or
wrong is denied with `FLAGS_CONFLICT` and a sentence that names the parameter and the fix.
"""

from libra_actors.algorithms.iceberg import Iceberg, IcebergConfig
from libra_actors.algorithms.pov import Pov, PovConfig
from libra_actors.algorithms.twap import Twap, TwapConfig
from libra_actors.algorithms.vwap import Vwap, VwapConfig

__all__ = ["Iceberg", "IcebergConfig", "Pov", "PovConfig", "Twap", "TwapConfig", "Vwap", "VwapConfig"]
