"""A real head with a token: `ray job submit` of a sweep, and what strangers can and cannot do."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cluster.heads import ROOT, TOKEN, Head, last_json, ray_head, run, status_of
from tests.conftest import takes_long

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    takes_long,
]
pytest.importorskip("aiohttp", reason="the job server needs the extra `cluster`")

SECRET = f"hush-{2**31}"  # not as a whole in this file, which travels with the job


@pytest.fixture(scope="module")
def head(head_folder: Path) -> Iterator[Head]:
    with ray_head(head_folder) as started:
        yield started


def submit(head: Head, *arguments: str, **environment: str) -> tuple[int, str]:
    command = [sys.executable, "cluster/submit.py", "examples/ema_sweep.toml", *arguments]
    done = head.run(*command, cwd=ROOT, **environment)
    return done.returncode, done.stdout + done.stderr


def test_a_sweep_runs_as_a_job_and_its_secrets_are_nowhere(head: Head, tmp_path: Path) -> None:
    grid = {"LIBRA_GRID__FAST": "[5, 10]", "LIBRA_GRID__SLOW": "[30, 50]", "VENUE_SECRET": SECRET}
    names = ("--env", "LIBRA_GRID__FAST", "--env", "LIBRA_GRID__SLOW")

    code, log = submit(head, *names, "--", "--table", str(tmp_path / "t.parquet"), **grid)

    answer = last_json(log)
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert (code, answer["trials"], answer["failed"], answer["workers"]) == (0, 4, 0, 2), log
    assert [(row["fast"], row["slow"], row["error"]) for row in rows] == [
        *[(5, 30, None), (5, 50, None), (10, 30, None), (10, 50, None)]
    ]
    jobs = head.run("ray", "job", "list", cwd=tmp_path)
    written = [path for path in (head.folder / "r").rglob("*") if path.is_file() and path.stat().st_size < 1 << 24]
    leaked = [path for path in written if SECRET.encode() in (text := path.read_bytes()) or TOKEN.encode() in text]
    assert "LIBRA_GRID__FAST" in jobs.stdout + jobs.stderr
    assert SECRET not in jobs.stdout + jobs.stderr
    assert len(written) > 20
    assert leaked == []


def test_a_job_that_fails_fails_the_command_with_the_one_line(head: Head) -> None:
    code, log = submit(head, "--env", "LIBRA_GRID__FAST", LIBRA_GRID__FAST="[]")

    assert code == 1
    assert "CONF005 LIBRA_GRID__FAST: 0 combinations ('fast' is empty). Give at least one value." in log


def test_strangers_are_refused_by_the_job_server_and_by_the_cluster(head: Head, tmp_path: Path) -> None:
    stranger = {**head.stranger, "RAY_ADDRESS": head.address, "HOME": str(tmp_path)}

    sweep = run(
        sys.executable, "-m", "libra_ray", "sweep", str(ROOT / "examples" / "ema_sweep.toml"),
        cwd=tmp_path, environment=stranger,
    )  # fmt: skip

    assert [status_of(f"{head.dashboard}/api/jobs/", token) for token in (None, "0" * 64, TOKEN)] == [401, 403, 200]
    assert sweep.returncode == 2
    assert f"CONN002 {head.address}: token missing or wrong. Set RAY_AUTH_TOKEN_PATH." in sweep.stderr


def test_the_doctor_finds_this_cluster_sound_and_tells_a_stranger_why_not(head: Head, tmp_path: Path) -> None:
    doctor = (sys.executable, "-m", "libra_ray", "doctor", "--cluster", "--json")

    sound = head.run(*doctor, cwd=tmp_path, RAY_ADDRESS=head.address)
    refused = run(
        *doctor, cwd=tmp_path, environment={**head.stranger, "RAY_ADDRESS": head.address, "HOME": str(tmp_path)}
    )

    checks = {check["name"]: check for check in json.loads(sound.stdout)["checks"]}
    assert (sound.returncode, [check for check in checks.values() if not check["ok"]]) == (0, [])
    assert checks["cluster's token"]["found"] == "asked for"
    assert checks["shared folder"]["found"] == f"{tmp_path} is seen by all"
    assert list(tmp_path.glob(".libra-doctor*")) == []
    told = [check["found"] for check in json.loads(refused.stdout)["checks"] if not check["ok"]]
    assert (refused.returncode, told) == (
        1,
        ["no token configured here", f"CONN002 {head.address}: token missing or wrong"],
    )
