"""Lockstep over real Ray actors: every host comes to the run hash of the fused run; one that dies ends the run."""

import os
import signal

import pytest

import libra_ray as lr
from libra_ray.errors import LibraError
from tests.simulation.lockstep.talkers import talking

pytestmark = [pytest.mark.slow, pytest.mark.ray]

KERNEL = {"Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine"}


@pytest.mark.usefixtures("two_workers")
def test_a_host_for_each_component_and_strategy_gives_the_fused_run() -> None:
    system, data = talking(rows=600, latency={"base": "0.05", "jitter": "0.4"})
    fused = lr.backtest(system, data=data)

    apart = lr.backtest(system, data=data, engine="lockstep", placement="isolated")

    assert set(apart.lockstep) == KERNEL | {"Asker-1", "Listener-1", "TWAP"}
    assert {report.run_hash for report in apart.lockstep.values()} == {fused.run_hash}
    assert (apart.run_hash, apart.counts) == (fused.run_hash, fused.counts)
    assert apart.fills.equals(fused.fills)


class DeadlyConfig(lr.StrategyConfig):
    """`driver`: the process in which it must not die."""

    driver: int


class Deadly(lr.Strategy):
    """Its process dies in the middle of a run."""

    config: DeadlyConfig

    def on_start(self) -> None:
        self.subscribe_quotes("ACME.SIM")
        self.seen = 0

    def on_quote(self, _quote: lr.Quote) -> None:
        self.seen += 1
        if self.seen == 100 and os.getpid() != self.config.driver:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.usefixtures("two_workers")
def test_a_host_that_dies_ends_the_run_with_an_error() -> None:
    system, data = talking(rows=300)
    system.add(Deadly(driver=os.getpid()))

    with pytest.raises(LibraError, match=r"host .*/deadly died"):
        lr.backtest(system, data=data, engine="lockstep", placement={"Deadly-1": "deadly"})
