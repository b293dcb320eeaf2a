"""A scenario of the fused kernel, run with every part on a host of its own."""

from collections.abc import Iterable
from typing import Any

from libra_ray.data import Stream
from libra_ray.kernel.apart.host_view import view_of
from libra_ray.kernel.apart.user_actors import add_user_actor
from libra_ray.messages.events import OrderEvent
from libra_ray.messages.schemas import Row, RowSpec
from libra_ray.simulation.backtest import build
from libra_ray.testing import scenario_run
from libra_ray.testing.scenario_form import read_form
from libra_ray.testing.scenario_script import ScriptedStrategy
from tests.kernel.apart.carrier import ApartSystem, outcome

QUIET = ("OrderSubmitted", "OrderPendingUpdate", "OrderPendingCancel")


def both(
    document: dict[str, Any], *, seed: int = 0, placement: dict[str, str] | None = None
) -> tuple[Any, Any, ApartSystem, Any]:
    """What came of it fused, and apart."""
    form = read_form(document, place="")
    instruments = [scenario_run._instrument(made, form.currencies) for made in form.instruments]

    def prepared() -> Any:
        system = scenario_run._system(form)
        for made in instruments:
            system.add_instrument(made)
        for algorithm in scenario_run._algorithms(form):
            system.add(algorithm)
        return system

    data, topics, runs = scenario_run._data(form, {made.id: made for made in instruments})

    def scripted() -> ScriptedStrategy:
        strategy = ScriptedStrategy()
        strategy.script(form.actions, [made.id for made in instruments], topics, [])
        return strategy

    kernel, replay = build(prepared(), data)
    replay.merged = lambda: runs
    kernel.add(scripted())
    kernel.start()
    replay.run()

    apart = ApartSystem(prepared(), data, seed=seed, placement=placement)
    name = (placement or {}).get("ScriptedStrategy-1", "ScriptedStrategy-1")
    host = apart.network.hosts.get(name) or apart.network.add_host(name)
    strategy = scripted()
    add_user_actor(host, view_of(host, apart.plan, "ScriptedStrategy-1"), strategy)
    apart.network.drain()
    apart.start()
    host.start("ScriptedStrategy-1")
    apart.network.drain()
    apart.run(_rows(data.streams, runs))
    return kernel, outcome(kernel.record), apart, outcome(apart.record)


def _rows(streams: Iterable[Stream], runs: list[Any]) -> Iterable[tuple[Stream, Row]]:
    streams = list(streams)
    rows = [list(s.schema.rows(RowSpec.of(s.instrument, s.period), s.table)) for s in streams]
    for run in runs:
        for at in range(run.start, run.stop):
            yield streams[run.stream], rows[run.stream][at]


def events_of(record: Any) -> list[str]:
    """Order events but for the steps that are not on record, as text, in no order."""
    return sorted(str(e) for e in record.events if isinstance(e, OrderEvent) and type(e).__name__ not in QUIET)
