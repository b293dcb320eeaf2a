"""A sweep over two nodes: each has its own copy of the data, and keeps none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import takes_long

pytestmark = [pytest.mark.ray, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
# Both nodes are on this machine, so the second one's workers could read the first one's folder: what they open tells.
PROGRAM = """
import glob, os, tempfile
import ray
from ray.cluster_utils import Cluster

from libra_ray.runtime.ray import EnginePool, RaySession, SharedFolder
from tests.ray.jobs import Placed
from tests.conftest import takes_long

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
os.environ["RAY_ADDRESS"] = cluster.address
content = bytes(range(256)) * 300_000

def write(folder):
    (folder / "large").write_bytes(content)
    (folder / "none").write_bytes(b"")

with RaySession() as session, SharedFolder(write) as shared, EnginePool(session.workers) as pool:
    print(session.workers, session.is_local)
    places = {outcome.value for outcome in pool.map_unordered(Placed(), range(20), shared=shared)}
    folders = {folder for _, folder, _ in places}
    print(len({node for node, _, _ in places}), len(folders), str(shared.path) in folders)
    print({files for _, _, files in places} == {(("large", len(content), hash(content)), ("none", 0, hash(b"")))})
print(any(os.path.exists(folder) for folder in folders), ray.is_initialized())
cluster.shutdown()
"""


@takes_long
def test_each_node_has_one_copy_of_the_shared_files_and_none_at_the_end(short_folder: Path) -> None:
    token = short_folder / "token"
    token.touch(mode=0o600)
    token.write_text("ab" * 32)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'actors'}", "PYTHONHASHSEED": "1", "TMPDIR": str(short_folder)}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_TMPDIR": str(short_folder / "r")}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment, timeout=150
    )

    assert done.stdout.split("\n")[:4] == ["2 False", "2 2 True", "True", "False False"], done.stderr
    shutil.rmtree(short_folder / "r")
    token.unlink()
