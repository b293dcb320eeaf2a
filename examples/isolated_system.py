"""A system whose every part has a process of its own: watch the tree, kill a strategy, watch it come back.

    python examples/isolated_system.py

A feed plays recorded quotes, a market maker quotes around them, and the risk engine, the execution engine and the venue
do their work in hosts of their own. Then the market maker's process is killed with SIGKILL, as a crash would do it.
"""

import os
import signal
import tempfile

import libra_ray as lr
from libra_actors.feeds import ReplayFeed
from libra_actors.strategies import MarketMaker

ACME = lr.equity("ACME.SIM", quote="USD", margin_init="0.1", maker_fee="0.0001", taker_fee="0.0004")


def system_over(folder: str) -> lr.System:
    """A venue, limits, a feed and a market maker."""
    system = lr.System("isolated", seed=7)
    system.add_venue("SIM", account="margin", balances=["1_000_000 USD"])
    system.add_instrument(ACME)
    system.risk(max_order_rate="200/1s")
    system.add(ReplayFeed(folder=folder, rows_per_second=50))
    system.add(MarketMaker(instrument="ACME.SIM", quantity="10", inventory_max="50"))
    return system


def show(title: str, tree: lr.TreeStatus) -> None:
    """One line for each actor."""
    print(title)
    for host in tree.hosts:
        for actor in host.actors:
            facts = f"epoch {host.epoch}  restarts {host.restarts}  pid {host.pid}  {host.messages:,} messages"
            print(f"  {host.host_id:<14} {actor.actor_id:<14} {actor.state:<9} {facts}")


def main() -> lr.TreeStatus:
    """Run it; returns the last tree."""
    with tempfile.TemporaryDirectory() as folder:
        lr.synth("quotes", ACME, rows=5_000, seed=7).write(folder)
        with lr.deploy(system_over(folder), placement="isolated") as deployment:
            orders: list[str] = []
            deployment.subscribe("events.order.*", lambda event: orders.append(type(event).__name__))
            busy = deployment.wait_for(lambda _: orders.count("OrderAccepted") >= 20, seconds_max=60)
            show("running", busy)

            victim = busy.host("MarketMaker-1")
            print(f"kill -9 {victim.pid}")
            os.kill(victim.pid, signal.SIGKILL)
            back = deployment.wait_for(
                lambda tree: (
                    tree.host("MarketMaker-1").epoch > victim.epoch
                    and tree.actor("MarketMaker-1")[1].state == "RUNNING"
                ),
                seconds_max=60,
            )
            before = len(orders)
            deployment.wait_for(lambda _: len(orders) >= before + 20, seconds_max=60)
            tree = deployment.tree()
            show("recovered, and trading again", tree)
            others = [host.host_id for host in back.hosts if host.restarts and host.host_id != "MarketMaker-1"]
            print(f"others that were restarted: {others or 'none'}; {orders.count('OrderFilled')} fills so far")
            failures = deployment.stop()
            print(f"stopped; went wrong with that: {failures or 'nothing'}")
            return tree


if __name__ == "__main__":
    main()
