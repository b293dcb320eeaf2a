"""Prices, quantities and money as scaled integers: a raw integer and how many decimals it carries."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import total_ordering
from typing import Final, Self, TypeAlias

import msgspec

from libra_ray.errors import ConfigError, quoted
from libra_ray.model.rules.fixed_point import rescale_half_even

__all__ = [
    "HIGH_PRECISION_MAX",
    "STANDARD_PRECISION_MAX",
    "Currency",
    "DecimalLike",
    "Money",
    "Price",
    "Quantity",
    "Rate",
    "currency",
    "decimal_text",
    "parse_decimal",
]

STANDARD_PRECISION_MAX: Final = 9
HIGH_PRECISION_MAX: Final = 18
_DECIMAL = re.compile(r"[+-]?(\d+(_\d+)*)(\.(\d+))?", re.ASCII)


def parse_decimal(value: DecimalLike) -> tuple[int, int]:
    """`value` as (raw, scale), exactly. Text may group digits by underscores: `100_000.50`.

    Raises `ConfigError` CONF002 where the value is no finite plain decimal.
    """
    if type(value) is int:
        return value, 0
    if isinstance(value, (Price, Quantity)):
        return value.raw, value.precision
    if isinstance(value, str):
        text = value.strip()
        if _DECIMAL.fullmatch(text) is None:
            raise _no_decimal(value)
        text = text.replace("_", "")
        whole, _, fraction = text.partition(".")
        return int(whole + fraction), len(fraction)
    try:
        parts = Decimal(repr(value) if isinstance(value, float) else value).as_tuple()
    except (InvalidOperation, TypeError, ValueError):
        parts = Decimal("NaN").as_tuple()
    if not isinstance(parts.exponent, int):
        raise _no_decimal(value)
    raw = int("".join(map(str, parts.digits))) * (-1 if parts.sign else 1)
    return (raw * 10**parts.exponent, 0) if parts.exponent > 0 else (raw, -parts.exponent)


def _no_decimal(value: object) -> ConfigError:
    return ConfigError(
        "CONF002", None, f"{quoted(value)} is not a decimal", "Write for example 1000 or 0.25.", str(value)
    )


def decimal_text(raw: int, precision: int) -> str:
    """The decimal text of a scaled integer with all its decimals: (12340, 2) is `123.40`."""
    if precision == 0:
        return str(raw)
    digits = str(abs(raw)).rjust(precision + 1, "0")
    return f"{'-' if raw < 0 else ''}{digits[:-precision]}.{digits[-precision:]}"


@total_ordering
class _Scaled(msgspec.Struct, frozen=True, array_like=True, gc=False, eq=False):
    """What prices and quantities share: comparison by value, text with all decimals."""

    raw: int
    precision: int

    @classmethod
    def parse(cls, value: DecimalLike) -> Self:
        """From a number or its decimal text, keeping the decimals given. Raises `ConfigError` CONF002."""
        return cls(*parse_decimal(value))

    @classmethod
    def from_raw(cls, raw: int, precision: int) -> Self:
        """From an integer that already carries `precision` decimals."""
        return cls(raw, precision)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Scaled):
            return NotImplemented
        return bool(self.raw * 10**other.precision == other.raw * 10**self.precision)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Scaled):
            return NotImplemented
        return bool(self.raw * 10**other.precision < other.raw * 10**self.precision)

    def __hash__(self) -> int:
        return hash(self.as_decimal())

    def __str__(self) -> str:
        return decimal_text(self.raw, self.precision)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __float__(self) -> float:
        return float(self.as_decimal())

    def as_decimal(self) -> Decimal:
        """The exact value."""
        return Decimal(self.raw).scaleb(-self.precision)


class Price(_Scaled, frozen=True, array_like=True, gc=False, eq=False):
    """A price in quote currency per unit of the instrument."""


class Quantity(_Scaled, frozen=True, array_like=True, gc=False, eq=False):
    """A number of units or contracts."""


class Rate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An exact fraction without a unit, such as a fee of 0.0005: `num / den`, `den` a power of ten."""

    num: int
    den: int

    @classmethod
    def parse(cls, value: DecimalLike) -> Rate:
        """From a number or its decimal text. Raises `ConfigError` CONF002."""
        raw, scale = parse_decimal(value)
        return cls(raw, 10**scale)

    def __str__(self) -> str:
        return decimal_text(self.num, len(str(self.den)) - 1)


class Currency(msgspec.Struct, frozen=True, gc=False):
    """A currency code and the decimals its amounts are kept in."""

    code: str
    precision: int

    def __str__(self) -> str:
        return self.code


CURRENCY_DECIMALS: Final[dict[str, int]] = {
    **dict.fromkeys(("AUD", "CAD", "CHF", "CNH", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR"), 2),
    **dict.fromkeys(("MXN", "NOK", "NZD", "PLN", "RUB", "SEK", "SGD", "THB", "TRY", "USD", "ZAR", "USDT"), 2),
    **dict.fromkeys(("JPY", "KRW"), 0),
    **dict.fromkeys(("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "LTC", "DOGE", "USDC", "BUSD", "FDUSD", "DAI"), 8),
}


def currency(code: str, decimals: dict[str, int] | None = None) -> Currency:
    """The currency of that code; `decimals` adds or overrides. Raises `ConfigError` CONF002 for an unknown code."""
    if decimals and code in decimals:
        return Currency(code, decimals[code])
    if code in CURRENCY_DECIMALS:
        return Currency(code, CURRENCY_DECIMALS[code])
    fix = f"Declare its decimals, for example currencies = {{ {code} = 8 }}."
    raise ConfigError("CONF002", None, f"currency {quoted(code)} is not known", fix, code)


class Money(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An amount of one currency, in its smallest unit."""

    raw: int
    currency: Currency

    @classmethod
    def parse(cls, text: str, decimals: dict[str, int] | None = None) -> Money:
        """From `"100_000 USD"`. Raises `ConfigError` CONF002 for more decimals than the currency has, or bad form."""
        amount, _, code = text.strip().partition(" ")
        unit = currency(code.strip(), decimals)
        raw, scale = parse_decimal(amount)
        if rescale_half_even(rescale_half_even(raw, scale, unit.precision), unit.precision, scale) != raw:
            fix = f"{code} has {unit.precision} decimals."
            raise ConfigError("CONF002", None, f"amount {quoted(text)} has too many decimals", fix, text)
        return cls(rescale_half_even(raw, scale, unit.precision), unit)

    def __str__(self) -> str:
        return f"{decimal_text(self.raw, self.currency.precision)} {self.currency.code}"

    def __float__(self) -> float:
        return float(self.as_decimal())

    def as_decimal(self) -> Decimal:
        """The exact amount."""
        return Decimal(self.raw).scaleb(-self.currency.precision)


DecimalLike: TypeAlias = str | int | float | Decimal | Price | Quantity
"""What callers may pass for a number. A float stands for its shortest decimal text, so 0.1 is exactly one tenth."""
