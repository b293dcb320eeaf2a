"""What is kept of a run: tables, figures, hashes of configuration, code and data, versions, report."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from libra_ray.cli.faults import fault_errors
from libra_ray.cli.versions import versions

if TYPE_CHECKING:
    from libra_ray.simulation import BacktestResult
    from libra_ray.simulation.run_config import LoadedRun
    from libra_ray.simulation.run_folder import RunFolder

__all__ = ["fingerprints", "record_backtest"]

TABLES: Final = ("orders", "fills", "positions", "equity", "accounts")
NO_INFLUENCE: Final = ("folder", "batch_rows")
"""Settings of `[run]` that change no result."""
ONLY_HOSTS: Final = ("placement", "supervision", "metrics")
"""Tables that say how a run lives on hosts: they change no result either."""


def record_backtest(folder: "RunFolder", run: "LoadedRun", result: "BacktestResult", *, report: bool) -> dict[str, Any]:
    """Write everything into the folder's draft; returns what `run.json` says."""
    from libra_ray.simulation.run_folder import REPORT_NAME

    for name in TABLES:
        folder.write_table(name, getattr(result, name))
    document = {
        "run_id": folder.run_id,
        "kind": "backtest",
        "name": run.config.run.name,
        "created_ns": time.time_ns(),
        "run_hash": result.run_hash,
        "seed": run.config.run.seed,
        "seconds": round(result.seconds, 6),
        "stats": result.stats,
        "counts": result.counts,
        "denied_by_code": result.denied,
        "faults": [error.message for error in fault_errors(result)],
        **fingerprints(run),
    }
    folder.write_index(document)
    if report:
        result.report(folder.draft / REPORT_NAME, run_id=folder.run_id)
    return document


def fingerprints(run: "LoadedRun") -> dict[str, Any]:
    """What a result is a function of: configuration, code, data, versions."""
    from libra_ray.simulation.code_hash import code_hash
    from libra_ray.simulation.run_config import resolved_config
    from libra_ray.simulation.run_folder import content_hash

    resolved = resolved_config(run.config)
    return {
        "hashes": {
            "config": content_hash(
                {**_without(resolved, ONLY_HOSTS), "run": _without(resolved["run"], NO_INFLUENCE)},
            ),
            "code": code_hash((entry.cls for entry in run.system.actors), run.folder),
            "data": run.data.digest,
        },
        "data": {"rows": run.data.rows, "start_ns": run.data.start_ns, "end_ns": run.data.end_ns},
        "versions": versions(),
        "config": resolved,
    }


def _without(table: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in set(names)}
