"""The journal: what was written is there again, up to the last whole record, wherever a kill has cut the file."""

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus.wire import journal as module
from libra_ray.bus.wire.journal import Checkpoint, Commit, Entry, Journal, Mark, PeerLife, Record, Saved, State
from libra_ray.errors import JournalError

NEW = Checkpoint("a", 1)
FORM = (
    "6c696272612d6a3109000000535a5a5a32079ffd9700a16101909090c00b000000515a5a5a513f4c009503a1620101940000"
    "0000300000006a5a5a5afce48a6294019195a1620201c406686561646572c404626f64799195a1620201c406686561646572"
    "c404626f64799193a1620201050000005f5a5a5abd645c819202c40173"
)


@pytest.fixture(autouse=True)
def no_wait_for_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TRIES", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.journal"


def entries(seqs: Sequence[int], text: bytes = b"body") -> list[Entry]:
    return [Entry("b", 2, seq, b"header", text) for seq in seqs]


def commit(consumed: Sequence[int] = (), outputs: Sequence[int] = (), confirmed: int = 0) -> Commit:
    return Commit(entries(consumed), entries(outputs), [Mark("b", 2, confirmed)] if confirmed else [])


def write(path: Path, records: Sequence[Record]) -> list[int]:
    """The size of the file after each record."""
    journal = Journal(path, NEW)
    sizes = []
    for record in records:
        journal.write(record)
        sizes.append(journal.size)
    journal.close()
    return sizes


def sum_of(records: Sequence[Record]) -> dict[str, Any]:
    state = State(NEW)
    for record in records:
        state.apply(record)
    return vars(state)


def read(path: Path) -> dict[str, Any]:
    journal = Journal(path, NEW)
    journal.close()
    assert journal.state is not None
    return vars(journal.state)


bodies = st.binary(max_size=40)
commits = st.builds(
    Commit,
    consumed=st.lists(st.builds(Entry, st.sampled_from("bc"), st.integers(0, 3), st.integers(0, 9), bodies, bodies)),
    outputs=st.lists(st.builds(Entry, st.sampled_from("bc"), st.integers(0, 3), st.integers(1, 9), bodies, bodies)),
    confirmed=st.lists(st.builds(Mark, st.sampled_from("bc"), st.integers(0, 3), st.integers(1, 9))),
)
lives = st.builds(PeerLife, st.sampled_from("bc"), st.integers(1, 9), st.integers(1, 9), st.just((0, 1, 2, 3)))
records = st.one_of(commits, commits, st.builds(Saved, bodies), lives)


