"""Bundles: frames come back as they were, bodies lie where Arrow wants them, and whatever else comes is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus.wire.bundles import bundled, frames_in
from libra_ray.bus.wire.frames import FrameError, Part

frames = st.lists(st.tuples(st.binary(max_size=40), st.binary(max_size=40)), min_size=1, max_size=5)


@given(frames)
def test_frames_come_back_in_their_order(sent: list[tuple[bytes, bytes]]) -> None:
    arrived = [(bytes(header), bytes(body)) for header, body in frames_in(bundled(sent))]
    assert arrived == sent


def test_golden_bytes() -> None:
    """The form on the wire."""
    assert bundled([(b"head", b"123456789"), (b"", b"")]) == (
        b"\x04\0\0\0\x09\0\0\0" + b"head\0\0\0\0" + b"123456789\0\0\0\0\0\0\0" + bytes(8)
    )


@given(frames)
def test_lengths_headers_and_bodies_begin_at_multiples_of_eight(sent: list[tuple[bytes, bytes]]) -> None:
    ends = [len(bundled(sent[:count])) for count in range(1, len(sent) + 1)]
    assert [end % 8 for end in ends] == [0] * len(ends)
    message = bundled([(b"h" * 7, b"body")])
    assert message.index(b"body") % 8 == 0


@pytest.mark.parametrize("end", [0, 3, 7, 8, 15, 31])
def test_what_is_cut_off_is_refused(end: int) -> None:
    with pytest.raises(FrameError, match="BAD_FRAME"):
        list(frames_in(bundled([(b"h" * 9, b"body")])[:end]))


@given(st.binary(max_size=60))
def test_arbitrary_bytes(message: bytes) -> None:
    """Frames that lie within the message, or a `FrameError`; anything else is a failure."""
    try:
        assert sum(len(header) + len(body) for header, body in frames_in(message)) <= len(message)
    except FrameError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the only error there may be, of one line


def test_frames_before_what_is_none_are_taken() -> None:
    found: list[tuple[Part, Part]] = []
    with pytest.raises(FrameError):
        found.extend(frames_in(bundled([(b"one", b"1")]) + b"noise"))
    assert [bytes(header) for header, _ in found] == [b"one"]
