"""The recorder: what crosses a bus, kept in a file."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from libra_ray.bus import Bus
from libra_ray.clock import Clock, LiveClock
from libra_ray.runtime import LocalHost
from libra_ray.testing.traffic import TrafficWriter
from libra_ray.testing.traffic_taps import BusTap, PortTap, Wire

__all__ = ["Recorder"]

_BUFFER_BYTES: Final = 64 << 10


class Recorder:
    """Appends what crosses to a file until it is closed.

        with Recorder(path, host):
            host.advance_to(end_ns)
        assert_same_traffic(path, yesterday)

    On a `LocalHost` or a host of actors: publications, sendings, requests and replies with the actor that sent them,
    what came from other hosts, and timers that fired; on a `Bus` the same without timers; on a `Port` frames. Links
    that were resolved before are not seen: begin before actors are added to record the order path of a kernel.
    """

    def __init__(
        self,
        path: Path,
        target: LocalHost | Bus | Wire,
        *,
        clock: Clock | None = None,
        buffer_bytes: int = _BUFFER_BYTES,
    ) -> None:
        """`clock` is that of a port. `buffer_bytes` may wait in memory; 0 writes each record at once.

        Raises `DataError` DATA011 when `path` is there and is no whole recording, `ValueError` when `target` is
        recorded already.
        """
        self._writer = TrafficWriter(path, buffer_bytes=buffer_bytes)
        try:
            self._tap = _tap(target, clock, self._writer)
        except BaseException:
            self._writer.close()
            raise

    @property
    def path(self) -> Path:
        """The file."""
        return self._writer.path

    @property
    def written(self) -> int:
        """How many records were made."""
        return self._writer.written

    def flush(self) -> None:
        """Write what waits in memory."""
        self._writer.flush()

    def close(self) -> None:
        """End the recording; twice is fine."""
        self._tap.remove()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _tap(target: LocalHost | Bus | Wire, clock: Clock | None, writer: TrafficWriter) -> BusTap | PortTap:
    if isinstance(target, LocalHost | Bus):
        return BusTap(target, writer.write)
    return PortTap(target, LiveClock() if clock is None else clock, writer.write)
