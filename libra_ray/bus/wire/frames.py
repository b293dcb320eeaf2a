"""Frames: what travels between two hosts. A header of fixed form and a body of bytes; bundles of them are messages.

The header is a msgpack array whose first item is the version, in this version and in all others, so that a peer of
another version is told apart from noise.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from libra_ray.errors import LibraError
from libra_ray.runtime.inbox import Lane

__all__ = [
    "BODY_BYTES_MAX",
    "HEADER_BYTES_MAX",
    "INLINE_BYTES_MAX",
    "VERSION",
    "Frame",
    "FrameError",
    "FrameFault",
    "Kind",
    "Part",
    "Parts",
    "pack",
    "unpack",
]

VERSION: Final = 1
"""The version that this library speaks."""
BODY_BYTES_MAX: Final = 1 << 20
"""The longest body of a frame."""
INLINE_BYTES_MAX: Final = 64 << 10
"""The longest batch that travels inside a frame; a longer one is announced by a descriptor."""
HEADER_BYTES_MAX: Final = 4 << 10
"""The longest header: far more than the longest names need."""

Part: TypeAlias = bytes | bytearray | memoryview
"""A header, a body, or a message as a socket gives it."""
Parts: TypeAlias = tuple[Part, Part]
"""Header and body of a frame."""


class Kind(IntEnum):
    """What a frame is for. Numbers are part of the wire: new kinds get new ones, old ones are never used again."""

    HELLO = 1
    WELCOME = 2
    ACK = 3
    HEARTBEAT = 4
    TABLE = 5
    COMMAND = 6
    ANSWER = 7
    SEND = 8
    PUBLISH = 9
    REQUEST = 10
    REPLY = 11
    BATCH = 12
    SNAPSHOT = 13
    RELEASE = 14
    CREDIT = 15
    GOODBYE = 16
    SUBSCRIBE = 17
    DEAD = 18


class FrameFault(StrEnum):
    """Why what came is no frame; it is the reason of the dead letter."""

    BAD_VERSION = "BAD_VERSION"
    BAD_FRAME = "BAD_FRAME"
    TOO_LONG = "TOO_LONG"


class FrameError(LibraError):
    """What came over the wire is no frame of this version, or what is to be sent would be none."""

    def __init__(self, reason: FrameFault, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    @property
    def message(self) -> str:
        """The reason and what was seen."""
        return f"BUG000 frame {self.reason}: {self.detail}."


_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Frame(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """The header of a message.

    Attributes:
        source: id of the host that sent it, and `epoch` of which life of that host.
        destination: an endpoint, a topic, or the correlation of a reply.
        seq: place in its link, from 1; 0 where the link keeps none.
        ts_ns: when the message was made.
        type: name of the body's type, see `libra_ray.messages.codec`.
        origin: the actor that sent it.
        extra: a number whose meaning is the kind's own: a correlation, an acknowledged sequence, credits.
    """

    version: int
    kind: Annotated[int, msgspec.Meta(ge=int(min(Kind)), le=int(max(Kind)))]
    source: str
    epoch: _Count
    lane: Annotated[int, msgspec.Meta(ge=int(min(Lane)), le=int(max(Lane)))]
    destination: str
    seq: _Count
    ts_ns: int
    type: str
    origin: str = ""
    extra: int = 0


class _Head(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a header of any version begins with."""

    version: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode
_decode_head = msgspec.msgpack.Decoder(_Head).decode


def pack(frame: Frame, body: Part = b"") -> Parts:
    """`frame` and `body` as they leave. Raises `FrameError` where a receiver would refuse them."""
    if len(body) > BODY_BYTES_MAX:
        raise FrameError(
            FrameFault.TOO_LONG, f"a body of {len(body):,} bytes, {frame.type}; at most {BODY_BYTES_MAX:,}"
        )
    try:
        header = _encode(frame)
    except (OverflowError, ValueError) as error:
        raise FrameError(FrameFault.BAD_FRAME, str(error)) from error
    if len(header) > HEADER_BYTES_MAX:
        raise FrameError(FrameFault.TOO_LONG, f"a header of {len(header):,} bytes; at most {HEADER_BYTES_MAX:,}")
    return header, body


def unpack(parts: Parts) -> tuple[Frame, memoryview]:
    """The frame and a view of its body, without a copy. Raises `FrameError`, and nothing else, for what is no frame."""
    header, body = parts
    if len(header) > HEADER_BYTES_MAX or len(body) > BODY_BYTES_MAX:
        raise FrameError(FrameFault.TOO_LONG, f"a header of {len(header):,} and a body of {len(body):,} bytes")
    try:
        frame = _decode(header)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _fault_of(header, error) from error
    if frame.version != VERSION:
        raise _other_version(frame.version)
    return frame, memoryview(body)


def _fault_of(header: Part, error: Exception) -> FrameError:
    """Whether `header` is of another version, which may have other fields, or of none."""
    try:
        version = _decode_head(header).version
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return FrameError(FrameFault.BAD_FRAME, str(error))
    return FrameError(FrameFault.BAD_FRAME, str(error)) if version == VERSION else _other_version(version)


def _other_version(version: int) -> FrameError:
    return FrameError(FrameFault.BAD_VERSION, f"version {version}, this host speaks {VERSION}")
