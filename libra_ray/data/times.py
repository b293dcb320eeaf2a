"""Times as people write them: the text of nanoseconds UTC, as messages show it."""

from datetime import UTC, datetime
from typing import Final

__all__ = ["NS_PER_SECOND", "time_text"]

NS_PER_SECOND: Final = 1_000_000_000


def time_text(ts_ns: int) -> str:
    """`2024-01-01T12:00:01Z`, with as many decimals of a second as matter; the bare integer outside years 1 to 9999."""
    seconds, fraction = divmod(ts_ns, NS_PER_SECOND)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(ts_ns)
    decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{text.rjust(19, '0')}{decimals}Z"
