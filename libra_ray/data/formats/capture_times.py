"""The times of captured messages: the recorder's, in one unit over the file, and the exchange's, in ms or us."""

from typing import Final

import numpy as np

from libra_ray.data.formats import capture_scan as scan
from libra_ray.data.formats.capture_messages import Messages
from libra_ray.data.formats.json_scan import BAD, Ints
from libra_ray.errors import DataError

__all__ = ["event_ns", "exchange_ns", "received_ns"]

_LIMITS: Final = np.array([10**8, 10**11, 10**14, 10**17], np.int64)
_UNITS_NS: Final = np.array([10**9, 10**9, 10**6, 10**3, 1], np.int64)
_MICROSECONDS_FROM: Final = 10**14


def received_ns(messages: Messages, name: str, clock_offset_ns: int) -> Ints | None:
    """When each message was received, moved by the offset; None where no line has a time.

    The unit (s, ms, us, ns) is that of the first. Raises `DataError` DATA011 for a line without, DATA014 for another
    unit.
    """
    times, lines = messages.column(scan.RECEIVED), messages.column(scan.LINE)
    missing = times == BAD
    if missing.all():
        return None
    if missing.any():
        at = int(missing.argmax())
        what = "the line has no receive time, while others have one"
        raise DataError("DATA011", f"{name}:{int(lines[at])}", what, "The line is damaged; correct or remove it.")
    units = np.searchsorted(_LIMITS, times, side="right")
    other = units != units[0]
    if other.any() or units[0] == 0:
        at = int(other.argmax())
        what = f"receive time {int(times[at])} is not in the unit of the times before it"
        raise DataError("DATA014", f"{name}:{int(lines[at])}", what, "Give one unit to the whole column.")
    return times * int(_UNITS_NS[units[0]]) + clock_offset_ns


def exchange_ns(times: Ints) -> Ints:
    """Milliseconds or microseconds of an exchange as nanoseconds; `BAD` stays."""
    factors = np.where(times >= _MICROSECONDS_FROM, 10**3, 10**6)
    return np.where(times == BAD, BAD, times * factors)


def event_ns(messages: Messages, received: Ints | None, name: str) -> Ints:
    """The exchange's time: of the transaction (T), else of the event (E), else when the message was received.

    Raises `DataError` DATA011 for a message that has none of them.
    """
    traded, event = messages.column(scan.TRADED), messages.column(scan.EVENT)
    times = exchange_ns(np.where(traded == BAD, event, traded))
    missing = times == BAD
    if not missing.any():
        return times
    if received is None:
        line = int(messages.column(scan.LINE)[int(missing.argmax())])
        raise DataError("DATA011", f"{name}:{line}", "the message has no time", "Record the receive time before it.")
    return np.where(missing, received, times)
