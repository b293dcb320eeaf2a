"""Conformance: our own cases, and those beside the checkout; what is not built is named, never passed."""

import json
from pathlib import Path
from typing import Any

import pytest

from libra_ray.errors import ConfigError
from libra_ray.testing import check_paths, reference_run, run_scenario

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path) -> None:
    result = run_scenario(json.loads(path.read_text(encoding="utf-8")))

    assert (result.unsupported, result.diff) == ([], [])


def test_there_are_cases_and_each_has_its_file_name() -> None:
    names = [json.loads(path.read_text(encoding="utf-8"))["name"] for path in CASES]

    assert names == [path.stem for path in CASES]
    assert len(names) >= 10


@pytest.mark.slow
def test_every_shared_scenario_passes(shared: Path) -> None:
    document = check_paths([shared / "scenarios"])

    assert [result for result in document["results"] if not result["ok"]] == []
    assert document["unsupported"] == []
    assert document["passed"] == len(list((shared / "scenarios").glob("*.json"))) >= 95


def _minimal() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(CASES[0].read_text(encoding="utf-8"))
    return document


def test_a_wrong_expectation_fails_with_its_path() -> None:
    document = _minimal()
    document["expect"]["final"]["balances"] = {"USD": "1"}

    result = run_scenario(document)

    assert not result.ok
    assert any(line.startswith("final.balances.USD: expected 1, got") for line in result.diff)


def test_an_unknown_key_is_refused() -> None:
    document = _minimal()
    document["expect"]["evnts"] = []

    with pytest.raises(ConfigError, match="CONF001"):
        run_scenario(document)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(_minimal()), encoding="utf-8")

    with pytest.raises(ConfigError, match="CONF007"):
        check_paths([tmp_path])


def test_a_label_used_again_is_the_same_client_order_id() -> None:
    document = _minimal()
    order = {"op": "submit", "order": "A", "type": "LIMIT", "side": "BUY", "qty": "10", "price": "9.00"}
    again = {**order, "type": "MARKET", "side": "SELL"}
    document |= {
        "venue": {"book": "L1", "account": "MARGIN", "oms": "NETTING", "balances": {"USD": "1000"}},
        "data": [["quote", "1", None, "10.00", "10.02", "5", "5"]],
        "actions": [{"at": 0, "do": [order, again, {"op": "submit_list", "orders": [{**order, "order": "B"}, order]}]}],
    }

    result = run_scenario(document)

    assert result.events == [
        ["1", "A", "ACCEPTED", {}],
        ["1", "A", "DENIED", {"code": "DUPLICATE_CLIENT_ORDER_ID"}],
        ["1", "B", "DENIED", {"code": "LIST_DENIED"}],
        ["1", "A", "DENIED", {"code": "DUPLICATE_CLIENT_ORDER_ID"}],
    ]
    assert reference_run(document).events == result.events