@pytest.mark.slow
@given(st.lists(records, max_size=8), st.data())
def test_a_file_cut_anywhere_holds_the_records_before_the_cut(written: list[Record], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        head = Journal(path, NEW)
        head.close()
        ends = write(path, written)
        cut = data.draw(st.integers(head.size, path.stat().st_size))
        os.truncate(path, cut)
        whole = sum(end <= cut for end in ends)

        assert read(path) == sum_of(written[:whole])
        more = commit(consumed=[7], outputs=[8])
        write(path, [more])
        assert read(path) == sum_of([*written[:whole], more])


def test_the_state_is_the_sum_of_the_turns(path: Path) -> None:
    write(path, [commit([1, 2], [1]), commit([], [2, 3], 1), Saved(b"state"), commit([3], [4], 2)])

    journal = Journal(path, NEW)
    journal.close()
    state = journal.state

    assert state is not None
    assert state.consumed == {("b", 2): 3}
    assert [entry.seq for entry in state.letters] == [3], "what is older is in the snapshot"
    assert state.snapshot == b"state"
    assert list(state.unconfirmed["b", 2]) == [3, 4]
    assert (state.confirmed["b", 2], state.last["b", 2]) == (2, 4)


def test_a_letter_that_is_not_to_be_replayed_counts_as_consumed_all_the_same(path: Path) -> None:
    write(path, [Commit([Entry("b", 2, 5, b"", b"")], [], [])])

    state = read(path)

    assert state["consumed"] == {("b", 2): 5}
    assert state["letters"] == []


def test_the_first_life_has_no_state(path: Path) -> None:
    journal = Journal(path, NEW)
    journal.close()

    assert journal.state is None


def test_it_is_written_anew_with_what_counts(path: Path) -> None:
    journal = Journal(path, NEW)
    for seq in range(1, 100):
        journal.write(commit([seq], [seq]))
    size = journal.size
    checkpoint = Checkpoint("a", 1, [PeerLife("b", 3, 2, (0, 0, 99, 0))], [Mark("b", 2, 98)], entries([99]), b"state")

    journal.rewrite(checkpoint)
    assert journal.size < size / 20
    journal.write(commit([100], [100]))
    journal.close()

    assert read(path) == vars(State(checkpoint)) | {
        "consumed": {("b", lane): 100 if lane == 2 else 0 for lane in range(4)},
        "last": {("b", 2): 100},
        "letters": entries([100]),
        "unconfirmed": {("b", 2): {99: entries([99])[0], 100: entries([100])[0]}},
    }


def test_killed_while_it_is_written_anew_the_former_file_counts(path: Path) -> None:
    write(path, [commit([1], [1])])
    path.with_name("a.journal.draft").write_bytes(b"half of")

    assert read(path) == sum_of([commit([1], [1])])
    journal = Journal(path, NEW)
    journal.rewrite(Checkpoint("a", 1, snapshot=b"new"))
    journal.close()
    assert read(path)["snapshot"] == b"new"


def test_it_is_grown_when_it_is_large_and_much_larger_than_what_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grown(journal: Journal, *saved: int) -> list[bool]:
        found = []
        for size in saved:
            journal.write(Saved(bytes(size)))
            found.append(journal.is_grown)
        return found

    monkeypatch.setattr(module, "REWRITE_BYTES_MIN", 1_000)
    journal = Journal(path, NEW)
    assert grown(journal, 2_000) == [True]
    journal.rewrite(Checkpoint("a", 1, snapshot=bytes(2_000)))
    assert grown(journal, 2_000) == [False]
    journal.close()

    journal = Journal(path, NEW)
    assert grown(journal, 2_000, 2_200) == [False, True], "it goes by the first record, opened again too"
    journal.close()


def test_one_process_has_it(path: Path) -> None:
    first = Journal(path, NEW)

    with pytest.raises(JournalError, match=r"^JRN002 .*another process has this journal. Stop it first.$") as caught:
        Journal(path, NEW)
    assert caught.value.exit_code == 2
    first.close()
    Journal(path, NEW).close()


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("offset", [0, 4, 8, 12, 20])
def test_damage_before_the_end_is_refused(path: Path, offset: int) -> None:
    first, _ = write(path, [commit([1], [1]), commit([2], [2])])
    whole = path.read_bytes()
    head = len(whole) - 2 * (len(whole) - first)
    damage(path, head + offset)

    with pytest.raises(JournalError, match="JRN003") as caught:
        Journal(path, NEW)
    assert caught.value.exit_code == 3
    damage(path, head + offset)
    Journal(path, NEW).close()


def test_zeros_at_the_end_were_never_written(path: Path) -> None:
    write(path, [commit([1], [1])])
    with path.open("ab") as file:
        file.write(bytes(500))

    journal = Journal(path, NEW)
    journal.close()

    assert journal.cut_bytes == 500
    assert journal.state is not None
    assert journal.state.consumed == {("b", 2): 1}


def other_files() -> Iterator[tuple[str, bytes]]:
    yield "empty", b""
    yield "text", b"a journal of another kind, in words"
    yield "no record", module.MAGIC
    yield "no checkpoint", module.MAGIC + module._framed(commit([1]))  # noqa: SLF001 - a record


@pytest.mark.parametrize("content", [content for _, content in other_files()], ids=[name for name, _ in other_files()])
def test_what_is_no_journal_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(JournalError, match="JRN003"):
        Journal(path, NEW)
    assert path.read_bytes() == content


def test_the_journal_of_another_host_is_refused(path: Path) -> None:
    write(path, [])

    with pytest.raises(JournalError, match=r"JRN003 .*journal of host 'a'"):
        Journal(path, Checkpoint("b", 1))


def test_a_full_disk_leaves_the_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path, NEW)
    journal.write(commit([1], [1]))

    write = os.write

    def write_half(fd: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", fail)
        return write(fd, data[: len(data) // 2])

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write_half)
    with pytest.raises(JournalError, match=r"^JRN001 .*No space left on device.*Make room") as caught:
        journal.write(commit([2], [2]))
    assert caught.value.exit_code == 1
    monkeypatch.undo()
    journal.write(commit([3], [3]))
    journal.close()

    assert read(path) == sum_of([commit([1], [1]), commit([3], [3])])


def test_a_synced_journal_reads_alike(path: Path) -> None:
    journal = Journal(path, NEW, is_synced=True)
    journal.write(commit([1], [1]))
    journal.close()

    assert read(path) == sum_of([commit([1], [1])])


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    journal = Journal(path, NEW)
    journal.close()
    journal.close()

    with pytest.raises(ValueError, match="is closed"):
        journal.write(Saved(b""))


def test_the_form_of_the_file_is_fixed(path: Path) -> None:
    """A journal written by this version is read by the next ones."""
    write(path, [PeerLife("b", 1, 1, (0, 0, 0, 0)), commit([1], [1], 1), Saved(b"s")])
    assert path.read_bytes().hex() == FORM


def test_rows_of_plain_tuples_encode_like_entries(path: Path) -> None:
    journal = Journal(path, NEW)
    row = ("b", 2, 1, memoryview(b"header"), b"body")
    journal.commit([row], [row], [("b", 2, 1)])
    journal.close()

    assert read(path) == sum_of([commit([1], [1], 1)])
    assert msgspec.msgpack.encode(Entry("b", 2, 1, b"header", b"body")) == msgspec.msgpack.encode(row)
