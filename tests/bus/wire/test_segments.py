"""Segments: a batch is written once and read where it lies, kept while somebody looks, and its memory used again."""

import os
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus.wire.descriptors import Descriptor, Descriptors, Release, segment_name, writer_of
from libra_ray.bus.wire.mapped_files import SegmentError, SegmentFault
from libra_ray.bus.wire.segment_reader import SegmentReader
from libra_ray.bus.wire.segments import SegmentWriter
from libra_ray.messages.codec import decode, encode
from tests.bus.wire.segment_batches import BATCHES, LINUX, SMALL, fill, numbers, quotes, tell, wrote

# A batch on its way


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_a_batch_is_read_as_it_was_written(writer: SegmentWriter, reader: SegmentReader, batch: pa.RecordBatch) -> None:
    for _ in range(2):  # the second time the schema stands there already
        descriptor = wrote(writer, batch, "S-1")
        read = reader.read(decode_descriptor(descriptor))
        read.validate(full=True)
        assert read.equals(batch, check_metadata=True)


def decode_descriptor(descriptor: Descriptor) -> Descriptor:
    """As it arrives at the other side."""
    arrived = decode(*encode(descriptor))
    assert isinstance(arrived, Descriptor)
    return arrived


def test_topics_share_a_segment_and_each_has_its_schema_there_once(
    writer: SegmentWriter, reader: SegmentReader
) -> None:
    batches = {"t.a": numbers(0), "t.b": quotes(10), "t.c": numbers(7)}
    made = {topic: [wrote(writer, batch, "S", topic=topic) for _ in range(3)] for topic, batch in batches.items()}

    assert {descriptor.segment for of_topic in made.values() for descriptor in of_topic} == set(writer.names)
    for topic, of_topic in made.items():
        assert len({descriptor.schema_offset for descriptor in of_topic}) == 1
        assert all(reader.read(one).equals(batches[topic], check_metadata=True) for one in of_topic)


def test_a_topic_may_change_its_schema(writer: SegmentWriter, reader: SegmentReader) -> None:
    first, second = numbers(0), numbers(0).replace_schema_metadata({"libra.period": "1h"})
    made = [wrote(writer, batch, "S") for batch in (first, second, first)]

    for descriptor, batch in zip(made, (first, second, first), strict=True):
        assert reader.read(descriptor).equals(batch, check_metadata=True)


def test_a_descriptor_is_short() -> None:
    descriptor = Descriptor("libra-DataEngine-12-3456.seg", 789, 1_048_576, 48_384, 1_000, 65_536)

    assert len(encode(descriptor)[1]) <= 60
    assert decode(*encode(Descriptors((descriptor,)))) == Descriptors((descriptor,))


def test_golden_bytes() -> None:
    """The form on the wire: who changes it changes `VERSION` of the frames too."""
    assert encode(Descriptor("libra-A-1-1.seg", 1, 640, 48_384, 1_000, 0)) == (
        "Descriptor",
        b"\x96\xaflibra-A-1-1.seg\x01\xcd\x02\x80\xcd\xbd\x00\xcd\x03\xe8\x00",
    )
    assert encode(Release("libra-A-1-1.seg", 1, 7, is_kept=False)) == (
        "Release",
        b"\x94\xaflibra-A-1-1.seg\x01\x07\xc2",
    )


@given(st.text("Az09._-", min_size=1, max_size=64), st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_name_of_a_segment_names_its_writer(host_id: str, epoch: int, number: int) -> None:
    assert writer_of(segment_name(host_id, epoch, number)) == host_id


def test_other_names_name_no_writer() -> None:
    assert [writer_of(name) for name in ("", "libra", "libra-A", "libra-A-1", "other-A-1-2.seg")] == [""] * 5


# No copy


@pytest.mark.skipif(not LINUX, reason="asks the system where files are mapped")
def test_columns_lie_within_the_mapping_which_is_read_only(writer: SegmentWriter, reader: SegmentReader) -> None:
    descriptor = wrote(writer, quotes(100), "S")
    batch = reader.read(descriptor)

    maps = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(descriptor.segment)]
    spans = [[int(edge, 16) for edge in re.split("[- ]", line)[:2]] for line in maps if line.split()[1] == "r--s"]
    assert len(spans) == 1
    for column in batch.columns:
        buffer = column.buffers()[1]
        assert spans[0][0] <= buffer.address < buffer.address + buffer.size <= spans[0][1]
        assert not buffer.is_mutable
        view = np.frombuffer(buffer, np.int64)
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1


