"""A cluster without a core grows for a sweep, to as many cores as it has trials, up to a limit."""

import json
import sys
from pathlib import Path

import pytest
import ray

from tests.cluster.heads import PORTS, free_ports, ray_head
from tests.conftest import takes_long

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    takes_long,
]
HEAD_ID = "f" * 51 + "00000"
PROGRAM = """
import ray
import libra_ray as lr
from libra_actors.strategies import EmaCross

pair = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
data = lr.synth("bars", pair, rows=20_000, period="1m", price="1.1")
system = lr.System("grow", seed=7)
system.add_venue("SIM", account="margin", balances=["100_000 USD"])
system.add(EmaCross(instrument="EURUSD.SIM", bars="1m", fast=10, slow=30, quantity="1000"))
grid = {"fast": range(2, 22), "slow": [30, 40]}
result = lr.sweep(system, data=data, grid=grid, engine="event")  # long enough for the second node to come
print(result.trials, result.failed, result.workers, sorted(set(result.table["worker"].to_pylist())))
"""


def configuration(address: str) -> dict[str, object]:
    """What `ray up` would write for a cluster whose nodes are processes of this machine."""
    worker = {"resources": {"CPU": 1, "object_store_memory": 100_000_000}, "node_config": {}, "max_workers": 2}
    head = {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}
    commands = ("initialization", "setup", "head_setup", "worker_setup", "head_start_ray", "worker_start_ray")
    return {
        "cluster_name": "grow",
        "max_workers": 2,
        "idle_timeout_minutes": 5,
        "upscaling_speed": 1.0,
        "provider": {
            "type": "fake_multinode",
            "head_node_id": HEAD_ID,
            "gcs_address": address,
            "disable_node_updaters": True,
            "disable_launch_config_check": True,
        },
        "auth": {},
        "docker": {},
        "head_node_type": "ray.head.default",
        "available_node_types": {"ray.head.default": head, "worker": worker},
        "file_mounts": {},
        "cluster_synced_files": [],
        "file_mounts_sync_continuously": False,
        "rsync_exclude": [],
        "rsync_filter": [],
        **{f"{name}_commands": [] for name in commands},
    }


def test_a_sweep_gets_its_first_core_from_the_autoscaler(head_folder: Path, tmp_path: Path) -> None:
    ports = free_ports(PORTS)
    file = tmp_path / "cluster.json"
    own: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray has no type
    file.write_text(json.dumps(configuration(f"{own}:{ports[0]}")))
    quick = {"AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_FAKE_CLUSTER": "1"}

    with ray_head(head_folder, f"--autoscaling-config={file}", cores=0, ports=ports, **quick) as head:
        done = head.run(sys.executable, "-c", PROGRAM, cwd=tmp_path, RAY_ADDRESS=head.address, LIBRA_CORES_MAX="2")
        log = next((head_folder / "r").glob("session_2*/logs/monitor.log")).read_text()

    assert done.stdout.splitlines() == ["40 0 2 [1, 2]"], done.stderr[-3_000:]
    assert "{'CPU': 1}: 2 from request_resources()" in log
