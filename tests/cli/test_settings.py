"""`libra config`: every value with its place, every default, the schema."""

from pathlib import Path

import pytest
from jsonschema import validate

from tests.cli.conftest import RUN_FILE, Libra

pytestmark = pytest.mark.slow


def test_every_value_has_its_place(libra: Libra, run_file: Path) -> None:
    ended = libra("config", "show", run_file.name, "--set", "run.seed=9", LIBRA_RISK__MAX_ORDER_RATE="5/1s")

    lines = dict(line.split("#") for line in ended.out.splitlines())
    places = {key.partition(" = ")[0]: (key.partition(" = ")[2].strip(), place.strip()) for key, place in lines.items()}
    assert ended.code == 0
    assert places["run.name"] == ('"trial"', "run.toml:2")
    assert places["run.seed"] == ("9", "--set")
    assert places["risk.max_order_rate"] == ('"5/1s"', "LIBRA_RISK__MAX_ORDER_RATE")
    assert places["venue.0.fees.taker"] == ('"0.00005"', "run.toml:16")


def test_resolved_shows_defaults_and_masks_secrets(libra: Libra, run_file: Path) -> None:
    run_file.write_text(RUN_FILE + 'api_key = "abcd-a-long-secret-wxyz"\n')
    (run_file.parent / "strategies" / "cross.py").write_text("")

    document = libra("config", "show", run_file.name, "--resolved", "--json").document
    plain = libra("config", "show", run_file.name)

    assert document["venue"][0]["bar_fill"] == "next_open"
    assert document["strategy"][0]["config"]["api_key"] == "abcd...wxyz"
    assert "a-long-secret" not in plain.out


def test_the_schema_accepts_a_run_file(libra: Libra, run_file: Path) -> None:
    schema = libra("config", "schema", "--json").document
    shown = libra("config", "show", run_file.name, "--resolved", "--json").document

    validate(shown, schema)
    assert set(schema["required"]) == {"run", "data", "venue", "strategy"}
