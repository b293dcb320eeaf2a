"""The values in a scenario file: numbers as decimal text, times, labels, and how a row tells which form it has."""

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from libra_ray.errors import ConfigError, quoted

__all__ = [
    "EPOCH_NS",
    "Event",
    "Flag",
    "Label",
    "MoneyText",
    "Num",
    "Ts",
    "Whole",
    "first_value",
    "length",
    "operation_name",
    "ts_ns",
]

EPOCH_NS: Final = 1_704_153_600 * 10**9
TS_DECIMALS: Final = 9
DIGITS_MAX: Final = 38
NS_LIMIT: Final = 2**63


def ts_ns(text: str) -> int:
    """Seconds since the scenarios' epoch as nanoseconds UTC."""
    whole, _, fraction = text.partition(".")
    return EPOCH_NS + int(whole) * 10**9 + int(fraction.ljust(TS_DECIMALS, "0") or "0")


def first_value(row: object) -> str:
    """The kind of a row: its first value."""
    first = row[0] if isinstance(row, (list, tuple)) and row else None
    return first if isinstance(first, str) else ""


def operation_name(operation: object) -> str:
    """The kind of an operation: its `op`."""
    name = operation.get("op") if isinstance(operation, dict) else getattr(operation, "op", None)
    return name if isinstance(name, str) else ""


def length(least: int, most: int) -> Callable[[object], str]:
    """The kind of a row that may end early: how many values it has, held within the bounds."""
    return lambda row: str(min(max(len(row), least), most) if isinstance(row, (list, tuple)) else least)


def _number_that_fits(text: str) -> str:
    if len(text.lstrip("-").replace(".", "").lstrip("0")) > DIGITS_MAX:
        what = f"{quoted(text)} has more than {DIGITS_MAX} digits"
        raise ConfigError("CONF002", None, what, "Write a number that fits 128 bits.", text)
    return text


def _time_that_fits(text: str) -> str:
    if len(text) > DIGITS_MAX or ts_ns(text) >= NS_LIMIT:
        raise ConfigError("CONF002", None, f"time {quoted(text)} is later than 2262", "Write an earlier time.", text)
    return text


Num = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$"), AfterValidator(_number_that_fits)]
Ts = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]{1,9})?$"), AfterValidator(_time_that_fits)]
MoneyText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)? [A-Z0-9]+$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")]
Flag = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Event = Literal[
    "DENIED", "EMULATED", "RELEASED", "REJECTED", "ACCEPTED", "UPDATED", "TRIGGERED", "CANCELED", "EXPIRED", "FILLED",
    "MODIFY_REJECTED", "CANCEL_REJECTED",
]  # fmt: skip
