"""The cluster launcher, over a real SSH server: `ray up` of our cluster file, and a sweep through `ray submit`."""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cluster.heads import last_json
from tests.cluster.launchers import NEEDS, launcher
from tests.conftest import takes_long

pytestmark = [
    pytest.mark.ray,
    pytest.mark.slow,
    takes_long,
    pytest.mark.skipif(None in NEEDS.values(), reason=f"needs {', '.join(n for n, at in NEEDS.items() if at is None)}"),
]
pytest.importorskip("aiohttp", reason="the launcher needs the extra `cluster`")


def test_a_sweep_is_submitted_through_the_launcher(head_folder: Path, tmp_path: Path) -> None:
    with launcher(head_folder) as started:
        up = started.run("ray", "up", "--yes", "--no-config-cache", str(started.cluster))
        assert up.returncode == 0, up.stdout + up.stderr
        assert oct((started.home / ".ray" / "auth_token").stat().st_mode)[-3:] == "600"
        command = (sys.executable, "cluster/submit.py", "examples/ema_sweep.toml", "--launcher", str(started.cluster))

        done = started.run(*command, "--", "--table", str(tmp_path / "t.parquet"))

    answer = last_json(done.stdout)
    assert (done.returncode, answer["trials"], answer["failed"], answer["workers"]) == (0, 200, 0, 2), done.stderr
    assert pq.read_table(tmp_path / "t.parquet").num_rows == 200
