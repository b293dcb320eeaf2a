"""Placement: who shares a host, and one clear line for what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.config import build_settings
from libra_ray.errors import ConfigError
from libra_ray.hosts.placement import (
    FUSED,
    ISOLATED,
    MAIN,
    OTHERS,
    HostPlan,
    PlacementLike,
    PlacementSettings,
    host_of,
    placement_of,
    plan,
)

CIRCLE = """CONF010 placement.Cache: actors are placed with each other in a circle: \
Cache -> RiskEngine -> ExecEngine -> Cache. Name a host for one of them."""
ACTORS = dict.fromkeys(("Cache", "RiskEngine", "ExecEngine", "EmaCross-1", "EmaCross-2"))


def test_fused_is_one_host_and_isolated_one_for_each() -> None:
    assert plan(ACTORS, FUSED) == (HostPlan(MAIN, tuple(ACTORS)),)
    assert plan(ACTORS, ISOLATED) == tuple(HostPlan(actor_id, (actor_id,)) for actor_id in ACTORS)


def test_a_mapping_names_hosts_and_the_rest_lives_in_main() -> None:
    hosts = plan(ACTORS, {"ExecEngine": "orders", "RiskEngine": "@ExecEngine", "EmaCross-2": "two"})

    assert hosts == (
        HostPlan("main", ("Cache", "EmaCross-1")),
        HostPlan("orders", ("RiskEngine", "ExecEngine")),
        HostPlan("two", ("EmaCross-2",)),
    )
    assert host_of(hosts, "RiskEngine") == "orders"
    with pytest.raises(KeyError):
        host_of(hosts, "nobody")


def test_all_others_are_where_the_star_says() -> None:
    hosts = plan(
        ACTORS, {OTHERS: ISOLATED, "ExecEngine": "orders", "RiskEngine": "@ExecEngine", "Cache": "@EmaCross-2"}
    )

    assert hosts == (
        HostPlan("EmaCross-2", ("Cache", "EmaCross-2")),
        HostPlan("orders", ("RiskEngine", "ExecEngine")),
        HostPlan("EmaCross-1", ("EmaCross-1",)),
    )
    assert plan(ACTORS, {OTHERS: "all"}) == (HostPlan("all", tuple(ACTORS)),)


@pytest.mark.parametrize(
    ("placement", "text"),
    [
        (None, "CONF002 placement: 'None' is no placement. "),
        (["isolated"], "CONF002 placement: "),
        ({"Cache": None}, "CONF010 placement.Cache: 'None' cannot name a host."),
        ({"Cache": ""}, "CONF010 placement.Cache: '' cannot name a host."),
        ({"Cache": "h" * 57}, f"CONF010 placement.Cache: '{'h' * 57}' cannot name a host."),
        ({OTHERS: "bus"}, "CONF010 placement.*: 'bus' cannot name a host."),
        ({OTHERS: "@Cache"}, "CONF010 placement.*: '@Cache' cannot name a host."),
        ("isolate", """CONF002 placement: 'isolate' is no placement. Write "fused", "isolated", or name a host for """),
        ({"RiskEngin": "a"}, "CONF010 placement.RiskEngin: no actor 'RiskEngin'. Did you mean 'RiskEngine'?"),
        ({"Cache": "@Cach"}, "CONF010 placement.Cache: no actor 'Cach'. Did you mean 'Cache'?"),
        ({"Cache": "a/b"}, "CONF010 placement.Cache: 'a/b' cannot name a host. Use 1 to 56 letters, digits and '_.-'"),
        ({"Cache": "bus"}, "CONF010 placement.Cache: 'bus' cannot name a host."),
        (
            {"Cache": "@RiskEngine", "RiskEngine": "@ExecEngine", "ExecEngine": "@Cache"},
            CIRCLE,
        ),
        (
            {"Cache": "@Cache"},
            "CONF010 placement.Cache: actors are placed with each other in a circle: Cache -> Cache.",
        ),
    ],
)
def test_what_cannot_be_placed_is_one_line(placement: PlacementLike, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(ACTORS, placement)

    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("actor_id", ["observer", "x" * 57, "a/b"])
def test_an_actor_alone_must_have_a_name_for_its_host(actor_id: str) -> None:
    for placement in (ISOLATED, {OTHERS: ISOLATED}):
        with pytest.raises(ConfigError, match=r"CONF010 placement: '.*' (cannot name a host|is the name of a host of)"):
            plan({actor_id: None}, placement)
    assert plan({actor_id: None}, {actor_id: "h"}) == (HostPlan("h", (actor_id,)),)


def settings(**tables: object) -> PlacementSettings:
    return build_settings(PlacementSettings, tables, place="placement")


def test_settings_name_hosts_with_their_actors_or_actors_with_their_host() -> None:
    hosts = {"orders": ["RiskEngine", "ExecEngine"]}

    assert placement_of(settings(), ACTORS) is None
    assert placement_of(settings(mode="isolated"), ACTORS) == ISOLATED
    assert placement_of(settings(hosts=hosts), ACTORS) == {"RiskEngine": "orders", "ExecEngine": "orders"}
    assert placement_of(settings(mode="isolated", hosts=hosts, actors={"Cache": "@RiskEngine"}), ACTORS) == {
        "RiskEngine": "orders",
        "ExecEngine": "orders",
        "Cache": "@RiskEngine",
        OTHERS: ISOLATED,
    }


@pytest.mark.parametrize(
    ("tables", "text"),
    [
        (
            {"hosts": {"a": ["RiskEngine", "RiskEngin"]}},
            "CONF010 here hosts a: no actor 'RiskEngin'. Did you mean 'RiskEngine'?",
        ),
        (
            {"hosts": {"a": ["Cache"], "b": ["Cache"]}},
            "CONF010 here hosts b: actor 'Cache' is placed 2 times, in 'a' too. Name it once.",
        ),
        (
            {"hosts": {"a": ["Cache"]}, "actors": {"Cache": "a"}},
            "CONF010 here actors Cache: actor 'Cache' is placed 2 times, in 'a' too. Name it once.",
        ),
        (
            {"hosts": {"a b": []}},
            (
                "CONF010 here hosts a b: 'a b' cannot name a host. Use 1 to 56 letters, digits and '_.-', and none "
                "of bus, supervisor, observer."
            ),
        ),
        ({"actors": {"Cach": "a"}}, "CONF010 here actors Cach: no actor 'Cach'. Did you mean 'Cache'?"),
        (
            {"actors": {"Cache": "@RiskEngine", "RiskEngine": "@Cache"}},
            (
                "CONF010 here actors Cache: actors are placed with each other in a circle: Cache -> RiskEngine -> "
                "Cache. Name a host for one of them."
            ),
        ),
    ],
)
def test_settings_that_cannot_be_name_their_place(tables: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        placement_of(settings(**tables), ACTORS, lambda *keys: " ".join(("here", *keys)))

    assert str(caught.value) == text


@given(st.dictionaries(st.sampled_from(sorted(ACTORS)), st.sampled_from(["a", "b", *(f"@{name}" for name in ACTORS)])))
def test_everybody_has_one_host_or_the_placement_is_refused(placement: dict[str, str]) -> None:
    try:
        hosts = plan(ACTORS, placement)
    except ConfigError as error:
        assert error.code == "CONF010"  # noqa: PT017 - a circle is one of two right answers
        return
    assert sorted(actor_id for host in hosts for actor_id in host.actor_ids) == sorted(ACTORS)
    for actor_id, target in placement.items():
        expected = host_of(hosts, target[1:]) if target.startswith("@") else target
        assert host_of(hosts, actor_id) == expected
