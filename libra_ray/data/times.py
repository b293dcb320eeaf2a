"""Times as people write them, to and from nanoseconds UTC."""

import re
from datetime import UTC, datetime
from typing import Final

from libra_ray.errors import ConfigError, quoted

__all__ = ["NS_PER_SECOND", "instant_ns", "time_text"]

NS_PER_SECOND: Final = 1_000_000_000
_FRACTION: Final = re.compile(r"\.(\d{1,9})(?=Z|[+-]\d|$)")


def time_text(ts_ns: int) -> str:
    """`2024-01-01T12:00:01Z`, with as many decimals of a second as matter; the bare integer outside years 1 to 9999."""
    seconds, fraction = divmod(ts_ns, NS_PER_SECOND)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(ts_ns)
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{text.rjust(19, '0')}{decimals}Z"


def instant_ns(time: int | str) -> int:
    """Nanoseconds UTC of an integer that is that already, or of ISO 8601 text; without an offset it is UTC.

    Raises `ConfigError` CONF002 for other text.
    """
    if isinstance(time, int):
        return time
    fraction = _FRACTION.search(time)
    nanoseconds = int(fraction.group(1).ljust(9, "0")) if fraction else 0
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", time))
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        since = moment - datetime.fromtimestamp(0, UTC)
    except (ValueError, OverflowError) as error:
        fix = "Write for example 2024-01-31 or 2024-01-31T12:00:00Z."
        raise ConfigError("CONF002", None, f"{quoted(time)} is not a time", fix, time) from error
    return (since.days * 86_400 + since.seconds) * NS_PER_SECOND + nanoseconds
