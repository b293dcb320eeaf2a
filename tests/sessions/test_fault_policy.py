"""A strategy whose process dies for good leaves no order behind that its policy does not want there."""

import os
import signal
from pathlib import Path

import pytest

import libra_ray as lr
from libra_actors.feeds import ReplayFeed
from libra_ray.runtime.ray import RaySession
from libra_ray.sessions import deploy
from tests.conftest import takes_long

pytestmark = [pytest.mark.ray, pytest.mark.slow, takes_long]

ACME = lr.equity("ACME.SIM", quote="USD")


class OneBid(lr.Strategy):
    """Buys one share, and leaves a bid far below the market."""

    config: lr.StrategyConfig

    def on_start(self) -> None:
        self.subscribe_quotes("ACME.SIM")
        self.is_done = False

    def on_quote(self, quote: lr.Quote) -> None:
        if not self.is_done:
            self.is_done = True
            self.buy("ACME.SIM", 1)
            self.buy("ACME.SIM", 2, price=lr.Price.from_raw(quote.bid_px_raw // 2, quote.spec.price_precision))


@pytest.mark.parametrize(("policy", "ends"), [("flatten", 2), ("cancel", 1), ("keep", 0)])
def test_what_a_strategy_leaves_is_treated_by_its_policy(
    policy: str, ends: int, local_ray: RaySession, tmp_path: Path
) -> None:
    assert local_ray.workers == 2
    lr.synth("quotes", ACME, rows=5_000, seed=7).write(tmp_path)
    system = lr.System("policy", seed=1).add_venue("SIM", balances=["100_000 USD"]).add_instrument(ACME)
    system.add(ReplayFeed(folder=str(tmp_path), rows_per_second=50))
    system.add(OneBid(fault_policy=policy), "OneBid-1")
    kernel = dict.fromkeys(
        ("Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine", "SIM-client", "ReplayFeed-1"),
        "kernel",
    )
    told: list[tuple[str, str]] = []
    with deploy(system, placement={**kernel, "OneBid-1": "strategy"}, restart={"OneBid-1": "temporary"}) as deployment:
        deployment.subscribe("events.order.*", lambda event: told.append((type(event).__name__, event.client_order_id)))
        tree = deployment.wait_for(lambda _: ("OrderAccepted", "OneBid-1-2") in told and _fills(told) == 1, 30)
        os.kill(tree.host("strategy").pid, signal.SIGKILL)
        deployment.wait_for(lambda tree: tree.host("strategy").state != "UP", 10)
        deployment.wait_for(lambda _: _ends(told) >= ends, 10)

    assert _ends(told) == ends
    assert (("OrderCanceled", "OneBid-1-2") in told) == (policy != "keep")


def _fills(told: list[tuple[str, str]]) -> int:
    return sum(kind == "OrderFilled" for kind, _ in told)


def _ends(told: list[tuple[str, str]]) -> int:
    """Cancels, and fills after the first one."""
    return sum(kind == "OrderCanceled" for kind, _ in told) + _fills(told) - 1
