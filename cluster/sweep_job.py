"""The sweep of a run file as a Ray job: it joins the cluster that runs it and uses the cores of all its nodes.

    ray job submit --working-dir . -- python cluster/sweep_job.py examples/ema_sweep.toml --table sweep.parquet

Progress and the final JSON line stand in the job's log. Table and journal are written on the node that the job runs on,
so they should name storage that outlives it. The same run file with the same journal runs only what is not in it.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq

import libra_ray as lr
from libra_ray.cli.sweep import searched
from libra_ray.simulation.run_config import load_run
from libra_ray.sweeps import SweepProgress

LINES_MAX = 20


def main() -> int:
    """Run the job. The exit code is that of the command line: 0, or that of the error; 1 when trials failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path, help="a run file with [grid]")
    parser.add_argument("--table", type=Path, help="where to write all trials, as Parquet")
    parser.add_argument("--workers", type=int, help="processes, one core each; by default every core of the cluster")
    parser.add_argument("--journal", type=Path, help="keeps every finished trial; a job that was killed goes on there")
    parser.add_argument("--address", help="of the cluster; a job knows it, `ray submit` needs 'auto'")
    parser.add_argument("--cores-max", type=int, help="what the autoscaler may reach; the sweep asks for that much")
    arguments = parser.parse_args()
    for name, value in (("RAY_ADDRESS", arguments.address), ("LIBRA_CORES_MAX", arguments.cores_max)):
        if value is not None:
            os.environ[name] = str(value)
    try:
        result = _swept(arguments.config, arguments.workers, arguments.journal)
    except lr.LibraError as error:
        print("\n".join(map(str, (error, *error.more))), file=sys.stderr)  # noqa: T201  # what a person reads
        return error.exit_code
    if arguments.table is not None:
        pq.write_table(result.table, arguments.table)
    names = ("trials", "failed", "invalid", "workers", "engine", "seconds", "rank", "best")
    print(json.dumps({name: getattr(result, name) for name in names}))  # noqa: T201  # the job's answer
    return 1 if result.failed else 0


def _swept(config: Path, workers: int | None, journal: Path | None) -> lr.SweepResult:
    run = load_run(config, environment=os.environ)
    with run.source.located():
        chosen = searched(run, {"workers": workers})
    return lr.sweep(run.system, data=run.data, journal=journal, progress=_print_sometimes, **chosen)


def _print_sometimes(at: SweepProgress) -> None:
    """At most some twenty lines, however many trials there are."""
    every = max(1, at.trials // LINES_MAX)
    if at.done % every == 0 or at.done == at.trials:
        line = f"{at.done:,} of {at.trials:,}, {at.failed:,} failed, {at.seconds:.1f} s, {at.engine}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  # what a person reads


if __name__ == "__main__":
    sys.exit(main())
