"""Placement: who shares a host, and one clear line for what cannot be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.errors import ConfigError
from libra_ray.hosts.placement import FUSED, ISOLATED, MAIN, HostPlan, host_of, plan

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


@pytest.mark.parametrize(
    ("placement", "text"),
    [
        ("isolate", """CONF002 placement: 'isolate' is no placement. Write "fused", "isolated", or name a host for """),
        ({"RiskEngin": "a"}, "CONF010 placement.RiskEngin: no actor 'RiskEngin'. Did you mean 'RiskEngine'?"),
        ({"Cache": "@Cach"}, "CONF010 placement.Cache: no actor 'Cach'. Did you mean 'Cache'?"),
        ({"Cache": "a/b"}, "CONF010 placement.Cache: 'a/b' cannot name a host. Use 1 to 64 letters, digits and '_.-'"),
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
def test_what_cannot_be_placed_is_one_line(placement: str | dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(ACTORS, placement)

    assert str(caught.value).startswith(text)
    assert "\n" not in str(caught.value)


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
