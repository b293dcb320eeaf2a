"""`libra sweep`: the document, the table, the best settings as a run file, and what an interrupt leaves."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import RUN_FILE, Libra, command, environment
from tests.conftest import takes_long

pytestmark = [pytest.mark.slow, pytest.mark.ray]

GRID = "\n[sweep]\nrank = 'total_return'\n\n[grid]\nlength = [10, 20, 40]\n'Cross.quantity' = ['1000', '0.5']\n"


def test_a_sweep_ranks_trials_and_its_best_file_repeats_the_best_run(
    libra: Libra, run_file: Path, tmp_path: Path
) -> None:
    run_file.write_text(RUN_FILE + GRID)

    ended = libra("sweep", run_file.name, "--json", "--workers", "2")

    document = ended.document
    folder = tmp_path / "runs" / "trial-1"
    table = pq.read_table(folder / "sweep.parquet").to_pylist()
    ranked = max((row for row in table if row["total_return"] is not None), key=lambda row: row["total_return"])
    assert ended.code == 0
    assert (document["trials"], document["failed"], document["workers"]) == (6, 0, 2)
    assert document["parameters"] == ["length", "Cross.quantity"]
    assert document["best"]["trial"] == ranked["trial"]
    assert document["run_hash"] == ranked["run_hash"]
    assert {path.name for path in folder.iterdir()} == {
        "sweep.parquet",
        "best.toml",
        "report.html",
        "run.json",
        "run.log",
    }
    best = libra("backtest", "runs/trial-1/best.toml", "--json", "--no-report").document
    assert best["run_hash"] == ranked["run_hash"]


def test_progress_without_a_terminal_is_plain_lines(libra: Libra, run_file: Path) -> None:
    run_file.write_text(RUN_FILE + GRID)

    ended = libra("sweep", run_file.name, "--no-report", "--workers", "1")

    assert ended.code == 0
    assert "6 trials, 0 failed in" in ended.out
    assert ended.err.splitlines()[0] == "6 backtests over 600 rows"
    assert ended.err.splitlines()[-1].startswith("6 of 6 done, 0 failed")
    assert "\x1b" not in ended.err


@pytest.mark.parametrize(
    ("grid", "line"),
    [
        ("fast = [1]", "CONF009 run.toml:28 grid.fast: unknown sweep parameter 'fast'. Known are "),
        ("lenght = [1]", "CONF009 run.toml:28 grid.lenght: unknown sweep parameter 'lenght'. Did you mean 'length'?"),
        (
            "length = []",
            "CONF005 run.toml:28 grid.length: 0 combinations ('length' is empty). Give at least one value.",
        ),
        ("length = [1, 2, nan, 4, 5]", "CONF006 run.toml:28 grid.length: value 3 of 5 is NaN. Remove it."),
        ("length = [10, 0.1, 0.1]", "CONF006 run.toml:28 grid.length: value 0.1 is given 2 times. Remove one."),
        ("length = 5", "CONF002 run.toml:28 grid.length: 5 is not a list of values. Write for example [5, 10, 20]."),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_starts(
    libra: Libra, run_file: Path, tmp_path: Path, grid: str, line: str
) -> None:
    run_file.write_text(f"{RUN_FILE}\n[grid]\n{grid}\n")

    ended = libra("sweep", run_file.name, "--json")

    assert ended.code == 2
    assert ended.err.startswith(line)
    assert ended.document["error"]["code"] == line[:7]
    assert not (tmp_path / "runs").exists()


def test_a_file_without_a_grid_cannot_be_swept(libra: Libra, run_file: Path) -> None:
    ended = libra("sweep", run_file.name)

    assert (ended.code, ended.err) == (
        2,
        "CONF005 run.toml grid: 0 combinations (no parameter is given). Give at least one.\n",
    )


def test_an_unknown_figure_to_rank_by_is_refused(libra: Libra, run_file: Path) -> None:
    run_file.write_text(RUN_FILE + GRID.replace("total_return", "sharp_ratio"))

    ended = libra("sweep", run_file.name)

    assert (ended.code, ended.err) == (
        2,
        "CONF002 run.toml:28 sweep.rank: 'sharp_ratio' is not a figure to rank by. Did you mean 'sharpe_ratio'?\n",
    )


@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=takes_long)])
def test_a_sweep_that_was_ended_early_leaves_no_process_and_can_be_gone_on_with(
    libra: Libra, run_file: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    run_file.write_text(RUN_FILE.replace("rows = 600", "rows = 6_000") + f"\n[grid]\nlength = {list(range(2, 90))}\n")
    with subprocess.Popen(
        command("sweep", run_file.name, "--workers", "1"),
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        while "1 of 88 done" not in (line := process.stderr.readline()):
            assert line
            if " of 88 done" in line and not line.startswith("0 "):
                break
        process.send_signal(sent)
        rest = process.stderr.read()

    if sent is signal.SIGINT:
        assert process.returncode == 130
        assert rest.splitlines()[-1] == "Interrupted."
    else:
        assert process.returncode == -signal.SIGKILL
    assert _ends_within(process.pid, 0.0 if sent is signal.SIGINT else 20.0)
    (draft,) = (tmp_path / "runs").glob(".*.draft")
    kept = len((draft / "trials.journal").read_bytes().splitlines()) - 1
    assert 0 < kept < 88
    run_id = draft.name[1 : -len(".draft")]

    ended = libra("sweep", run_file.name, "--resume", run_id, "--workers", "0", "--json")

    document = json.loads(ended.out)
    assert (ended.code, document["run_id"], document["trials"]) == (0, run_id, 88)
    whole = libra("sweep", run_file.name, "--workers", "0", "--json", "--no-report").document
    assert document["trial_hashes"] == whole["trial_hashes"]
    assert not draft.exists()

    again = libra("sweep", run_file.name, "--resume", run_id)

    assert again.code == 2
    assert again.err.endswith(f"CONF000 runs: '{run_id}' has ended. Nothing is left to do.\n")


def _ends_within(group: int, seconds: float) -> bool:
    """Whether no process of a group is left by then."""
    for _ in range(int(seconds * 10) + 1):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)  # noqa: TID251  # killed processes send no word
    return False


@takes_long
def test_runs_repeat_under_other_seeds_batches_and_workers(libra: Libra, run_file: Path) -> None:
    ended = libra("check", "determinism", run_file.name, "--json")

    document = ended.document
    assert ended.code == 0
    assert (document["equal"], document["differing"]) == (True, [])
    assert [run["name"] for run in document["runs"]][:6] == [
        "hash seed 0",
        "hash seed 1",
        "hash seed 4242",
        "batches of 1",
        "batches of 7",
        "batches of 100,000",
    ]
    # Without a grid the sweep has one trial, the run itself: its hash is the same too.
    assert {run["kind"] for run in document["runs"]} == {"run"}
    assert len({run["run_hash"] for run in document["runs"]}) == 1
    assert json.dumps(document).count("sweep with") == 2
