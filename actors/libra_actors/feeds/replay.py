"""A feed that plays recorded rows as if they happened now."""

from collections.abc import Iterator, Mapping
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from libra_ray.data import Dataset, Stream, merged_runs
from libra_ray.runtime import Actor, ActorConfig, Timer

__all__ = ["ReplayFeed", "ReplayFeedConfig"]

NS_PER_SECOND = 10**9
TIMES = 2
"""The first columns of every type: when it was known here, when it happened at the venue."""


class ReplayFeedConfig(ActorConfig):
    """What is played, and how fast.

    Attributes:
        folder: a dataset as `Dataset.write` leaves it.
        rows_per_second: the pace, whatever the times of the rows are.
        rows_at_once: rows of one stream that follow each other may share a batch, at most so many.
        delay_seconds: how long after the start the first row comes, so that others have subscribed.
    """

    folder: str
    rows_per_second: Annotated[float, Field(gt=0, le=1e6)] = 10.0
    rows_at_once: Annotated[int, Field(ge=1, le=100_000)] = 1
    delay_seconds: Annotated[float, Field(ge=0, le=3_600)] = 0.5


class ReplayFeed(Actor):
    """Publishes the rows of a dataset in the order of their replay, each stamped with the time at which it leaves.

    It goes on where it was when its host is started again, and is silent once all rows are out.

    Attributes:
        played: rows published so far.
    """

    config: ReplayFeedConfig

    def on_start(self) -> None:
        self.played = 0
        self._pieces = self._from(0)
        interval_ns = round(NS_PER_SECOND * self.config.rows_at_once / self.config.rows_per_second)
        first_ns = self.clock.now_ns() + round(self.config.delay_seconds * NS_PER_SECOND)
        self.clock.set_timer("play", interval_ns=max(1, interval_ns), first_ns=first_ns)

    def on_timer(self, timer: Timer) -> None:
        """Publish the next piece."""
        piece = next(self._pieces, None)
        if piece is None:
            self.clock.cancel_timer(timer.name)
            return
        stream, start, stop = piece
        self.publish(stream.topic, _stamped(stream, start, stop, self.clock.now_ns()))
        self.played += stop - start

    def on_save(self) -> Mapping[str, bytes]:
        """Where it is."""
        return {"played": str(self.played).encode()}

    def on_load(self, state: Mapping[str, bytes]) -> None:
        """Go on from there."""
        self.played = int(state["played"])
        self._pieces = self._from(self.played)

    def _from(self, played: int) -> Iterator[tuple[Stream, int, int]]:
        """Pieces of streams in the order of replay, without the first `played` rows."""
        streams = [stream for stream in Dataset.open(self.config.folder).streams if stream.rows]
        left = played
        for run in merged_runs([stream.ts_ns for stream in streams]):
            for start in range(run.start, run.stop, self.config.rows_at_once):
                stop = min(run.stop, start + self.config.rows_at_once)
                skipped = min(left, stop - start)
                left -= skipped
                if start + skipped < stop:
                    yield streams[run.stream], start + skipped, stop


def _stamped(stream: Stream, start: int, stop: int, now_ns: int) -> pa.RecordBatch:
    """Rows as a batch whose times are now; the other columns are not copied."""
    (batch,) = stream.table.slice(start, stop - start).to_batches()
    now = pa.array([now_ns] * (stop - start), pa.int64())
    return pa.RecordBatch.from_arrays([*[now] * TIMES, *batch.columns[TIMES:]], schema=batch.schema)
