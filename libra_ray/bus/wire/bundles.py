"""Bundles: frames for one peer that leave together, as one message. One wakes the peer once, however many it holds.

Each frame has the lengths of its header and its body before it. Lengths, headers and bodies begin at multiples of 8
bytes, where Arrow wants its data.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

from libra_ray.bus.wire.frames import FrameError, FrameFault, Part, Parts

__all__ = ["BUNDLE_BYTES_MAX", "BUNDLE_FRAMES_MAX", "bundled", "frames_in"]

BUNDLE_FRAMES_MAX: Final = 16
"""So many at most: what waits in a socket cannot be overtaken by a higher lane."""
BUNDLE_BYTES_MAX: Final = 64 << 10
"""A bundle that is as long takes no more frames; one frame alone may be longer."""

_LENGTHS: Final = struct.Struct("<II")
_PADDING: Final = [bytes(-length % 8) for length in range(8)]


def bundled(frames: Sequence[Parts]) -> bytes:
    """The message that holds these."""
    pieces: list[Part] = []
    for header, body in frames:
        long, wide = len(header), len(body)
        pieces += (_LENGTHS.pack(long, wide), header, _PADDING[long % 8], body, _PADDING[wide % 8])
    return b"".join(pieces)


def frames_in(message: Part) -> Iterator[Parts]:
    """Its frames, in their order, as views of it. Raises `FrameError` where the rest of it is no frame."""
    view, at, size = memoryview(message), 0, len(message)
    while True:
        start = at + _LENGTHS.size
        if start > size:
            raise FrameError(FrameFault.BAD_FRAME, f"{size - at:,} bytes at the end of {size:,}")
        long, wide = _LENGTHS.unpack_from(view, at)
        body_at = start + long + -long % 8
        at = body_at + wide + -wide % 8
        if at > size:
            raise FrameError(FrameFault.BAD_FRAME, f"a header of {long:,} and a body of {wide:,} in {size:,} bytes")
        yield view[start : start + long], view[body_at : body_at + wide]
        if at == size:
            return
