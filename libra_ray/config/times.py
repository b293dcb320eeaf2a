"""Times in settings: ISO text, TOML dates or integers, as nanoseconds UTC."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from libra_ray.errors import ConfigError, quoted

__all__ = ["TimeNs", "time_ns"]

NS_PER_SECOND: Final = 10**9
SECONDS_PER_DAY: Final = 86_400
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def time_ns(value: Any) -> Any:  # noqa: ANN401  # whatever the file holds
    """Nanoseconds UTC of an integer, a TOML date or time, or ISO text; a date alone is midnight UTC."""
    if isinstance(value, str):
        if value.isdecimal():
            return int(value)
        try:
            value = date.fromisoformat(value) if _DATE.fullmatch(value) else datetime.fromisoformat(value)
        except ValueError:
            fix = 'Write for example "2024-01-01" or "2024-01-01T12:00:00Z".'
            raise ConfigError("CONF002", None, f"{quoted(value)} is not a time", fix, value) from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            text = value.isoformat()
            fix = f"Write for example {text}Z."
            raise ConfigError("CONF002", None, f"time {quoted(text)} has no UTC offset", fix, text)
        since = value - EPOCH
        return (since.days * SECONDS_PER_DAY + since.seconds) * NS_PER_SECOND + since.microseconds * 1_000
    if isinstance(value, date):
        return (value - EPOCH.date()).days * SECONDS_PER_DAY * NS_PER_SECOND
    return value


TimeNs: TypeAlias = Annotated[int, BeforeValidator(time_ns)]
"""A time of a setting, as nanoseconds UTC."""
