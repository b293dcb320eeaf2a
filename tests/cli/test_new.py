"""`libra new`: what it writes runs, passes its own test, and never replaces a file."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.cli.new import names
from libra_ray.errors import ConfigError
from tests.cli.conftest import Libra, environment

FILES = ["mean_dip.toml", "strategies/mean_dip.py", "tests/test_mean_dip.py"]


@pytest.mark.slow
def test_what_it_writes_runs_and_passes_its_own_test(libra: Libra, tmp_path: Path) -> None:
    made = libra("new", "MeanDip", "--json")
    ran = libra("backtest", "mean_dip.toml", "--json", "--no-report")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (made.code, sorted(made.document["files"])) == (0, FILES)
    assert ran.code == 0
    assert ran.document["fills"] > 0
    assert "1 passed" in tested.stdout, tested.stdout


@pytest.mark.slow
def test_it_never_replaces_a_file(libra: Libra, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mean_dip.py").write_text("mine")

    ended = libra("new", "mean_dip")

    line = "CONF000 tests/test_mean_dip.py: this file exists. Choose another name or folder.\n"
    assert (ended.code, ended.out, ended.err) == (2, "", line)
    assert (tmp_path / "tests" / "test_mean_dip.py").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tests"]


def test_both_spellings_are_one_name() -> None:
    assert names("MeanDip") == names("mean_dip") == ("mean_dip", "MeanDip")


@pytest.mark.parametrize("name", ["random", "class", "2fast", "a-b", "../x", "", "json", "libra_ray", "x" * 65])
def test_a_name_that_python_has_or_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        names(name)

    assert caught.value.code == "CONF000"
