"""What is said while a sweep runs."""

from pathlib import Path

import pytest

from libra_ray.cli.progress import Speed, memory_mib, progress_line, trial_progress
from libra_ray.sweeps import SweepProgress


def at(done: int, seconds: float, **facts: int) -> SweepProgress:
    """A sweep of 200 trials."""
    counts = {"failed": 0, "invalid": 0, **facts}
    best = {"sharpe_ratio": 1.4159} if done else None
    return SweepProgress(done=done, trials=200, row=None, best=best, engine="Ray", seconds=seconds, **counts)


def test_what_starting_took_is_not_in_the_time_that_is_left() -> None:
    speed = Speed()

    left = [speed.left_s(step) for step in (at(0, 6.0), at(1, 10.0), at(11, 11.0), at(200, 29.9))]

    assert left == [None, None, 18.9, 0.0]


def test_a_line_has_counts_speed_time_left_and_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libra_ray.cli.progress.memory_mib", lambda: 213)

    assert progress_line(at(120, 12.0, failed=2, invalid=3), "sharpe_ratio", 5.7) == (
        "120 of 200 done, 2 failed, 3 refused, 14.0 trials/s, 5.70 s left, best sharpe_ratio 1.416, 213 MiB"
    )
    assert progress_line(at(0, 1.0), "sharpe_ratio", None) == "0 of 200 done, 0 failed, 213 MiB, Ray"


def test_without_a_terminal_the_first_and_last_line_are_always_there(capsys: pytest.CaptureFixture[str]) -> None:
    with trial_progress("sharpe_ratio", quiet=False) as tell:
        assert tell is not None
        for done in (0, 1, 2, 200):
            tell(at(done, 1.0 + done))

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["0 of 200 done", "200 of 200 done"]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc")
def test_memory_is_that_of_this_process_and_its_children() -> None:
    before = memory_mib()
    held = bytearray(b"x") * (64 << 20)

    assert 60 <= memory_mib() - before <= 70
    assert len(held) == 64 << 20
