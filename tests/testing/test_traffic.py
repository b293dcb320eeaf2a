"""The file of recorded traffic: what it gives back, and what a damaged one says."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.errors import DataError
from libra_ray.runtime import Lane
from libra_ray.testing import Crossing, TrafficWriter, read_traffic


def crossing(seq: int, body: bytes = b"\xc0") -> Crossing:
    return Crossing(seq, Lane.SIGNALS, "A", seq, "PUBLISH", "signals.x", "value", body)


def written(path: Path, *crossings: Crossing) -> bytes:
    with TrafficWriter(path) as writer:
        for each in crossings:
            writer.write(each)
    return path.read_bytes()


def test_records_come_back_as_they_were_and_a_file_can_be_continued(tmp_path: Path) -> None:
    first = Crossing(2**62, Lane.ORDERS, "A", 1, "REQUEST", "B.x", "value", b"1", 2**62, 5, "host", 3, "peer")
    written(tmp_path / "t", first)
    written(tmp_path / "t", crossing(2), crossing(3))
    assert list(read_traffic(tmp_path / "t")) == [first, crossing(2), crossing(3)]
    assert str(first) == f"{2**62} ORDERS A 1 host-3 > peer REQUEST B.x value"


@pytest.mark.slow
@given(st.data())
def test_a_torn_end_is_cut_wherever_it_tears(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("torn") / "t"
    whole = written(path, *(crossing(seq, b"x" * seq) for seq in range(1, 5)))
    size = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:size] + bytes(data.draw(st.sampled_from([0, 0, 40]))))
    kept = [each.seq for each in read_traffic(path)]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) == 4 or size < len(whole)

    written(path, crossing(9))
    assert [each.seq for each in read_traffic(path)] == [*kept, 9]


@pytest.mark.slow
@given(st.data())
def test_no_flipped_bit_goes_unseen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("flipped") / "t"
    whole = bytearray(written(path, *(crossing(seq) for seq in range(1, 5))))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)
    found, error = [], None
    try:
        found += list(read_traffic(path))
    except DataError as caught:
        error = caught
    assert error is not None or [each.seq for each in found] == [1, 2, 3]  # damage of the last one may be a torn end
    if error is not None:
        assert error.code == "DATA011"
        assert str(path) in str(error)


def test_damage_in_the_middle_is_said_with_its_place_and_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "t"
    size = len(written(path, crossing(1)))
    whole = bytearray(written(path, crossing(2), crossing(3)))
    whole[size + 14] ^= 1
    path.write_bytes(whole)
    text = (
        f"DATA011 {path}: record 2 at byte {size} of {len(whole)}: checksum differs and later records exist. "
        "The file is damaged; record the session again."
    )
    reader = read_traffic(path)
    assert next(reader).seq == 1
    for attempt in (lambda: next(reader), lambda: TrafficWriter(path)):
        with pytest.raises(DataError) as caught:
            attempt()
        assert str(caught.value) == text
    assert path.read_bytes() == whole


def test_another_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("time,price\n1,2\n" * 3)
    with pytest.raises(DataError, match="it is no recording of bus traffic"):
        list(read_traffic(tmp_path / "t"))


def test_neither_writer_nor_reader_holds_the_session(tmp_path: Path) -> None:
    tracemalloc.start()
    with TrafficWriter(tmp_path / "t") as writer:
        for seq in range(1, 2_001):
            writer.write(crossing(seq, b"x" * 2_000))
    count = sum(1 for _ in read_traffic(tmp_path / "t"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_000
    assert peak < 1_000_000 < (tmp_path / "t").stat().st_size


def test_a_record_that_is_too_long_and_a_closed_file_are_refused(tmp_path: Path) -> None:
    writer = TrafficWriter(tmp_path / "t")
    with pytest.raises(ValueError, match="has at most"):
        writer.write(crossing(1, bytes(65 << 20)))
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="is closed"):
        writer.write(crossing(1))
