"""Segments: private folders and names, descriptors that lead to nothing, rows of mapped datasets."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray.bus.wire.descriptors import Descriptor, Release, RowsDescriptor
from libra_ray.bus.wire.mapped_files import SegmentError, SegmentFault
from libra_ray.bus.wire.segment_reader import RowsReader, SegmentReader
from libra_ray.bus.wire.segments import SegmentWriter, memory_folder
from libra_ray.data.synthetic import synth
from libra_ray.runtime import private_folders
from libra_ray.runtime.private_folders import SHARED_MEMORY, PrivateFolder
from tests.bus.wire.segment_batches import BATCHES, BTC, SMALL, fill, numbers, tell, wrote

# Names and folders


def test_the_folder_is_private_and_goes_with_the_last_who_writes(folder: Path) -> None:
    first, second = SegmentWriter(folder, "A", 1), SegmentWriter(folder, "B", 1)
    descriptor = wrote(first, numbers(0), "S")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / descriptor.segment).stat().st_mode & 0o777 == 0o600
    assert "libra" in str(folder)

    first.close()
    if folder.parent == SHARED_MEMORY:  # a folder of the session itself would stay
        assert not folder.exists()
    wrote(second, numbers(0), "S")
    second.close()
    assert not list(folder.parent.glob(f"{folder.name}/*"))


def test_the_memory_of_a_killed_session_goes_with_its_folder(tmp_path: Path) -> None:
    session = PrivateFolder(tmp_path)
    wrote(SegmentWriter(memory_folder(session.path), "A", 1), numbers(0), "S")

    session.remove()

    assert not private_folders.memory_twin(session.path).exists()


def test_without_shared_memory_the_folder_of_the_session_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_folders, "SHARED_MEMORY", tmp_path / "not" / "there")
    assert memory_folder(tmp_path) == tmp_path


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shm"
    (shared / "libra-ray-session").mkdir(parents=True, mode=0o755)
    (shared / "libra-ray-session").chmod(0o755)
    monkeypatch.setattr(private_folders, "SHARED_MEMORY", shared)

    with pytest.raises(SegmentError) as caught:
        memory_folder(tmp_path / "libra-ray-session")
    assert caught.value.reason is SegmentFault.UNSAFE


def test_folders_of_one_name_in_two_places_have_memory_of_their_own(tmp_path: Path) -> None:
    assert private_folders.memory_twin(tmp_path / "a" / "x") != private_folders.memory_twin(tmp_path / "b" / "x")
    assert "libra" in private_folders.memory_twin(tmp_path / "a" / "x").name


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, elsewhere = tmp_path / "shm", tmp_path / "elsewhere"
    shared.mkdir()
    elsewhere.mkdir(mode=0o700)
    (shared / "libra-ray-session").symlink_to(elsewhere)
    monkeypatch.setattr(private_folders, "SHARED_MEMORY", shared)

    with pytest.raises(SegmentError) as caught:
        memory_folder(tmp_path / "libra-ray-session")
    assert caught.value.reason is SegmentFault.UNSAFE


def test_a_new_epoch_removes_what_the_killed_one_left(folder: Path) -> None:
    killed = SegmentWriter(folder, "A-1", 1)
    left = wrote(killed, numbers(0), "S")
    others = [folder / name for name in ("libra-A-2-1.seg", "libra-A-1-1-1-1.seg", "libra-A-1-9-1.seg")]
    for path in others:
        path.touch()

    SegmentWriter(folder, "A-1", 2)

    assert not (folder / left.segment).exists()
    assert all(path.exists() for path in others)
    killed.close()


@pytest.mark.parametrize("host_id", ["", "a/b", "..%2f", "ä", "a" * 65])
def test_a_host_id_that_is_no_part_of_a_name(folder: Path, host_id: str) -> None:
    with pytest.raises(ValueError, match="host id"):
        SegmentWriter(folder, host_id, 1)


# Descriptors that lead to nothing


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "..", ".", "", "a/b", "a\0b", ".hidden", "x" * 200, "libra\n"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(reader: SegmentReader, name: str) -> None:
    with pytest.raises(SegmentError) as caught:
        reader.read(Descriptor(name, 1, 0, 64, 1, 0))
    assert caught.value.reason is SegmentFault.BAD_NAME
    with pytest.raises(SegmentError) as caught:
        RowsReader(reader.folder).read(RowsDescriptor(name, 0, 1))
    assert caught.value.reason is SegmentFault.BAD_NAME


def test_links_folders_and_pipes_are_no_segments(reader: SegmentReader, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 100)
    (reader.folder / "link").symlink_to(tmp_path / "secret")
    (reader.folder / "folder").mkdir()
    os.mkfifo(reader.folder / "pipe")
    (reader.folder / "empty").touch()

    reasons = {}
    for name in ("link", "folder", "pipe", "empty", "missing"):
        with pytest.raises(SegmentError) as caught:
            reader.read(Descriptor(name, 1, 0, 64, 1, 0))
        reasons[name] = caught.value.reason
    (reader.folder / "folder").rmdir()

    assert reasons == {
        "link": SegmentFault.UNSAFE,
        "folder": SegmentFault.UNSAFE,
        "pipe": SegmentFault.UNSAFE,
        "empty": SegmentFault.DAMAGED,
        "missing": SegmentFault.NOT_THERE,
    }


def changed(descriptor: Descriptor, **fields: int) -> Descriptor:
    """`descriptor` with other numbers."""
    return msgspec.structs.replace(descriptor, **fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"offset": -64}, SegmentFault.OUT_OF_RANGE),
        ({"offset": 65}, SegmentFault.OUT_OF_RANGE),
        ({"offset": SMALL}, SegmentFault.OUT_OF_RANGE),
        ({"offset": 2**63}, SegmentFault.OUT_OF_RANGE),
        ({"length": 0}, SegmentFault.OUT_OF_RANGE),
        ({"length": -1}, SegmentFault.OUT_OF_RANGE),
        ({"length": 2**64}, SegmentFault.OUT_OF_RANGE),
        ({"length": 8}, SegmentFault.DAMAGED),
        ({"length": 200}, SegmentFault.DAMAGED),
        ({"offset": SMALL // 2}, SegmentFault.DAMAGED),
        ({"rows": 11}, SegmentFault.DAMAGED),
        ({"schema_offset": -2}, SegmentFault.OUT_OF_RANGE),
        ({"schema_offset": 1}, SegmentFault.OUT_OF_RANGE),
        ({"schema_offset": SMALL // 2}, SegmentFault.DAMAGED),
        ({"schema_offset": -1}, SegmentFault.DAMAGED),
        ({"turn": 0}, SegmentFault.NOT_THERE),
    ],
    ids=str,
)
def test_numbers_that_lead_to_no_batch(
    writer: SegmentWriter, reader: SegmentReader, fields: dict[str, int], reason: SegmentFault
) -> None:
    descriptor = wrote(writer, numbers(0), "S")
    reader.read(descriptor)

    with pytest.raises(SegmentError) as caught:
        reader.read(changed(descriptor, **fields))
    assert caught.value.reason is reason
    assert reader.read(descriptor).equals(numbers(0))


def test_a_file_that_was_cut_short(writer: SegmentWriter, reader: SegmentReader) -> None:
    descriptor = wrote(writer, numbers(0, 2_000), "S")
    os.truncate(writer.folder / descriptor.segment, 1_024)

    with pytest.raises(SegmentError) as caught:
        reader.read(descriptor)
    assert caught.value.reason is SegmentFault.OUT_OF_RANGE


def test_what_an_earlier_turn_announced_is_not_there_any_more(writer: SegmentWriter, reader: SegmentReader) -> None:
    made = fill(writer, "S")
    for descriptor in made:
        reader.release(descriptor)
    tell(writer, reader, "S")
    again = fill(writer, "S")
    assert again[-1].segment == made[0].segment

    assert reader.read(again[-1]).num_rows == 500
    with pytest.raises(SegmentError) as caught:
        reader.read(made[0])
    assert caught.value.reason is SegmentFault.NOT_THERE
    reader.release(again[-1])
    reader.release(made[0])  # said late, it does not count for the turn that is on
    assert reader.releases() == [Release(made[0].segment, 2, 1, is_kept=False)]


@settings(max_examples=200)
@given(
    offset=st.integers(0, 60).map(lambda n: n * 64) | st.integers(),
    length=st.integers(0, 4_000) | st.integers(),
    rows=st.integers(0, 12),
    schema_offset=st.integers(-1, 60).map(lambda n: n * 64) | st.integers(),
)
@pytest.mark.slow
def test_any_numbers_give_a_batch_or_an_error(
    lying: tuple[SegmentReader, Descriptor], offset: int, length: int, rows: int, schema_offset: int
) -> None:
    reader, descriptor = lying
    try:
        batch = reader.read(changed(descriptor, offset=offset, length=length, rows=rows, schema_offset=schema_offset))
    except SegmentError:
        return
    batch.validate(full=True)


@pytest.fixture(scope="module")
def lying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SegmentReader, Descriptor]]:
    """A segment with batches of several kinds."""
    folder = tmp_path_factory.mktemp("libra-fuzz")
    writer = SegmentWriter(folder, "A", 1, segment_bytes=SMALL)
    descriptors = [
        wrote(writer, batch, "S", topic=str(index)) for index, batch in enumerate(BATCHES) if batch.num_rows < 100
    ]
    yield SegmentReader(folder), descriptors[0]
    writer.close()


# Rows of a dataset


def test_rows_of_a_dataset_are_read_where_they_lie(tmp_path: Path) -> None:
    dataset = synth("bars", BTC, rows=100, period="1m")
    folder = dataset.write(tmp_path / "dataset")
    table = dataset.streams[0].table
    reader = RowsReader(folder)
    file = f"{dataset.streams[0].digest}.arrow"

    rows = reader.read(RowsDescriptor(file, 10, 5))

    assert pa.table(rows).equals(table.slice(10, 5).combine_chunks())
    assert rows.schema.equals(table.schema, check_metadata=True)
    again = reader.read(RowsDescriptor(file, 10, 5))
    assert again.column(0).buffers()[1].address == rows.column(0).buffers()[1].address
    assert not rows.column(0).buffers()[1].is_mutable
    for start, count in ((-1, 1), (0, 101), (100, 1), (5, -1), (2**64, 1)):
        with pytest.raises(SegmentError) as caught:
            reader.read(RowsDescriptor(file, start, count))
        assert caught.value.reason is SegmentFault.OUT_OF_RANGE
    reader.close()
    assert rows.num_rows == 5


def test_a_file_that_is_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "bad.arrow").write_bytes(b"ARROW1\0\0" + b"x" * 100)

    with pytest.raises(SegmentError) as caught:
        RowsReader(tmp_path).read(RowsDescriptor("bad.arrow", 0, 1))
    assert caught.value.reason is SegmentFault.DAMAGED
