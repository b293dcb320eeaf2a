"""Run folders: numbered by whoever is first, whole or not there."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from libra_ray.errors import ConfigError, DataError
from libra_ray.simulation.run_folder import content_hash, find_run, read_run, read_runs, reserved


def made(runs: Path, name: str, **facts: object) -> str:
    """A finished run with these facts."""
    with reserved(runs, name) as folder:
        folder.write_index({"run_id": folder.run_id, **facts})
    return folder.run_id


def test_numbers_go_on_after_the_highest_and_per_name(tmp_path: Path) -> None:
    (tmp_path / "a-7").mkdir()
    (tmp_path / "a-b-9").mkdir()

    assert [made(tmp_path, "a"), made(tmp_path, "a"), made(tmp_path, "a-b"), made(tmp_path, "b")] == [
        "a-8",
        "a-9",
        "a-b-10",
        "b-1",
    ]


def test_a_run_is_hidden_until_it_is_whole(tmp_path: Path) -> None:
    table = pa.table({"x": [1, 2]})
    with reserved(tmp_path, "a") as folder:
        folder.write_table("orders", table)
        folder.write_index({"run_id": folder.run_id})
        assert read_runs(tmp_path) == []
        assert list(folder.path.iterdir()) == []

    assert read_run(tmp_path / "a-1") == {"run_id": "a-1"}
    assert pq.read_table(tmp_path / "a-1" / "orders.parquet").equals(table)
    assert [path.name for path in tmp_path.iterdir()] == ["a-1"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_a_run_that_fails_to_be_written(tmp_path: Path, error: type[BaseException]) -> None:
    runs = tmp_path / "deep" / "runs"

    def write_and_fail() -> None:
        with reserved(runs, "a") as folder:
            folder.write_index({"run_id": folder.run_id})
            raise error

    with pytest.raises(error):
        write_and_fail()

    assert list(tmp_path.iterdir()) == []


def test_other_runs_stay_when_one_fails(tmp_path: Path) -> None:
    made(tmp_path, "a")

    with pytest.raises(ValueError, match="x"), reserved(tmp_path, "a"):
        raise ValueError("x")

    assert [run["run_id"] for run in read_runs(tmp_path)] == ["a-1"]


def test_a_place_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError) as caught, reserved(tmp_path / "file", "a"):
        pass

    assert caught.value.code == "CONF000"
    assert caught.value.fix == "Use --runs DIR with a folder you may write to."


def test_runs_are_read_in_the_order_they_were_made(tmp_path: Path) -> None:
    made(tmp_path, "b", created_ns=1)
    made(tmp_path, "a", created_ns=3)
    made(tmp_path, "c", created_ns=2)

    assert [run["run_id"] for run in read_runs(tmp_path)] == ["b-1", "c-1", "a-1"]
    assert find_run(tmp_path, "last") == tmp_path / "a-1"
    assert find_run(tmp_path, "c") == tmp_path / "c-1"
    assert read_runs(tmp_path / "none") == []


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    made(tmp_path, "a")
    (tmp_path / "a-1" / "run.json").write_text(json.dumps(["no table"]))

    with pytest.raises(DataError) as caught:
        read_runs(tmp_path)

    assert caught.value.message == "DATA011 a-1/run.json: no run_id in it. Delete the run folder or restore it."


def test_a_content_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})
