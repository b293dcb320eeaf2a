"""A sweep over three nodes, one of which is killed halfway: every trial is there, and none twice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import takes_long

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os
from ray.cluster_utils import Cluster

import libra_ray as lr
from libra_actors.strategies import EmaCross

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
cluster.wait_for_nodes()
os.environ["RAY_ADDRESS"] = cluster.address

pair = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
data = lr.synth("bars", pair, rows=4_000, period="1m", price="1.1")
system = lr.System("loss", seed=7)
system.add_venue("SIM", account="margin", balances=["100_000 USD"])
system.add(EmaCross(instrument="EURUSD.SIM", bars="1m", fast=10, slow=30, quantity="1000"))
grid = {"fast": list(range(2, 22)), "slow": [30, 40, 50]}
seen = []

def kill_one(at):
    if at.row is None:
        return
    seen.append(at.row["trial"])
    if len(seen) == 10:
        cluster.remove_node(nodes[1], allow_graceful=False)

result = lr.sweep(system, data=data, grid=grid, progress=kill_one)
alone = lr.sweep(system, data=data, grid=grid, workers=0)
table = result.table
print(sorted(seen) == list(range(60)), result.trials, result.failed, result.workers)
print([error for error in table["error"].to_pylist() if error])
print(table["run_hash"].equals(alone.table["run_hash"]), table["trial"].to_pylist() == list(range(60)))
cluster.shutdown()
"""


@takes_long
def test_all_results_arrive_once_when_a_node_dies_halfway(short_folder: Path) -> None:
    token = short_folder / "token"
    token.touch(mode=0o600)
    token.write_text("ab" * 32)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'actors'}", "TMPDIR": str(short_folder)}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_TMPDIR": str(short_folder / "r")}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment, timeout=150
    )

    assert done.stdout.splitlines()[:3] == ["True 60 0 3", "[]", "True True"], done.stderr[-4_000:]
    shutil.rmtree(short_folder / "r")
    token.unlink()
    for path in short_folder.glob("libra-ray-*"):  # a copy that its node's death left; the next session sweeps it
        shutil.rmtree(path)
