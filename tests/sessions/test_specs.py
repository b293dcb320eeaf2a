"""Who lives where, and who starts when."""

import pytest

from libra_ray.errors import ConfigError
from libra_ray.hosts.context import MadeActor
from libra_ray.hosts.placement import PlacementLike
from libra_ray.runtime import Actor, Kind
from libra_ray.runtime.supervision import Restart, StartStage
from libra_ray.sessions.deployment import Deployment
from libra_ray.sessions.residents import placeable
from libra_ray.sessions.specs import ActorSpec, HostSpec, actor_spec, host_specs, start_runs
from libra_ray.simulation.system import ActorEntry, System
from libra_ray.strategy import Strategy
from tests.sessions.parts import Counter, Ticker


def spec(actor_id: str, stage: StartStage = StartStage.ACTOR, restart: Restart = Restart.TRANSIENT) -> ActorSpec:
    return ActorSpec(actor_id, stage, MadeActor(Actor, actor_id), restart)


ACTORS = [
    spec("S", StartStage.STRATEGY),
    spec("A", restart=Restart.PERMANENT),
    spec("Risk", StartStage.RISK),
    spec("B", restart=Restart.TEMPORARY),
]


def homes(placement: PlacementLike) -> dict[str, list[str]]:
    return {host.host_id: [actor.actor_id for actor in host.actors] for host in host_specs(ACTORS, placement)}


def test_hosts_come_in_the_order_in_which_their_first_actors_start_and_the_bus_first() -> None:
    assert homes("isolated") == {"bus": [], "Risk": ["Risk"], "A": ["A"], "B": ["B"], "S": ["S"]}
    assert homes("fused") == {"bus": [], "main": ["Risk", "A", "B", "S"]}
    assert homes({"S": "x", "A": "x", "Risk": "k"}) == {"bus": [], "k": ["Risk"], "x": ["A", "S"], "main": ["B"]}


def test_actors_start_in_order_across_hosts_in_runs_of_one_host() -> None:
    hosts = host_specs(ACTORS, {"S": "x", "A": "x", "Risk": "k", "B": "y"})

    runs = [(host_id, [actor.actor_id for actor in actors]) for host_id, actors in start_runs(hosts)]

    assert runs == [("k", ["Risk"]), ("x", ["A"]), ("y", ["B"]), ("x", ["S"])]


def test_a_host_comes_back_as_its_strongest_actor_does_and_the_bus_always() -> None:
    bus, main = host_specs(ACTORS, "fused")

    assert (bus.restart, main.restart) == (Restart.PERMANENT, Restart.PERMANENT)
    assert HostSpec("h", (ACTORS[3], ACTORS[0])).restart is Restart.TRANSIENT
    assert HostSpec("h", (ACTORS[3],)).restart is Restart.TEMPORARY
    assert (bus.stage, main.stage) == (StartStage.BUS, StartStage.RISK)


def test_placements_that_cannot_be_are_refused() -> None:
    def refused(actors: list[ActorSpec], placement: PlacementLike) -> str:
        with pytest.raises(ConfigError) as caught:
            host_specs(actors, placement)
        return str(caught.value)

    assert refused([spec("A"), spec("A")], "isolated") == (
        "CONF007 actor id 'A' is given 2 times. Give each actor an id of its own."
    )
    assert refused([spec("bus")], "isolated") == (
        "CONF010 placement: 'bus' is the name of a host of ours. Give the actor or its host another."
    )
    assert refused(ACTORS, {"X": "h"}) == "CONF010 placement.X: no actor 'X'. Known are A, B, Risk, S."
    assert refused(ACTORS, "apart") == (
        'CONF002 placement: \'apart\' is no placement. Write "fused", "isolated", or name a host for each actor.'
    )
    assert refused(ACTORS, {"A": "@B", "B": "@A"}) == (
        "CONF010 placement.A: actors are placed with each other in a circle: A -> B -> A. Name a host for one of them."
    )


def test_an_actor_is_described_by_its_class_and_settings() -> None:
    class Quiet(Strategy):
        pass

    def described(actor_id: str, actor: Actor, restart: Restart) -> ActorSpec:
        return actor_spec(placeable(System("s"), ActorEntry(actor_id, type(actor), actor.config)), restart)

    ticker = described("T", Ticker(period_ns=5), Restart.PERMANENT)
    quiet = described("Q", Quiet(), Restart.TRANSIENT)

    assert ticker.resident == MadeActor(Ticker, "T", {"on_error": "fault", "period_ns": 5}, Kind.ACTOR)
    assert (ticker.stage, quiet.stage) == (StartStage.ACTOR, StartStage.STRATEGY)
    assert described("C", Counter(), Restart.TRANSIENT).stage is StartStage.ACTOR


def test_a_deployment_refuses_at_once_what_is_no_actor_no_host_and_no_callback() -> None:
    deployment = Deployment(System("empty"))
    with pytest.raises(ConfigError, match=r"^CONF004 Deployment\.add_actor: .* Give an instance: Counter\(\)\.$"):
        deployment.add_actor(Counter)  # type: ignore[arg-type]
    for host in ("no such", "a/b", "bus", ""):
        with pytest.raises(ConfigError, match=f"^CONF010 Deployment.add_actor: '{host}' cannot name a host"):
            deployment.add_actor(Counter(), host=host)
    with pytest.raises(TypeError, match="subscription to words needs a plain function, not 'print', which cannot be"):
        deployment.subscribe("words", "print")  # type: ignore[arg-type]