@pytest.mark.skipif(not LINUX, reason="asks the system for private memory")
@pytest.mark.slow
def test_private_memory_does_not_grow_with_what_is_read(folder: Path) -> None:
    def private_bytes() -> int:
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    writer = SegmentWriter(folder, "A-1", 1, total_bytes_max=1 << 26)
    reader = SegmentReader(folder)
    size = 1 << 22
    made = [wrote(writer, numbers(0, size // 16), "S") for _ in range(8)]
    reader.read(made[0])

    before = private_bytes()
    batches = [reader.read(descriptor) for descriptor in made]
    total = sum(int(np.frombuffer(batch.column(0).buffers()[1], np.int64).sum()) for batch in batches)
    grown = private_bytes() - before

    assert total == 8 * sum(range(size // 16))
    assert grown < size  # eight times as much was looked at
    writer.close()


def test_a_batch_that_is_kept_stays_as_it_is(writer: SegmentWriter, reader: SegmentReader) -> None:
    made = fill(writer, "S")
    kept = reader.read(made[0]).column(0)  # a column is enough to keep the memory
    for descriptor in made[:-1]:
        reader.read(descriptor)
        reader.release(descriptor)

    said = tell(writer, reader, "S")

    assert said == [Release(made[0].segment, 1, len(made) - 1, is_kept=True)]
    assert made[0].segment not in writer.names
    assert not (writer.folder / made[0].segment).exists()
    for first in range(0, 5_000, 100):
        if writer.write("t", numbers(first, 500), ()) is None:
            break
    writer.close()
    reader.close()
    assert kept.to_pylist() == list(range(500))


def test_memory_that_nobody_looks_at_is_filled_anew(writer: SegmentWriter, reader: SegmentReader) -> None:
    seen, made = set(), []
    for turn in range(1, 30):
        made = fill(writer, "S")
        for descriptor in made:
            assert reader.read(descriptor).num_rows == 500
            reader.release(descriptor)
            seen.add(descriptor.segment)
        assert not any(release.is_kept for release in tell(writer, reader, "S")), turn

    assert len(seen) <= 3
    assert writer.nbytes <= 3 * SMALL
    assert max(descriptor.turn for descriptor in made) > 5


@pytest.mark.parametrize(
    "keep",
    [
        lambda batch: batch,
        lambda batch: batch.column(0).buffers()[1],
        lambda batch: np.frombuffer(batch.column(1).buffers()[1]),
        lambda batch: batch.slice(1, 2),
        lambda batch: [batch.column(0)],
        pa.table,
    ],
    ids=range(6),
)
def test_whatever_is_kept_of_a_batch_is_noticed(writer: SegmentWriter, reader: SegmentReader, keep: object) -> None:
    descriptor = wrote(writer, numbers(0), "S")
    kept = keep(reader.read(descriptor))  # type: ignore[operator]
    reader.release(descriptor)
    assert reader.releases()[0].is_kept
    assert reader.releases(everything=True)[0].is_kept

    reader.read(descriptor)  # a later look does not hide the earlier one
    assert reader.releases(everything=True)[0].is_kept

    del kept
    assert not reader.releases(everything=True)[0].is_kept


# Releases


def test_a_segment_is_held_until_all_have_released_all(writer: SegmentWriter, reader: SegmentReader) -> None:
    made = fill(writer, "S", "T")
    name = made[0].segment
    assert writer.holds("S")

    writer.released("S", Release(name, 1, len(made) - 1, is_kept=False))
    writer.released("S", Release(made[-1].segment, 1, 1, is_kept=False))
    assert not writer.holds("S")
    assert writer.holds("T")
    writer.released("T", Release(name, 1, len(made) - 2, is_kept=False))
    assert name in writer.names
    writer.released("T", Release(name, 1, len(made) - 1, is_kept=False))
    assert name not in writer.names
    assert reader.names == []


def test_what_is_heard_twice_or_late_or_of_strangers_changes_nothing(writer: SegmentWriter) -> None:
    made = fill(writer, "S")
    name, count = made[0].segment, len(made) - 1
    for release in (
        Release(name, 1, count - 1, is_kept=False),
        Release(name, 1, count - 1, is_kept=False),
        Release(name, 1, 1, is_kept=False),
        Release(name, 2, count, is_kept=False),
        Release("libra-A-1-3-99.seg", 1, count, is_kept=False),
    ):
        writer.released("S", release)
    writer.released("stranger", Release(name, 1, count, is_kept=False))

    assert name in writer.names


def test_what_is_heard_out_of_order_takes_nothing_back(writer: SegmentWriter) -> None:
    made = fill(writer, "S", "T")
    name, count = made[0].segment, len(made) - 1
    writer.released("S", Release(name, 1, count, is_kept=False))
    writer.released("S", Release(name, 1, 1, is_kept=True))

    writer.released("T", Release(name, 1, count, is_kept=False))

    assert name not in writer.names
    assert (writer.folder / name).exists()  # to be filled anew


def test_another_schema_may_stand_where_one_stood_before(writer: SegmentWriter, reader: SegmentReader) -> None:
    made = fill(writer, "S")
    for descriptor in made:
        reader.read(descriptor)
        reader.release(descriptor)
    tell(writer, reader, "S")
    last = fill(writer, "S")[-1]
    assert (last.segment, last.turn) == (made[0].segment, 2)
    while (other := wrote(writer, quotes(10), "S", topic="other")).turn == last.turn:
        reader.release(other)
        tell(writer, reader, "S")

    assert reader.read(other).equals(quotes(10), check_metadata=True)


def test_who_dies_holds_nothing_and_is_not_written_over(writer: SegmentWriter) -> None:
    made = fill(writer, "S", "T")
    writer.forget("T")
    assert made[0].segment in writer.names

    writer.released("S", Release(made[0].segment, 1, len(made) - 1, is_kept=False))

    assert made[0].segment not in writer.names
    assert not (writer.folder / made[0].segment).exists()
    assert wrote(writer, numbers(0), "S").segment != made[-1].segment  # T might still look there too


def test_all_memory_held_is_said_and_ends_with_a_release(writer: SegmentWriter, reader: SegmentReader) -> None:
    made = []
    while (descriptor := writer.write("t", numbers(0, 500), ("S",))) is not None:
        made.append(descriptor)
    assert writer.nbytes == 4 * SMALL
    assert writer.write("t", numbers(0), ("S",)) is None

    for descriptor in made[:-1]:
        reader.release(descriptor)
    tell(writer, reader, "S")

    assert wrote(writer, numbers(0), "S").turn == 2


def test_a_batch_may_be_announced_later_or_not_at_all(writer: SegmentWriter) -> None:
    made = fill(writer, "S")
    name = made[0].segment
    assert writer.hold("late", made[0])
    writer.withdraw("S", made[1])
    writer.withdraw("nobody", made[1])

    writer.released("S", Release(name, 1, len(made) - 2, is_kept=False))
    assert name in writer.names
    writer.released("late", Release(name, 1, 1, is_kept=False))
    assert name not in writer.names
    assert not writer.hold("late", made[0])
    writer.withdraw("late", made[0])

    for descriptor in (made[-1], *fill(writer, "S")):
        writer.withdraw("S", descriptor)
    assert len(writer.names) == 1


def test_a_batch_larger_than_a_segment_gets_one_of_its_own(writer: SegmentWriter, reader: SegmentReader) -> None:
    small = [wrote(writer, numbers(0), "S") for _ in range(2)]
    large = wrote(writer, numbers(0, 5_000), "S")
    assert reader.read(large).num_rows == 5_000

    for descriptor in (*small, large):
        reader.release(descriptor)
    wrote(writer, numbers(0), "S")
    tell(writer, reader, "S")

    assert large.segment not in writer.names
    assert writer.nbytes <= 2 * SMALL
    with pytest.raises(SegmentError) as caught:
        writer.write("t", numbers(0, 20_000), ("S",))
    assert caught.value.reason is SegmentFault.TOO_LARGE


def test_memory_that_the_system_does_not_have(writer: SegmentWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_left(_fd: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", nothing_left)
    with pytest.raises(SegmentError) as caught:
        writer.write("t", numbers(0), ("S",))
    assert caught.value.reason is SegmentFault.NO_SPACE
    assert list(writer.folder.iterdir()) == []

    monkeypatch.undo()
    made = wrote(writer, numbers(0), "S")
    monkeypatch.setattr(os, "posix_fallocate", nothing_left)
    while (descriptor := writer.write("t", numbers(0), ("S",))) is not None:
        assert descriptor.segment == made.segment
    assert writer.names == [made.segment]  # its release will make room
