"""`libra backtest`: the document, the run folder, what a fault and a wrong file leave."""

import json
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import RUN_FILE, Libra, command, environment

pytestmark = pytest.mark.slow

TABLES = ("orders", "fills", "positions", "equity", "accounts")


def changed(path: Path, old: str, new: str) -> None:
    """The run file with one text in place of another."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_document_counts_what_the_tables_hold(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    ended = libra("backtest", run_file.name, "--json")

    document = ended.document
    folder = tmp_path / "runs" / "trial-1"
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in TABLES}
    assert ended.code == 0
    assert ended.err == ""
    assert (document["run_id"], document["folder"]) == ("trial-1", "runs/trial-1")
    assert document["orders"] == tables["orders"].num_rows > 0
    assert document["fills"] == tables["fills"].num_rows > 0
    assert document["positions"] == tables["positions"].num_rows > 0
    assert (document["denied"], document["rejected"], document["faults"]) == (0, 0, [])
    assert document["rows"] == 600
    assert document["stats"]["starting_equity"] == 100_000.0
    assert {path.name for path in folder.iterdir()} == {
        *(f"{name}.parquet" for name in TABLES),
        "run.json",
        "run.log",
        "report.html",
    }
    kept = json.loads((folder / "run.json").read_text())
    assert kept["run_hash"] == document["run_hash"]
    assert kept["config"]["strategy"][0]["config"] == {"length": 20}
    assert kept["config"]["risk"]["max_modify_rate"] == "100/1s"
    assert set(kept["hashes"]) == {"config", "code", "data"}
    assert kept["versions"].keys() >= {"libra_ray", "python", "numpy", "pyarrow"}


def test_the_summary_names_figures_hash_and_folder(libra: Libra, run_file: Path) -> None:
    ended = libra("backtest", run_file.name, "--no-report")

    assert ended.code == 0
    assert "Total return" in ended.out
    assert "folder    runs/trial-1\n" in ended.out
    assert "report" not in ended.out
    assert ended.err == "600 rows, 1 stream, 1 actor\n"


def test_equal_runs_have_equal_hashes_and_changed_ones_do_not(libra: Libra, run_file: Path) -> None:
    first = libra("backtest", run_file.name, "--json", "--no-report").document
    again = libra("backtest", run_file.name, "--json", "--no-report", "--batch-rows", "7").document
    other = libra("backtest", run_file.name, "--json", "--no-report", "--set", "strategy.config.length=10").document
    by_environment = libra(
        "backtest", run_file.name, "--json", "--no-report", LIBRA_STRATEGY__CONFIG__LENGTH="10"
    ).document

    hashes = ("run_hash", "config_hash", "code_hash", "data_digest")
    assert [first[name] for name in hashes] == [again[name] for name in hashes]
    assert other["run_hash"] != first["run_hash"]
    assert other["config_hash"] != first["config_hash"]
    assert (other["run_hash"], other["config_hash"]) == (by_environment["run_hash"], by_environment["config_hash"])


def test_the_code_hash_follows_the_strategy_file(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    first = libra("backtest", run_file.name, "--json", "--no-report").document
    with (tmp_path / "strategies" / "cross.py").open("a") as file:
        file.write("# changed\n")
    second = libra("backtest", run_file.name, "--json", "--no-report").document

    assert first["code_hash"] != second["code_hash"]
    assert first["run_hash"] == second["run_hash"]


def test_a_strategy_that_does_not_start_ends_the_run_with_exit_1(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    changed(run_file, 'path = "cross.Cross"\n\n[strategy.config]\nlength = 20\n', 'path = "cross.Boom"\n')

    plain, with_json = libra("backtest", run_file.name), libra("backtest", run_file.name, "--json")

    message = (
        "STRAT001 cross.py:26: Boom-1 on_start raised ValueError: x. It was not started and sent 0 orders; nothing ran."
    )
    lines = plain.err.splitlines()
    assert (plain.code, plain.out, lines[1:]) == (1, "", [message, "Results so far: runs/trial-1"])
    assert with_json.code == 1
    assert with_json.document["error"] == {
        "code": "STRAT001",
        "family": "STRAT",
        "place": "cross.py:26",
        "value": "x",
        "message": message,
        "fix": "It was not started and sent 0 orders; nothing ran.",
        "exit_code": 1,
        "more": [],
    }
    assert json.loads((tmp_path / "runs" / "trial-2" / "run.json").read_text())["faults"] == [message]


def test_others_run_on_when_one_strategy_does_not_start(libra: Libra, run_file: Path) -> None:
    changed(run_file, "[strategy]", "[[strategy]]")
    run_file.write_text(
        run_file.read_text() + '[[strategy]]\npath = "cross.Boom"\n[[strategy]]\npath = "cross.Cross"\n'
    )

    ended = libra("backtest", run_file.name)

    assert ended.code == 1
    assert ended.err.splitlines()[1] == (
        "STRAT001 cross.py:26: Boom-1 on_start raised ValueError: x. "
        "It was not started and sent 0 orders; 2 others run."
    )


def test_results_so_far_are_written_when_a_handler_raises(libra: Libra, run_file: Path, tmp_path: Path) -> None:
    changed(run_file, "cross.Cross", "cross.Late")

    ended = libra("backtest", run_file.name, "--json")

    assert ended.code == 1
    assert ended.document["error"]["message"] == "STRAT001 cross.py:34: Late-1 on_bar raised KeyError: 'late'."
    assert pq.read_table(tmp_path / "runs" / "trial-1" / "orders.parquet").num_rows > 0
    assert "STRAT001 cross.py:34" in (tmp_path / "runs" / "trial-1" / "report.html").read_text()
    # What a strategy prints is not part of the document.
    assert "from the strategy" in ended.err


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        (
            'max_order_rate = "100/1s"',
            'max_ordr_rate = "100/1s"',
            "CONF001 run.toml:19 risk.max_ordr_rate: unknown key. Did you mean 'max_order_rate'?",
            2,
        ),
        (
            '"100/1s"',
            '"fast"',
            "CONF002 run.toml:19 risk.max_order_rate: 'fast' is not a rate. Write for example \"100/1s\".",
            2,
        ),
        (
            "cross.Cross",
            "my.Strat",
            "CONF003 run.toml:22 strategy.path: module 'my' not found (my.Strat). Searched: strategies, src.",
            2,
        ),
        (
            "cross.Cross",
            "cross.Crss",
            "CONF003 run.toml:22 strategy.path: module 'cross' has no 'Crss'. Did you mean 'Cross'?",
            2,
        ),
        ("cross.Cross", "cross.NotOne", "CONF004 run.toml:22 strategy.path: 'cross.NotOne' is not a Strategy.", 2),
        (
            "length = 20",
            'length = "long"',
            "CONF002 run.toml:25 strategy.config.length: 'long' is not a whole number. Write for example 10.",
            2,
        ),
        (
            "length = 20",
            "lenght = 20",
            "CONF001 run.toml:25 strategy.config.lenght: unknown key. Did you mean 'length'?",
            2,
        ),
        (
            "{ maker",
            "{ makr",
            "CONF001 run.toml:16 venue.0.fees.makr: unknown key. Did you mean 'maker'?",
            2,
        ),
        (
            "100_000 USD",
            "100_000 XXD",
            (
                "CONF002 run.toml:15 venue.0.balances: currency 'XXD' is not known. "
                "Declare its decimals, for example currencies = { XXD = 8 }."
            ),
            2,
        ),
        (
            '"trial"',
            '"../trial"',
            "CONF002 run.toml:2 run.name: name '../trial' contains '/'. Allowed are letters, digits, '.', '_' and '-'.",
            2,
        ),
        (
            "seed = 7",
            'seed = 7\nend = "2020-01-01"',
            (
                "CONF008 run.toml:4 run.end: no data in this time range; it has 2024-01-01T01:00:00Z to "
                "2024-01-26T00:00:00Z. Correct start and end: the end itself is not included."
            ),
            2,
        ),
        (
            "seed = 7",
            "seed = 7\nstart = 2024-01-05T00:00:00",
            (
                "CONF002 run.toml:4 run.start: time '2024-01-05T00:00:00' has no UTC offset. "
                "Write for example 2024-01-05T00:00:00Z."
            ),
            2,
        ),
        (
            "[data.synth]",
            "[data.synth]\nmodel = 'walk'",
            (
                "CONF002 run.toml:6 data.synth.model: bars are not made by 'walk'. "
                'Bars are "gbm", quotes and trades "walk".'
            ),
            2,
        ),
        (
            '"EURUSD.SIM"',
            '"../../etc/x"',
            (
                "DATA012 run.toml:6 data.synth.instrument: instrument id '../../etc/x' contains '/'. "
                "Allowed are letters, digits, '.', '_' and '-'."
            ),
            3,
        ),
        (
            "[risk]",
            '[[venue]]\nname = "SIM"\nbalances = ["1 USD"]\n[risk]',
            "CONF007 run.toml:19 venue.1.name: 'SIM' names two of [[venue]]. Rename one.",
            2,
        ),
        (
            "[data.synth]",
            '[data]\ncatalog = "cat"\n[data.synth]',
            "CONF002 run.toml:5 data: catalog and synth are given. Give one of sample, catalog, files, synth.",
            2,
        ),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) and value[:4] in ("CONF", "DATA") else "",
)
def test_a_wrong_run_file_is_one_line_and_nothing_is_written(
    libra: Libra, run_file: Path, tmp_path: Path, old: str, new: str, line: str, code: int
) -> None:
    changed(run_file, old, new)

    ended = libra("backtest", run_file.name, "--json")

    assert ended.code == code
    assert ended.err == f"{line}\n"
    assert ended.document["error"]["message"] == line
    assert not (tmp_path / "runs").exists()


def test_the_second_file_layer_names_the_variable(libra: Libra, run_file: Path) -> None:
    ended = libra("backtest", run_file.name, LIBRA_RISK__MAX_ORDER_RATE="fast")

    assert ended.err == ("CONF002 LIBRA_RISK__MAX_ORDER_RATE: 'fast' is not a rate. Write for example \"100/1s\".\n")


def test_an_interrupt_is_exit_130_and_leaves_no_folder(run_file: Path, tmp_path: Path) -> None:
    run_file.write_text(RUN_FILE.replace("rows = 600", "rows = 3_000_000").replace('"1h"', '"1m"'))
    source = tmp_path / "strategies" / "cross.py"
    source.write_text(source.read_text().replace('"1h"', '"1m"'))
    with subprocess.Popen(
        command("backtest", run_file.name), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()

    assert first == "3,000,000 rows, 1 stream, 1 actor\n"
    assert (process.returncode, rest) == (130, "Interrupted.\n")
    assert not (tmp_path / "runs").exists()


def test_runs_that_start_together_get_different_folders(run_file: Path, tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            command("backtest", run_file.name, "--no-report", "--json"),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    outputs = [json.loads(process.communicate()[0]) for process in started]

    assert {output["run_id"] for output in outputs} == {"trial-1", "trial-2", "trial-3"}
    assert len({output["run_hash"] for output in outputs}) == 1
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"trial-1", "trial-2", "trial-3"}
