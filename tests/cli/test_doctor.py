"""`libra doctor`: healthy here, and each problem comes with what to do."""

from pathlib import Path

import pytest

from libra_ray.cli import health
from tests.cli.conftest import Libra


@pytest.mark.slow
def test_this_machine_is_healthy(libra: Libra) -> None:
    ended = libra("doctor", "--json")

    document = ended.document
    names = [check["name"] for check in document["checks"]]
    assert (ended.code, document["healthy"]) == (0, True), document
    assert names[0] == "python"
    assert {"ray", "import ray", "memory", "shared memory", "open files", "time zones", "compile cache"} <= set(names)


@pytest.mark.slow
def test_a_missing_dependency_is_exit_1_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from libra_ray.cli.entry import run

    monkeypatch.setattr(health, "_bounds", lambda: {"numpy": "99.0", "no-such-thing": "1.0"})

    code = run(["doctor"])

    out = capfd.readouterr().out
    assert code == 1
    assert "pip install --upgrade 'numpy>=99.0'" in out
    assert "pip install 'no-such-thing>=1.0'" in out
    assert out.endswith("2 to mend\n")


def test_versions_compare_by_their_numbers() -> None:
    assert health._numbers("2.60.0rc1") == health._numbers("2.60") == (2, 60)  # noqa: SLF001
    assert health._numbers("2.9") < health._numbers("2.10")  # noqa: SLF001


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    assert health._accepts_files(Path("/proc")) is False  # noqa: SLF001
    assert health._accepts_files(tmp_path) is True  # noqa: SLF001
