"""The script that a Ray job runs."""

import json
import runpy
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "cluster" / "sweep_job.py"

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", [str(SCRIPT), *arguments])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    return int(caught.value.code or 0)


@pytest.mark.usefixtures("two_workers")
def test_the_job_sweeps_a_run_file_writes_the_table_and_ends_with_one_json_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIBRA_GRID__FAST", "[5, 10]")
    monkeypatch.setenv("LIBRA_GRID__SLOW", "[30, 50]")

    code = exit_code(monkeypatch, str(ROOT / "examples" / "ema_sweep.toml"), "--table", str(tmp_path / "t.parquet"))

    answer = json.loads(capsys.readouterr().out)
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert code == 0
    assert (answer["trials"], answer["failed"], answer["workers"]) == (4, 0, 2)
    assert [(row["fast"], row["slow"]) for row in rows] == [(5, 30), (5, 50), (10, 30), (10, 50)]
    assert answer["best"] == rows[answer["best"]["trial"]]


def test_a_wrong_run_file_is_one_line_and_the_exit_code_of_its_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIBRA_GRID__FAST", "[]")

    code = exit_code(monkeypatch, str(ROOT / "examples" / "ema_sweep.toml"))

    assert code == 2
    assert capsys.readouterr().err == (
        "CONF005 LIBRA_GRID__FAST: 0 combinations ('fast' is empty). Give at least one value.\n"
    )
