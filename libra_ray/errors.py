"""Every error the library raises, by who must act.

A user error is one line, `CODE place: what, with the value. Fix.`, and its class decides the exit code. Refusals of
orders are events, never exceptions. All facts are positional arguments, so that each error survives pickling and a
process border unchanged.
"""

from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "ConfigError",
    "ConnectionConfigError",
    "DataError",
    "EndpointTakenError",
    "InvalidOrderTransitionError",
    "InvalidTransitionError",
    "JournalError",
    "LibraError",
    "NoReceiverError",
    "NotInitializedError",
    "ResultUnavailableError",
    "StrategyError",
    "UnsendableError",
    "UserError",
    "VenueError",
    "did_you_mean",
    "printable",
    "quoted",
]

VALUE_CHARS_MAX = 60


def printable(value: object) -> str:
    """`value` as text on one line: control characters escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value))


def quoted(value: object) -> str:
    """`value` as it was read, in single quotes, control characters escaped, cut to 60 characters."""
    text = printable(value)
    if len(text) > VALUE_CHARS_MAX:
        text = f"{text[:VALUE_CHARS_MAX]}..."
    return f"'{text}'"


def did_you_mean(name: str, known: list[str]) -> str:
    """A sentence with the closest known name, else up to five known names, else nothing."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {quoted(close[0])}?"
    if known:
        return f"Known are {', '.join(sorted(known)[:5])}."
    return ""


class LibraError(Exception):
    """The root. Raised itself, it is a bug of the library: please report it with its text."""

    family: ClassVar[str] = "BUG"
    exit_code: int = 1
    code: str = "BUG000"
    place: str | None = None
    value: str | None = None
    fix: str = ""
    more: tuple["LibraError", ...] = ()
    """Further errors that were found together with this one; the first decides the exit code."""

    @property
    def message(self) -> str:
        """The one line a person sees."""
        return f"{self.code} {super().__str__()}"

    def __str__(self) -> str:
        return self.message


class UserError(LibraError):
    """An error somebody outside the library can mend.

    Args: code (`DATA001`), place (`trades.csv:1042`, or None), what (with the value), fix (a sentence), value as read.
    """

    def __init__(self, code: str, place: str | None, what: str, fix: str, value: str | None = None) -> None:
        super().__init__(code, place, what, fix, value)
        self.code, self.place, self.what, self.fix, self.value = code, place, what, fix, value

    @property
    def message(self) -> str:
        """`CODE place: what. Fix.`, one line: names of files and columns may hold anything, and are escaped too."""
        place = f"{self.place}: " if self.place else ""
        fix = f" {self.fix}" if self.fix else ""
        end = "" if self.what.endswith((".", "?")) else "."
        return printable(f"{self.code} {place}{self.what}{end}{fix}")


class ConfigError(UserError, ValueError):
    """Wrong usage or configuration: whoever started the run acts.

    It is a `ValueError` so that a settings type may raise it while a field is read; the place is added there.
    """

    family = "CONF"
    exit_code = 2


class ConnectionConfigError(ConfigError):
    """A service that the configuration names cannot be reached or refuses us."""

    family = "CONN"


class DataError(UserError, ValueError):
    """A file or stream is not what it should be: whoever supplied it acts."""

    family = "DATA"
    exit_code = 3


class VenueError(UserError):
    """A venue refuses us or is not as the configuration needs it: the operator acts."""

    family = "VENUE"
    exit_code = 4


class JournalError(UserError):
    """The journal cannot be written (exit 1), is in use (2) or is damaged (3)."""

    family = "JRN"

    def __init__(
        self, code: str, place: str | None, what: str, fix: str, value: str | None = None, exit_code: int = 1
    ) -> None:
        super().__init__(code, place, what, fix, value)
        self.args = (code, place, what, fix, value, exit_code)
        self.exit_code = exit_code


class StrategyError(UserError):
    """A strategy or user actor raised: its author acts."""

    family = "STRAT"


class InvalidTransitionError(LibraError):
    """A lifecycle trigger that the actor's state does not allow. The state is unchanged."""

    def __init__(self, actor_id: str, state: str, trigger: str) -> None:
        super().__init__(actor_id, state, trigger)
        self.actor_id, self.state, self.trigger = actor_id, state, trigger

    @property
    def message(self) -> str:
        """Which actor, state and trigger."""
        return f"BUG000 {self.actor_id}: trigger {self.trigger} is illegal in state {self.state}."


class InvalidOrderTransitionError(LibraError):
    """An order event that the order's state does not allow. The order is unchanged."""

    def __init__(self, client_order_id: str, status: str, target: str) -> None:
        super().__init__(client_order_id, status, target)
        self.client_order_id, self.status, self.target = client_order_id, status, target

    @property
    def message(self) -> str:
        """Which order and states."""
        return f"BUG000 order {self.client_order_id}: {self.status} does not lead to {self.target}."


class NotInitializedError(LibraError):
    """Clock, cache, portfolio, bus and log exist from INITIALIZE on, not in `__init__`."""

    def __init__(self, actor: str, attribute: str) -> None:
        super().__init__(actor, attribute)
        self.actor, self.attribute = actor, attribute

    @property
    def message(self) -> str:
        """Which actor and attribute."""
        return f"BUG000 {self.actor}: '{self.attribute}' exists from on_start on, not in __init__. Move its use there."


class EndpointTakenError(LibraError):
    """An endpoint has one receiver, and this one has it already."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.endpoint = endpoint

    @property
    def message(self) -> str:
        """Which endpoint."""
        return f"BUG000 endpoint '{self.endpoint}' already has its receiver."


class UnsendableError(LibraError):
    """A message that does not encode cannot be sent; raised at the sender."""

    def __init__(self, type_name: str, field: str) -> None:
        super().__init__(type_name, field)
        self.type_name, self.field = type_name, field

    @property
    def message(self) -> str:
        """Which message type and field."""
        return f"BUG000 {self.type_name}: field '{self.field}' does not encode."


class NoReceiverError(LibraError):
    """An order command was sent to an endpoint that nobody has: an order must never vanish."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.endpoint = endpoint

    @property
    def message(self) -> str:
        """Which endpoint."""
        return f"BUG000 endpoint '{self.endpoint}' has no receiver; the command was not sent."


class ResultUnavailableError(LibraError):
    """A figure was asked for that this run did not record."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    @property
    def message(self) -> str:
        """What was asked for."""
        return f"BUG000 '{self.name}' was not recorded by this run."
