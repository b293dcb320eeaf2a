"""`libra bench`: the benchmarks of a checkout."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Libra, command, environment

pytestmark = pytest.mark.slow


def test_outside_a_checkout_it_says_so(libra: Libra, tmp_path: Path) -> None:
    ended = libra("bench")

    line = f"CONF000 {tmp_path}: no folder 'benchmarks' here or above. Run it inside a checkout of libra_ray.\n"
    assert (ended.code, ended.out, ended.err) == (2, "", line)


def test_an_unknown_benchmark_is_refused() -> None:
    done = subprocess.run(
        command("bench", "buss"), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith("CONF000 no benchmark 'buss'. ")
