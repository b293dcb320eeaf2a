"""Hosts on two nodes: encrypted links, and a lost node is replaced by the other."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import takes_long
from tests.sessions.test_endings import short_folder

__all__ = ["short_folder"]

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    takes_long,
]

WORDS = {"2", "[True,", "True", "seen", "back", "counts"}  # Ray tells of the lost node in between
ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal, time
from ray.cluster_utils import Cluster
from libra_ray.sessions import deploy
from libra_ray.simulation import System
from tests.sessions.parts import Counter, Ticker
from tests.sessions.test_endings import descendants

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
other = cluster.add_node(num_cpus=2)
cluster.wait_for_nodes()
os.environ["RAY_ADDRESS"] = cluster.address
system = System("nodes")
for actor, actor_id in ((Ticker(), "T"), (Counter(), "C1"), (Counter(), "C2")):
    system.add(actor, actor_id)
with deploy(system, nodes="all") as deployment:
    tree = deployment.tree()
    nodes = {host.host_id: host.node for host in tree.hosts}
    print(len(set(nodes.values())), nodes["bus"] == nodes["T"] == nodes["C2"] != nodes["C1"])
    time.sleep(0.5)
    print([count > 0 for count, last in (deployment.request("C1.count", None), deployment.request("C2.count", None))])
    added = deployment.add_actor(Counter())
    deployment.start_actor(added)
    time.sleep(0.5)
    print(deployment.request(f"{added}.count", None)[0] > 0, deployment.tree().host(added).node == nodes["C1"])
    # The whole node stands still, as if its cable was cut.
    stopped = [process.process.pid for group in other.all_processes.values() for process in group]
    stopped += [pid for process in list(stopped) for pid in sorted(descendants(process))]
    started = time.monotonic()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    deployment.wait_for(lambda tree: tree.host("C1").state == "DOWN")
    print("seen", time.monotonic() - started < 5)
    tree = deployment.wait_for(lambda tree: tree.host("C1").state == "UP" and tree.host("C1").epoch > 1, 60)
    print("back", tree.host("C1").node == nodes["bus"], tree.host("T").epoch, time.monotonic() - started < 15)
    time.sleep(0.5)
    print("counts", deployment.request("C1.count", None)[0] > 0)
    for pid in stopped:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
cluster.shutdown()
"""


def test_a_lost_node_is_seen_and_its_hosts_come_back_on_the_other(short_folder: Path) -> None:
    token = short_folder / "token"
    token.touch(mode=0o600)
    token.write_text("ab" * 32)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'actors'}", "TMPDIR": str(short_folder)}
    environment |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_TMPDIR": str(short_folder / "r")}

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment, timeout=150
    )

    lines = [line for line in done.stdout.splitlines() if line.split(" ")[0] in WORDS]
    assert lines == ["2 True", "[True, True]", "True True", "seen True", "back True 1 True", "counts True"], done.stderr
    shutil.rmtree(short_folder)
    short_folder.mkdir()
