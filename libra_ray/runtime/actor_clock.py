"""The clock as an actor has it: the time, and the actor's own alerts and timers."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from libra_ray.runtime.hooks import check_handler
from libra_ray.runtime.timers import NEVER_NS, Alarm, Timer, whole_ns

if TYPE_CHECKING:
    from libra_ray.runtime.actor import Actor
    from libra_ray.runtime.host import LocalHost

__all__ = ["ActorClock", "TimerHandler"]

TimerHandler: TypeAlias = Callable[[Timer], object]


class ActorClock:
    """Timers come to `on_timer`, or to the `callback` given, in the order (due time, rank of the actor, set sequence).

    Names are the actor's own: setting a name again replaces what had it. What a handler sets is visible at once and
    taken back if it raises. A due time in the past is due now. What falls due while the actor neither runs nor is
    degraded is skipped and counted; reset, fault and disposal cancel everything.
    """

    now_ns: Callable[[], int]
    """The time of the host: nanoseconds since 1970-01-01 UTC."""

    def __init__(self, host: "LocalHost", actor: "Actor") -> None:
        self._host, self._actor = host, actor
        self._timers, self._rank_no = host.timers, actor.rank_no
        self.now_ns = host.clock.now_ns

    def set_alert(self, name: str, *, at_ns: int, callback: TimerHandler | None = None) -> None:
        """Fire once, at `at_ns`."""
        self._set(name, at_ns, 0, NEVER_NS, callback)

    def set_timer(
        self,
        name: str,
        *,
        interval_ns: int,
        first_ns: int | None = None,
        stop_ns: int | None = None,
        callback: TimerHandler | None = None,
    ) -> None:
        """Fire every `interval_ns`, first at `first_ns` (default one interval from now), last at `stop_ns` at most.

        Raises `ValueError` for an interval below 1 ns, or when nothing would ever fire.
        """
        interval_ns = whole_ns(interval_ns, f"timer {name!r}: interval_ns")
        first_ns = self.now_ns() + interval_ns if first_ns is None else whole_ns(first_ns, f"timer {name!r}: first_ns")
        stop_ns = NEVER_NS if stop_ns is None else whole_ns(stop_ns, f"timer {name!r}: stop_ns")
        if interval_ns < 1:
            raise ValueError(f"timer {name!r}: interval_ns {interval_ns} is not positive")
        if first_ns > stop_ns:
            raise ValueError(f"timer {name!r}: its first time {first_ns} is after its stop {stop_ns}")
        self._set(name, first_ns, interval_ns, stop_ns, callback)

    def cancel_timer(self, name: str) -> bool:
        """Cancel the alert or timer of that name; False when there is none."""
        canceled = self._timers.cancel((self._rank_no, name))
        if canceled is None:
            return False
        self._host.stage_undo(self._actor, partial(self._timers.put, canceled))
        return True

    @property
    def timer_names(self) -> list[str]:
        """Names of what is set, in the order in which it was set."""
        return self._timers.names(self._rank_no)

    def _set(self, name: str, due_ns: int, interval_ns: int, stop_ns: int, callback: TimerHandler | None) -> None:
        due_ns = whole_ns(due_ns, f"timer {name!r}: its time")
        if callback is not None:
            check_handler(callback, f"timer {name!r}")
        if not name or not 0 <= due_ns < NEVER_NS:
            raise ValueError(f"timer {name!r} at {due_ns}: a timer has a name and a time from 1970 to 2262")
        key = (self._rank_no, str(name))
        fire = partial(self._fire, self._actor.on_timer if callback is None else callback)
        replaced = self._timers.put(Alarm(due_ns, key, self._timers.next_seq(), fire, interval_ns, stop_ns))
        undo = partial(self._timers.cancel, key) if replaced is None else partial(self._timers.put, replaced)
        self._host.stage_undo(self._actor, undo)

    def _fire(self, handler: TimerHandler, alarm: Alarm) -> None:
        self._host.deliver_now(self._actor, handler, Timer(str(alarm.key[1]), alarm.due_ns))
