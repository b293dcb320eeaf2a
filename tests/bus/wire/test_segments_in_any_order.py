"""Segments: whatever their users do in whatever order, what is kept stays and memory is bounded."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from libra_ray.bus.wire.descriptors import Descriptor, Release
from libra_ray.bus.wire.segment_reader import SegmentReader
from libra_ray.bus.wire.segments import SegmentWriter
from tests.bus.wire.segment_batches import LINUX

PEERS = ("S", "T")


class AnyOrder(RuleBasedStateMachine):
    """One writer and two readers that read, keep, drop, release, tell once, twice or late, and die, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[str, SegmentReader] = {}
        self.inbox: dict[str, list[tuple[Descriptor, int]]] = {peer: [] for peer in PEERS}
        self.kept: list[tuple[pa.Array, int]] = []
        self.said: list[tuple[str, Release]] = []
        self.count = 0

    @initialize()
    def begin(self) -> None:
        """A folder and all that use it."""
        self.folder = Path("/tmp" if not LINUX else "/dev/shm") / f"libra-any-{os.getpid()}"  # noqa: S108
        self.writer = SegmentWriter(self.folder, "W", 1, segment_bytes=4_096, total_bytes_max=20_000)
        self.readers = {peer: SegmentReader(self.folder) for peer in PEERS}

    @rule(peers=st.lists(st.sampled_from(PEERS), unique=True), rows=st.integers(0, 60))
    def write(self, peers: list[str], rows: int) -> None:
        """A batch for some of them."""
        self.count += 1_000
        descriptor = self.writer.write("t", pa.record_batch({"a": np.arange(self.count, self.count + rows)}), peers)
        if descriptor is not None:
            for peer in peers:
                self.inbox[peer].append((descriptor, self.count))

    @precondition(lambda self: self.inbox["S"])
    @rule(peer=st.just("S"), keep=st.booleans())
    def take_s(self, peer: str, keep: bool) -> None:  # noqa: FBT001 - drawn
        """S reads its oldest."""
        self.take(peer, keep=keep)

    @precondition(lambda self: self.inbox["T"])
    @rule(peer=st.just("T"), keep=st.booleans())
    def take_t(self, peer: str, keep: bool) -> None:  # noqa: FBT001 - drawn
        """T reads its oldest."""
        self.take(peer, keep=keep)

    def take(self, peer: str, *, keep: bool) -> None:
        """Read the oldest, and keep it or not; then it is released."""
        descriptor, first = self.inbox[peer].pop(0)
        column = self.readers[peer].read(descriptor).column(0)
        assert column.to_pylist() == list(range(first, first + descriptor.rows))
        if keep:
            self.kept.append((column, first))
        self.readers[peer].release(descriptor)

    @rule(peer=st.sampled_from(PEERS))
    def skip(self, peer: str) -> None:
        """Release the oldest without reading it."""
        if self.inbox[peer]:
            self.readers[peer].release(self.inbox[peer].pop(0)[0])

    @rule(peer=st.sampled_from(PEERS), everything=st.booleans())
    def say(self, peer: str, everything: bool) -> None:  # noqa: FBT001 - drawn
        """What is released goes on its way."""
        self.said += [(peer, release) for release in self.readers[peer].releases(everything=everything)]

    @rule(twice=st.booleans())
    def hear(self, twice: bool) -> None:  # noqa: FBT001 - drawn
        """The writer hears the oldest of it, perhaps twice."""
        if self.said:
            for _ in range(1 + twice):
                self.writer.released(*self.said[0])
            del self.said[0]

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Something is kept no longer."""
        del self.kept[data.draw(st.integers(0, len(self.kept) - 1))]

    @rule(peer=st.sampled_from(PEERS))
    def die(self, peer: str) -> None:
        """A reader dies; what it had on its way is lost, and a new one takes its place."""
        self.writer.forget(peer)
        self.readers[peer].close()
        self.readers[peer] = SegmentReader(self.folder)
        self.inbox[peer] = []
        self.said = [said for said in self.said if said[0] != peer]

    @invariant()
    def what_is_kept_is_unchanged(self) -> None:
        """The point of it all."""
        for column, first in self.kept:
            assert column.to_pylist() == list(range(first, first + len(column)))

    @invariant()
    def memory_is_bounded(self) -> None:
        """Whatever happens."""
        if self.readers:
            assert self.writer.nbytes <= 20_000

    def teardown(self) -> None:
        """When all have said all, all memory is free again; then nothing is left."""
        if not self.readers:
            return
        for peer in PEERS:
            while self.inbox[peer]:
                self.skip(peer)
        self.kept.clear()
        for peer in PEERS:
            self.say(peer, everything=True)
        while self.said:
            self.hear(twice=False)
        assert len(self.writer.names) <= 1
        assert self.writer.write("t", pa.record_batch({"a": np.arange(300)}), ()) is not None
        self.writer.close()
        for reader in self.readers.values():
            reader.close()
        assert not self.folder.exists()


TestAnyOrder = pytest.mark.slow(AnyOrder.TestCase)
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=60)
