"""The example of an isolated system: a strategy's process is killed, comes back, and nobody else notices."""

import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "isolated_system.py"
KERNEL = {"Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine", "SIM-client"}


@pytest.mark.slow
@pytest.mark.ray
def test_a_killed_strategy_comes_back_and_trades_again(capsys: pytest.CaptureFixture[str]) -> None:
    tree = runpy.run_path(str(EXAMPLE))["main"]()

    hosts = {host.host_id: host for host in tree.hosts}
    assert KERNEL | {"ReplayFeed-1", "MarketMaker-1"} <= set(hosts)
    assert (hosts["MarketMaker-1"].epoch, hosts["MarketMaker-1"].restarts) == (2, 1)
    assert {host_id for host_id, host in hosts.items() if host.restarts} == {"MarketMaker-1"}
    assert {actor.state for host in tree.hosts for actor in host.actors} == {"RUNNING"}
    assert len({host.pid for host in tree.hosts}) == len(tree.hosts)
    said = capsys.readouterr().out
    assert "others that were restarted: none" in said
    assert "went wrong with that: nothing" in said
