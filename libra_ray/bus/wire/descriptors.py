"""What hosts say to each other about batches that lie in shared memory: here it is, and I am done with it."""

import msgspec

from libra_ray.messages.codec import register

__all__ = ["Descriptor", "Descriptors", "Release", "RowsDescriptor", "segment_name", "writer_of"]


class Descriptor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a batch lies: `length` bytes at `offset` of `segment`, its schema at `schema_offset`.

    `turn` counts how often the segment was filled: what an earlier turn announced is not there any more.
    """

    segment: str
    turn: int
    offset: int
    length: int
    rows: int
    schema_offset: int


class Descriptors(msgspec.Struct, frozen=True, array_like=True):
    """Batches of one topic that are announced together, oldest first: at high rates frames cost more than batches."""

    items: tuple[Descriptor, ...]


class Release(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How many batches of a segment's turn the sender is done with, from its first on: to hear it twice does no harm.

    `is_kept`: something in that host still refers to one of them, so the segment must not be written over.
    """

    segment: str
    turn: int
    total: int
    is_kept: bool

    @property
    def writer_id(self) -> str:
        """The host that is to hear it."""
        return writer_of(self.segment)


class RowsDescriptor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Rows `start` to `start + rows` of a file of a dataset that the receiver has mapped too."""

    file: str
    start: int
    rows: int


register(Descriptor, Descriptors, Release, RowsDescriptor)


def segment_name(host_id: str, epoch: int, number: int) -> str:
    """The file name of the n-th segment of a host in one of its lives."""
    return f"libra-{host_id}-{epoch}-{number}.seg"


def writer_of(name: str) -> str:
    """The id of the host whose segment it is; empty where it is no segment's name."""
    head, _, rest = name.partition("-")
    return rest.rsplit("-", 2)[0] if head == "libra" and rest.count("-") >= 2 else ""  # noqa: PLR2004 - two numbers
