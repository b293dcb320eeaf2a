"""`libra sweep --walk-forward`: the document, the tables, and the settings to go on with as a run file."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import RUN_FILE, Libra
from tests.conftest import takes_long

pytestmark = [pytest.mark.slow]

TABLES = """
[sweep]
rank = "total_return"

[grid]
length = [10, 20, 40]

[walk_forward]
train = "8d"
test = "6d"
"""


@pytest.mark.ray
@takes_long
def test_windows_are_walked_and_the_last_choice_can_be_run(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    run_file.write_text(RUN_FILE + TABLES)

    ended = libra("sweep", run_file.name, "--walk-forward", "--json", "--workers", "1")

    document = ended.document
    folder = tmp_path / "runs" / "trial-1"
    windows = pq.read_table(folder / "windows.parquet").to_pylist()
    assert ended.code == 0
    assert (document["kind"], document["scheme"], document["trials"], document["failed"]) == (
        "walk_forward",
        "rolling",
        3,
        0,
    )
    assert [row["window"] for row in windows] == [row["window"] for row in document["windows"]] == [1, 2, 3]
    assert pq.read_table(folder / "sweep.parquet").num_rows == 9
    assert {path.name for path in folder.iterdir()} == {
        "best.toml",
        "out_of_sample.parquet",
        "report.html",
        "run.json",
        "run.log",
        "sweep.parquet",
        "windows.parquet",
    }
    assert document["best"] == {"length": windows[-1]["length"]}
    trades = sum(row["test_trades"] for row in windows)
    assert document["stats"]["trades"] == trades

    again = libra("backtest", "runs/trial-1/best.toml", "--json", "--no-report", "--set", "run.end=2024-01-21")
    assert again.code == 0, again.err
    assert f"length = {windows[-1]['length']}" in (folder / "best.toml").read_text()


@pytest.mark.parametrize(
    ("tables", "arguments", "line"),
    [
        (
            TABLES.replace('"8d"', '"80d"'),
            (),
            "CONF002 run.toml:34 walk_forward.train: training of 80 d leaves nothing to test in data of ",
        ),
        (
            TABLES.replace('test = "6d"', ""),
            (),
            "CONF002 run.toml:33 walk_forward: train is given without test. Give both or none.\n",
        ),
        (
            TABLES.replace("train =", "trian ="),
            (),
            "CONF001 run.toml:34 walk_forward.trian: unknown key. Did you mean 'train'?\n",
        ),
        (
            TABLES,
            ("--sampler", "tpe", "--trials", "4"),
            "CONF002 sampler: the sampler tpe learns from results, and each window tries the same combinations. ",
        ),
        (TABLES, ("--resume", "trial-1"), "CONF002 --resume: a walk-forward keeps no journal. "),
    ],
)
def test_what_cannot_be_walked_is_one_line(
    libra: Libra, run_file: Path, tmp_path: Path, tables: str, arguments: tuple[str, ...], line: str
) -> None:
    run_file.write_text(RUN_FILE + tables)

    ended = libra("sweep", run_file.name, "--walk-forward", *arguments, "--json")

    assert ended.code == 2
    assert ended.err.splitlines(keepends=True)[-1].startswith(line)
    assert ended.document["error"]["exit_code"] == 2
    assert not (tmp_path / "runs").exists()
