"""What every command has in common: help, usage errors, exit codes, what is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.cli import entry
from libra_ray.errors import ConfigError, DataError
from tests.cli.conftest import Libra, command, environment

pytestmark = pytest.mark.slow

COMMANDS = [
    ["demo"],
    ["backtest"],
    ["sweep"],
    ["data", "import"],
    ["data", "ls"],
    ["data", "check"],
    ["data", "synth"],
    ["runs", "ls"],
    ["runs", "show"],
    ["runs", "compare"],
    ["runs", "open"],
    ["doctor"],
    ["new"],
    ["config", "show"],
    ["config", "schema"],
    ["check", "determinism"],
    ["check", "scenario"],
    ["bench"],
]


def test_without_arguments_it_shows_the_commands(libra: Libra) -> None:
    ended = libra()

    assert ended.code == 0
    assert all(command[0] in ended.out for command in COMMANDS)
    assert ended.err == ""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_json_and_debug(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    code = entry.run([*words, "--help"])

    shown = capfd.readouterr().out
    assert code == 0
    assert "--json" in shown
    assert "--debug" in shown


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["doctro"], "CONF000 libra: no such command 'doctro'. Did you mean 'doctor'? See 'libra --help'."),
        (
            ["doctor", "extra"],
            "CONF000 libra doctor: got unexpected extra argument(s) (extra). See 'libra doctor --help'.",
        ),
        (["new"], "CONF000 libra new: missing argument 'NAME'. See 'libra new --help'."),
        (["backtest"], "CONF000 no configuration file given. Give CONFIG, for example run.toml."),
        (["backtest", "no.toml"], "CONF000 no.toml: no such file. Give the path of a configuration file."),
        (
            ["backtest", "a.toml", "--config", "b.toml"],
            "CONF000 --config: a configuration file is given twice. Give one.",
        ),
        (
            ["sweep", "no.toml", "--workers", "-1"],
            (
                "CONF000 libra sweep: invalid value for '--workers': Input should be greater than or equal to 0. "
                "See 'libra sweep --help'."
            ),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_2(libra: Libra, arguments: list[str], line: str) -> None:
    ended = libra(*arguments)

    assert (ended.code, ended.out, ended.err) == (2, "", f"{line}\n")


def test_wrong_usage_with_json_is_the_error_document(libra: Libra) -> None:
    ended = libra("doctro", "--json")

    message = "CONF000 libra: no such command 'doctro'. Did you mean 'doctor'? See 'libra --help'."
    assert ended.code == 2
    assert ended.err == f"{message}\n"
    assert ended.document == {
        "error": {
            "code": "CONF000",
            "family": "CONF",
            "place": "libra",
            "value": None,
            "message": message,
            "fix": "See 'libra --help'.",
            "exit_code": 2,
            "more": [],
        }
    }


def test_an_option_that_begins_a_known_one_is_suggested(libra: Libra) -> None:
    ended = libra("doctor", "--jsn")

    assert ended.code == 2
    assert ended.err.startswith("CONF000 libra doctor: no such option: --jsn")
    assert ended.err.count("\n") == 1


def test_the_traceback_comes_only_when_asked_for(libra: Libra) -> None:
    plain, debug = libra("backtest", "no.toml"), libra("backtest", "no.toml", "--debug")

    assert "Traceback" not in plain.err
    assert debug.err.splitlines()[0] == plain.err.strip()
    assert "Traceback (most recent call last):" in debug.err
    assert debug.code == 2


def test_the_version_is_printed(libra: Libra) -> None:
    ended = libra("--version")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("libra ")


PROBE = """
import sys
from libra_ray.cli.entry import run
code = run(sys.argv[1:])
heavy = ("ray", "ccxt", "optuna", "numba", "pyarrow", "pydantic")
print(code, *(name for name in heavy if name in sys.modules), file=sys.stderr)
"""


def loaded(tmp_path: Path, *arguments: str) -> list[str]:
    """What a command has imported of the heavy libraries, its exit code in front."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1].split()


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path, "--help") == ["0"]


def test_a_backtest_loads_neither_ray_nor_optuna(tmp_path: Path, run_file: Path) -> None:
    assert loaded(tmp_path, "backtest", run_file.name) == ["0", "numba", "pyarrow", "pydantic"]


def test_an_unforeseen_exception_is_one_line_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("out of\nluck")

    monkeypatch.setattr(entry, "_answer", broken)

    code = entry.run(["doctor"])

    assert code == 1
    line = "BUG000 RuntimeError: out of\\nluck. Please report it with what --debug shows.\n"
    assert capfd.readouterr() == ("", line)


def test_twenty_errors_are_shown_and_the_rest_counted(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        error = DataError("DATA001", "a.csv:2", "bad", "Mend it.")
        error.more = tuple(ConfigError("CONF001", None, f"bad {number}", "") for number in range(23))
        raise error

    monkeypatch.setattr(entry, "_answer", broken)

    code = entry.run(["doctor"])

    lines = capfd.readouterr().err.splitlines()
    assert code == 3
    assert lines[0] == "DATA001 a.csv:2: bad. Mend it."
    assert lines[-2:] == ["CONF001 bad 18.", "and 4 more"]
    assert len(lines) == 21


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        command("config", "schema"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("config", "schema"),
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    line = "CONF000 stdout: cannot be written (No space left on device). Write it somewhere else.\n"
    assert (done.returncode, done.stderr) == (2, line)
