"""A scenario of the fused kernel, run with every part on a host of its own."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from libra_ray.data import Stream
from libra_ray.kernel.apart.host_view import view_of
from libra_ray.kernel.apart.user_actors import add_user_actor
from libra_ray.messages.schemas import Row, RowSpec
from libra_ray.testing.scenario_reading import read_form
from libra_ray.testing.scenario_run import ScenarioParts
from tests.kernel.apart.carrier import ApartSystem, Outcome, outcome

SCRIPT = "ScriptedStrategy-1"


class Both(NamedTuple):
    """What came of it fused, and apart."""

    fused: Outcome
    apart: Outcome
    system: ApartSystem


def run_both(document: dict[str, Any], *, seed: int = 0, placement: dict[str, str] | None = None) -> Both:
    """Run a scenario twice."""
    parts = ScenarioParts(read_form(document, place=""))
    kernel, replay = parts.build()
    kernel.add(parts.strategy())
    kernel.start()
    replay.run()

    apart = ApartSystem(parts.system(), parts.data, seed=seed, placement=placement)
    host = apart.network.host((placement or {}).get(SCRIPT, SCRIPT))
    add_user_actor(host, view_of(host, apart.plan, SCRIPT), parts.strategy())
    apart.network.drain()
    apart.start()
    host.start(SCRIPT)
    apart.network.drain()
    apart.run(_rows(parts))
    return Both(outcome(kernel.record), outcome(apart.record), apart)


def _rows(parts: ScenarioParts) -> Iterator[tuple[Stream, Row]]:
    streams = parts.data.streams
    rows = [list(each.schema.rows(RowSpec.of(each.instrument, each.period), each.table)) for each in streams]
    for run in parts.runs:
        yield from ((streams[run.stream], rows[run.stream][at]) for at in range(run.start, run.stop))
