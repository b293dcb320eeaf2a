"""Settings of supervision: what tree they make, and what they refuse."""

import pytest

from libra_ray.config import build_settings
from libra_ray.errors import ConfigError
from libra_ray.runtime.supervision import Child, Restart, RestartStrategy, StartStage, Supervisor
from libra_ray.sessions import SupervisionSettings
from libra_ray.sessions.supervision_settings import checked_restarts, supervision_tree

STAGES = {
    "bus": StartStage.BUS,
    "cache": StartStage.CACHE,
    "risk": StartStage.RISK,
    "feed": StartStage.ACTOR,
    "s1": StartStage.STRATEGY,
    "s2": StartStage.STRATEGY,
}
HOMES = {"Cache": "cache", "Risk": "risk", "Feed": "feed", "S1": "s1", "S2": "s2"}


def tree_of(**settings: object) -> Supervisor:
    read = build_settings(SupervisionSettings, settings, place="supervision")
    return supervision_tree(read, dict.fromkeys(STAGES, Restart.TRANSIENT), STAGES, HOMES)


def members(root: Supervisor) -> dict[str, tuple[RestartStrategy, list[str]]]:
    groups = [node for node in root.nodes if isinstance(node, Supervisor)]
    return {group.node_id: (group.strategy, [child.node_id for child in group.children()]) for group in groups}


def test_each_host_stands_alone_and_the_first_that_is_given_up_halts() -> None:
    root = tree_of()

    assert root.restarts_max == 0
    assert members(root) == {f"({name})": (RestartStrategy.ONE_FOR_ONE, [name]) for name in STAGES}
    assert {child.restart for child in root.children()} == {Restart.TRANSIENT}


def test_the_kernel_and_groups_by_name_start_again_together() -> None:
    root = tree_of(kernel="rest_for_one", groups={"pair": {"actors": ["Feed", "S2"], "strategy": "one_for_all"}})

    assert members(root) == {
        "(bus)": (RestartStrategy.ONE_FOR_ONE, ["bus"]),
        "(kernel)": (RestartStrategy.REST_FOR_ONE, ["cache", "risk"]),
        "pair": (RestartStrategy.ONE_FOR_ALL, ["feed", "s2"]),
        "(s1)": (RestartStrategy.ONE_FOR_ONE, ["s1"]),
    }


def test_intensity_and_patience_are_those_of_every_host() -> None:
    root = tree_of(restarts_max=2, period_ns=7, backoff_first_ns=1, backoff_longest_ns=3)
    host = root.nodes[0]

    assert isinstance(host, Supervisor)
    assert (host.restarts_max, host.period_ns) == (2, 7)
    assert [host.backoff.delay_ns(number) for number in (1, 2, 3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"groups": {"pair": {"actors": ["Feeed"]}}},
            "CONF010 supervision.groups.pair: no actor 'Feeed'. Did you mean 'Feed'?",
        ),
        (
            {"groups": {"pair": {"actors": ["Feed"]}, "other": {"actors": ["Feed"]}}},
            "CONF010 supervision.groups.other: host 'feed' of 'Feed' is in group 'pair' already. Name it in one group.",
        ),
        (
            {"kernel": "rest_for_all"},
            "CONF002 supervision.kernel: 'rest_for_all' is not allowed. Did you mean 'one_for_all'?",
        ),
        ({"restart_max": 3}, "CONF001 supervision.restart_max: unknown key. Did you mean 'restarts_max'?"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tree_of(**settings)

    assert str(caught.value) == text


def test_restart_types_are_given_for_all_or_by_actor() -> None:
    assert checked_restarts("permanent", ["a", "b"]) == {"a": Restart.PERMANENT, "b": Restart.PERMANENT}
    assert checked_restarts({"b": "temporary"}, ["a", "b"]) == {"a": Restart.TRANSIENT, "b": Restart.TEMPORARY}


@pytest.mark.parametrize(
    ("restart", "text"),
    [
        ("always", "CONF002 restart: 'always' is no restart type. Known are permanent, transient, temporary."),
        ({"a": "never"}, "CONF002 restart.a: 'never' is no restart type. Known are permanent, transient, temporary."),
        ({"c": "permanent"}, "CONF010 restart.c: no actor 'c'. Known are a, b."),
    ],
)
def test_restart_types_that_are_none_are_refused(restart: str | dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked_restarts(restart, ["a", "b"])

    assert str(caught.value) == text


def test_a_tree_has_its_children_in_start_order() -> None:
    assert [child.node_id for child in tree_of().children()] == list(STAGES)
    assert list(Supervisor("s", (Child("a"),)).children()) == [Child("a")]
