"""Sessions: when a row is matched, when a command may execute, when a DAY order ends (orders 3, matching 9)."""

from libra_ray.testing.reference.document import Options
from libra_ray.testing.reference.exact import SECOND_NS

__all__ = ["Sessions"]

DAY_NS = 86_400 * SECOND_NS


class Sessions:
    """A calendar of [open, close], or UTC days."""

    def __init__(self, options: Options) -> None:
        self.calendar = options.sessions

    @property
    def has_calendar(self) -> bool:
        """Without one there are no auctions."""
        return bool(self.calendar)

    def of_row(self, ts: int, *, is_bar: bool) -> int | None:
        """The number of the session that a row is inside: open <= ts <= close; a bar: open < ts."""
        if not self.calendar:
            return 0
        for number, (opens, closes) in enumerate(self.calendar):
            if (opens < ts if is_bar else opens <= ts) and ts <= closes:
                return number
        return None

    def takes_command(self, ts: int) -> bool:
        """A command is inside when open <= ts < close."""
        return not self.calendar or any(opens <= ts < closes for opens, closes in self.calendar)

    def close_for(self, ts: int) -> int | None:
        """The close of the running session, or of the next one."""
        if not self.calendar:
            return (ts // DAY_NS + 1) * DAY_NS
        return next((closes for _, closes in self.calendar if ts < closes), None)
