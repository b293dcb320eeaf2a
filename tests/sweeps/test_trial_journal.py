"""The journal of a sweep: wherever a kill cuts it, the finished trials are there; anything else is told."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libra_ray.errors import ConfigError, JournalError
from libra_ray.sweeps.trial_journal import TrialJournal
from libra_ray.sweeps.trials import Trial

IDENTITY = {"system": "a1", "data": "b2"}
TRIALS = [
    Trial(0, {"sharpe_ratio": 1.25, "note": None}, "abc", 0.5, 1),
    Trial(1, {}, None, None, None, "STRAT001 x: y.", is_invalid=True),
    Trial(2, {"sharpe_ratio": -0.1 + 0.3}, "def", 0.25, 2, pruned_at=0.5),
]


def key(trial: Trial) -> tuple[int, int, str]:
    return trial.number, 1 if trial.number == 2 else 0, f"c{trial.number}"


def filled(path: Path) -> bytes:
    with TrialJournal(path, IDENTITY) as journal:
        for trial in TRIALS:
            journal.add(trial, key(trial))
    return path.read_bytes()


def test_what_was_added_is_read_again_to_the_last_bit(tmp_path: Path) -> None:
    filled(tmp_path / "j")

    with TrialJournal(tmp_path / "j", IDENTITY) as journal:
        assert journal.finished == {key(trial): trial for trial in TRIALS}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_cut_at_any_byte_loses_the_line_it_is_in_and_no_other(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    whole = filled(path)
    length = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:length])

    with TrialJournal(path, IDENTITY) as journal:
        left = len(journal.finished)
        assert left == max(whole[:length].count(b"\n") - 1, 0)
        for trial in TRIALS[left:]:
            journal.add(trial, key(trial))
    assert path.read_bytes() == whole


def test_damage_before_other_lines_is_told_with_its_place(tmp_path: Path) -> None:
    lines = filled(tmp_path / "j").split(b"\n")
    place = len(lines[0]) + 1
    damaged = bytearray(lines[1])
    damaged[20] ^= 1
    (tmp_path / "j").write_bytes(b"\n".join([lines[0], bytes(damaged), *lines[2:]]))

    with pytest.raises(JournalError, match=rf"JRN003 .*j byte {place}: line 2 is damaged") as caught:
        TrialJournal(tmp_path / "j", IDENTITY)
    assert caught.value.exit_code == 3


def test_a_journal_of_another_sweep_is_refused_with_what_differs(tmp_path: Path) -> None:
    before = filled(tmp_path / "j")

    with pytest.raises(ConfigError, match="CONF009 resume: it was begun with another configuration: data differ"):
        TrialJournal(tmp_path / "j", {**IDENTITY, "data": "c3"})
    assert (tmp_path / "j").read_bytes() == before


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    text = (
        "import sys; from libra_ray.sweeps.trial_journal import TrialJournal\n"
        "from libra_ray.errors import JournalError\nfrom pathlib import Path\n"
        "try: TrialJournal(Path(sys.argv[1]), {'system': 'a1', 'data': 'b2'})\n"
        "except JournalError as error: print(error.code, error.exit_code)\n"
    )
    with TrialJournal(tmp_path / "j", IDENTITY) as journal:
        done = subprocess.run([sys.executable, "-c", text, tmp_path / "j"], capture_output=True, text=True, check=True)
        journal.add(TRIALS[0], key(TRIALS[0]))
    assert done.stdout.split() == ["JRN002", "2"]
    with TrialJournal(tmp_path / "j", IDENTITY) as journal:
        assert list(journal.finished) == [(0, 0, "c0")]


def test_a_full_disk_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    whole = filled(tmp_path / "j")
    text = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from libra_ray.sweeps.trial_journal import TrialJournal; from libra_ray.sweeps.trials import Trial\n"
        "from libra_ray.errors import JournalError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "journal = TrialJournal(Path(sys.argv[1]), {'system': 'a1', 'data': 'b2'})\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(whole) + 40}, resource.RLIM_INFINITY))\n"
        "try: journal.add(Trial(3, {'sharpe_ratio': 1.0}, 'x' * 200), (3, 0, 'c3'))\n"
        "except JournalError as error: print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", text, tmp_path / "j"], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "JRN001"
    with TrialJournal(tmp_path / "j", IDENTITY) as journal:
        assert len(journal.finished) == 3
    assert (tmp_path / "j").read_bytes() == whole


def test_writes_in_parts_are_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:7]))

    filled(tmp_path / "j")

    with TrialJournal(tmp_path / "j", IDENTITY) as journal:
        assert len(journal.finished) == 3


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"JRN001 .*: cannot be written"):
        TrialJournal(tmp_path / "nowhere" / "j", IDENTITY)


def test_each_line_is_a_checksum_and_json(tmp_path: Path) -> None:
    for line in filled(tmp_path / "j").splitlines():
        checksum, text = line[:8], line[9:]
        assert int(checksum, 16) == zlib.crc32(text)
