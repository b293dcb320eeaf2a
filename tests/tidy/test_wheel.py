"""The wheel holds the library and the ready-made actors, typed, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.tidy.sources import ROOT, sources_under


@pytest.mark.slow
def test_the_wheel_holds_both_packages_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(ZipFile(wheel).namelist())

    expected = {source.path.removeprefix("actors/") for source in sources_under("libra_ray/", "actors/libra_actors/")}
    assert expected - names == set()
    assert {"libra_ray/py.typed", "libra_actors/py.typed"} <= names
    assert {name.split("/")[0] for name in names} == {"libra_ray", "libra_actors", "libra_ray-0.1.0.dist-info"}
