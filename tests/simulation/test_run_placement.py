"""Placement, supervision and metrics of a run file: what `deploy` and lockstep are given, and what is refused."""

from pathlib import Path

import pytest

from libra_ray.cli.recording import fingerprints
from libra_ray.errors import ConfigError
from libra_ray.hosts.metrics_settings import MetricsSettings
from libra_ray.hosts.placement import OTHERS, plan
from libra_ray.runtime.supervision import Restart, RestartStrategy
from libra_ray.runtime.supervision.settings import GroupSettings
from libra_ray.simulation.run_config import LoadedRun, load_run

HEAD = """\
[run]
name = "trial"

[data.synth]
instrument = "EURUSD.SIM"
rows = 48
price = "1.1"

[[venue]]
name = "SIM"
balances = ["100_000 USD"]

[[strategy]]
path = "still.Still"

[[strategy]]
path = "still.Still"
id = "Other"

"""
STILL = "from libra_ray import Strategy\n\n\nclass Still(Strategy):\n    pass\n"
LINE = HEAD.count("\n")
KERNEL = ("Cache", "Portfolio", "RiskEngine", "ExecEngine", "OrderEmulator", "DataEngine")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "still.py").write_text(STILL)
    return tmp_path


def loaded(folder: Path, text: str = "", *sets: str, **environment: str) -> LoadedRun:
    (folder / "run.toml").write_text(HEAD + text)
    return load_run(folder / "run.toml", environment=environment, sets=sets)


def test_a_file_that_says_nothing_leaves_it_to_who_runs_it(folder: Path) -> None:
    run = loaded(folder)

    assert (run.placement, run.lockstep_placement) == (None, None)
    assert dict(run.deployment) == {
        "placement": "isolated",
        "restart": {"Still-1": Restart.TRANSIENT, "Other": Restart.TRANSIENT},
        "supervision": run.config.supervision,
        "metrics": MetricsSettings(port=0, address="127.0.0.1"),
    }


def test_a_mode_is_a_word_in_any_layer(folder: Path) -> None:
    assert loaded(folder, '[placement]\nmode = "fused"\n').placement == "fused"
    assert loaded(folder, "", LIBRA_PLACEMENT__MODE="isolated").lockstep_placement == "isolated"
    assert loaded(folder, '[placement]\nmode = "fused"\n', "placement.mode=isolated").placement == "isolated"


def test_hosts_are_named_with_their_actors_and_the_others_live_as_the_mode_says(folder: Path) -> None:
    hosts = '[placement.hosts]\norders = ["RiskEngine", "ExecEngine", "SIM-client"]\n'
    text = f'{hosts}[placement.actors]\nOther = "@Still-1"\n'
    named = {"RiskEngine": "orders", "ExecEngine": "orders", "SIM-client": "orders", "Other": "@Still-1"}

    assert loaded(folder, text).placement == named
    assert loaded(folder, text, "placement.mode=isolated").placement == {**named, OTHERS: "isolated"}


def test_in_lockstep_the_clients_of_venues_live_nowhere(folder: Path) -> None:
    text = '[placement]\nmode = "isolated"\n[placement.actors]\nSIM-client = "venues"\nOther = "@SIM-client"\n'

    placement = loaded(folder, text).lockstep_placement

    assert placement == {**{name: name for name in KERNEL}, "Still-1": "Still-1", "Other": "venues"}
    assert len(plan(dict.fromkeys((*KERNEL, "Still-1", "Other")), placement)) == 8


def test_supervision_and_metrics_are_what_deploy_takes(folder: Path) -> None:
    text = """\
[supervision]
restarts_max = 2
kernel = "one_for_all"
restart = "permanent"

[supervision.restarts]
Other = "temporary"

[supervision.groups.pair]
actors = ["Still-1", "Other"]

[metrics]
port = 9464
"""
    given = loaded(folder, text).deployment

    settings = given["supervision"]
    assert (settings.restarts_max, settings.kernel) == (2, RestartStrategy.ONE_FOR_ALL)
    assert settings.groups == {"pair": GroupSettings(actors=("Still-1", "Other"))}
    assert given["restart"] == {"Still-1": Restart.PERMANENT, "Other": Restart.TEMPORARY}
    assert given["metrics"] == MetricsSettings(port=9_464)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[placement]\nmode = "isolate"',
            "CONF002 run.toml:{2} placement.mode: 'isolate' is not allowed. Did you mean 'isolated'?",
        ),
        ("[placement]\nmodus = 1", "CONF001 run.toml:{2} placement.modus: unknown key. Did you mean 'mode'?"),
        (
            '[placement.hosts]\na = ["Cache"]\nb = ["RiskEngine", "Cach"]',
            "CONF010 run.toml:{3} placement.hosts.b: no actor 'Cach'. Did you mean 'Cache'?",
        ),
        (
            '[placement.hosts]\na = ["Cache"]\nb = ["Cache"]',
            "CONF010 run.toml:{3} placement.hosts.b: actor 'Cache' is placed 2 times, in 'a' too. Name it once.",
        ),
        (
            '[placement.hosts]\n"" = ["Cache"]',
            (
                "CONF010 run.toml:{2} placement.hosts.: '' cannot name a host. Use 1 to 56 letters, digits and '_.-', "
                "and none of bus, supervisor, observer."
            ),
        ),
        (
            '[placement.actors]\nCache = "@Other"\nOther = "@Still-1"\nStill-1 = "@Cache"',
            (
                "CONF010 run.toml:{2} placement.actors.Cache: actors are placed with each other in a circle: "
                "Cache -> Other -> Still-1 -> Cache. Name a host for one of them."
            ),
        ),
        (
            '[placement.hosts]\na = "Cache"',
            """CONF002 run.toml:{2} placement.hosts.a: 'Cache' is not a list. Write for example ["a", "b"].""",
        ),
        (
            '[supervision.groups.pair]\nactors = ["Still-1", "Oter"]',
            "CONF010 run.toml:{2} supervision.groups.pair.actors: no actor 'Oter'. Did you mean 'Other'?",
        ),
        (
            '[supervision.restarts]\nStil-1 = "permanent"',
            "CONF010 run.toml:{2} supervision.restarts.Stil-1: no actor 'Stil-1'. Did you mean 'Still-1'?",
        ),
        (
            '[supervision]\nrestart = "sometimes"',
            (
                "CONF002 run.toml:{2} supervision.restart: 'sometimes' is not allowed. "
                "Use permanent or transient or temporary."
            ),
        ),
        ("[metrics]\nport = 70000", "CONF002 run.toml:{2} metrics.port: 70000 is above 65535. Give at most 65535."),
    ],
)
def test_what_cannot_be_is_one_line_with_its_place(folder: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)

    assert caught.value.message == message.format(*(LINE + line for line in range(5)))


def test_an_actor_too_long_to_live_alone_is_refused_before_it_runs(folder: Path) -> None:
    long = HEAD.replace('"Other"', f'"{"o" * 60}"')
    (folder / "run.toml").write_text(f'{long}[placement]\nmode = "isolated"\n')

    with pytest.raises(ConfigError, match=rf"^CONF010 run\.toml:{LINE + 1} placement: 'o+' cannot name a host\."):
        load_run(folder / "run.toml")


def test_how_a_run_lives_on_hosts_is_no_part_of_its_configuration_hash(folder: Path) -> None:
    plain = fingerprints(loaded(folder))
    placed = fingerprints(loaded(folder, '[placement]\nmode = "isolated"\n[metrics]\nport = 9464\n'))

    assert placed["hashes"] == plain["hashes"]
    assert placed["config"]["placement"]["mode"] == "isolated"
