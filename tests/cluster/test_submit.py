"""What `cluster/submit.py` sends: the commands of Ray, and no secret."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from libra_ray.errors import ConfigError

ROOT = Path(__file__).parents[2]
SUBMIT = runpy.run_path(str(ROOT / "cluster" / "submit.py"))
runtime_env: Callable[..., dict[str, Any]] = SUBMIT["runtime_env"]
main: Callable[[list[str]], int] = SUBMIT["main"]


@pytest.fixture
def _with_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.chdir(ROOT)


def commands(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    assert main([*arguments[:1], "--dry-run", *arguments[1:]]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.usefixtures("_with_token")
def test_a_job_carries_the_folder_and_the_variables_that_were_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_GRID__FAST", "[5, 10]")
    monkeypatch.setenv("BINANCE_SECRET", "do-not-send")

    (command,) = commands(capsys, "examples/ema_sweep.toml", "--env", "LIBRA_GRID__FAST", "--", "--workers", "2")

    environment = json.loads(command[command.index("--runtime-env-json") + 1])
    assert command[:5] == ["ray", "job", "submit", "--working-dir", "."]
    assert command[-5:] == ["python", "cluster/sweep_job.py", "examples/ema_sweep.toml", "--workers", "2"]
    assert environment["env_vars"] == {"LIBRA_GRID__FAST": "[5, 10]"}
    assert {".env", "*.key", "*token*", ".git", "runs"} <= set(environment["excludes"])
    assert "do-not-send" not in json.dumps(command)


@pytest.mark.usefixtures("_with_token")
def test_the_launcher_gets_the_files_first_and_then_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    sent = commands(
        capsys,
        "examples/ema_sweep.toml",
        "--launcher",
        "cluster/ray-cluster.yaml",
        "--",
        "--table",
        "/shared/t.parquet",
    )

    remote = "~/libra-job/examples/"
    assert sent == [
        ["ray", "exec", "cluster/ray-cluster.yaml", "mkdir -p ~/libra-job/examples"],
        ["ray", "rsync-up", "cluster/ray-cluster.yaml", "examples/", remote],
        [
            *["ray", "submit", "cluster/ray-cluster.yaml", "cluster/sweep_job.py", "--"],
            *[f"{remote}ema_sweep.toml", "--address", "auto", "--table", "/shared/t.parquet"],
        ],
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BINANCE_SECRET", "x"),
        ("CCXT_API_KEY", "x"),
        ("RAY_AUTH_TOKEN", "x"),
        ("db_password", "x"),
        ("AWS_CREDENTIALS", "x"),
        ("REDIS_URL", "redis://:hidden@10.0.0.5:6379"),
    ],
)
def test_a_secret_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        runtime_env([name], {name: value})

    assert str(caught.value) == (
        f"CONF002 --env {name}: a secret in a runtime environment is shown to everybody. "
        "Put it into a file on the nodes (mode 0600, or a Kubernetes secret) and name the file."
    )
    assert "hidden" not in repr(caught.value.args)


def test_a_variable_that_is_not_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"CONF002 --env NOWHERE: it is not set here\. Export it first\."):
        runtime_env(["NOWHERE"], {})


def test_without_a_token_nothing_is_sent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "http://10.0.0.5:8265")
    monkeypatch.chdir(ROOT)

    code = main(["examples/ema_sweep.toml", "--dry-run"])

    assert (code, capsys.readouterr()) == (
        2,
        ("", "CONN002 http://10.0.0.5:8265: token missing or wrong. Set RAY_AUTH_TOKEN_PATH.\n"),
    )


@pytest.mark.usefixtures("_with_token")
@pytest.mark.parametrize("config", ["examples/none.toml", str(ROOT / "examples" / "ema_sweep.toml"), "../x.toml"])
def test_only_a_file_below_the_working_folder_travels(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([config, "--dry-run"]) == 2
    assert capsys.readouterr().err.startswith(f"CONF002 {config}: no such file here. Give a run file below")


def test_the_library_never_gives_ray_a_runtime_environment() -> None:
    """What is in one can be read by whoever may list jobs; secrets are read from files, where they are used."""
    texts = {path: path.read_text() for folder in ("libra_ray", "actors") for path in (ROOT / folder).rglob("*.py")}

    assert [str(path) for path, text in texts.items() if "runtime_env=" in text] == []


@pytest.mark.slow
def test_it_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "cluster" / "submit.py"), "--help"], capture_output=True, text=True, check=True
    )

    assert "so no secret may be" in done.stdout
