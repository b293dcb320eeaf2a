"""Delays between a strategy and its venue: when a command is due, and the queue of those that are not yet."""

from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Literal

from libra_ray.kernel.settings import LatencySettings, seconds_ns
from libra_ray.runtime import NEVER_NS
from libra_ray.simulation.chance import Chance

__all__ = ["CommandKind", "DueCommands", "Latency"]

CommandKind = Literal["insert", "modify", "cancel"]


class Latency:
    """The delays of one venue, in nanoseconds. Fixed, from data, and with a jitter that the seed decides."""

    def __init__(self, settings: LatencySettings, seed: int, venue: str) -> None:
        self._base_ns = seconds_ns(settings.base)
        self._kind_ns: dict[str, int] = {
            "insert": seconds_ns(settings.insert),
            "modify": seconds_ns(settings.modify),
            "cancel": seconds_ns(settings.cancel),
        }
        self._jitter_ns = seconds_ns(settings.jitter)
        self._times = [ts_ns for ts_ns, _ in settings.table]
        self._delays_ns = [seconds_ns(delay) for _, delay in settings.table]
        self._chance = Chance(seed, venue, "latency")
        self.report_ns = seconds_ns(settings.report)
        self.is_none = not (self._base_ns or any(self._kind_ns.values()) or self._jitter_ns or self._times)

    def due_ns(self, kind: CommandKind, ts_ns: int, command_seq: int) -> int:
        """When a command made at `ts_ns` is due at the venue."""
        base_ns = self._base_ns
        if self._times:
            place = bisect_right(self._times, ts_ns) - 1
            base_ns = self._delays_ns[place] if place >= 0 else base_ns
        jitter_ns = self._chance.below(self._jitter_ns + 1, command_seq) if self._jitter_ns else 0
        return ts_ns + base_ns + self._kind_ns[kind] + jitter_ns


class DueCommands:
    """Calls that wait for their time, strictly by (due time, sequence of birth)."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Callable[[int], None]]] = []
        self._seq = 0
        self.next_ns = NEVER_NS

    def put(self, due_ns: int, call: Callable[[int], None]) -> None:
        """Call `call(due_ns)` when it is due."""
        self._seq += 1
        heappush(self._waiting, (due_ns, self._seq, call))
        self.next_ns = self._waiting[0][0]

    def run_next(self) -> None:
        """Call the first one, whatever the time."""
        due_ns, _, call = heappop(self._waiting)
        self.next_ns = self._waiting[0][0] if self._waiting else NEVER_NS
        call(due_ns)
