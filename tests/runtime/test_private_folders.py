"""Private folders of a session."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.runtime.private_folders import PrivateFolder
from libra_ray.runtime.ray.sharing import SharedFolder


def test_a_folder_is_for_its_user_alone_and_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = PrivateFolder(tmp_path)
    (folder.path / "deep").mkdir()
    (folder.path / "deep" / "file").write_text("x")

    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    folder.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_folder_of_a_killed_session_is_swept_by_the_next_and_a_living_one_is_not(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from libra_ray.runtime.private_folders import PrivateFolder
PrivateFolder(Path({str(tmp_path)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    living = PrivateFolder(tmp_path)
    stranger = tmp_path / "libra-ray-stranger"
    stranger.mkdir()
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(tmp_path.iterdir())) == 3

    folder = PrivateFolder(tmp_path)

    assert set(tmp_path.iterdir()) == {living.path, stranger, folder.path}


def test_sockets_get_a_short_path_whatever_the_temporary_folder_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("long" * 20)))

    folder = PrivateFolder.for_sockets()

    assert folder.path.parent == Path("/tmp")  # noqa: S108 - what is tested
    folder.remove()


def test_a_shared_folder_whose_filling_fails_is_removed() -> None:
    seen: list[Path] = []

    def write(folder: Path) -> None:
        seen.append(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), SharedFolder(write):
        pytest.fail("entered")

    assert [folder.exists() for folder in seen] == [False]
