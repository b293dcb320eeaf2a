"""An account's money: totals by currency, each changed by bookings that are rounded once."""

from libra_ray.model.enums import AccountType
from libra_ray.model.numbers import Currency, Money

__all__ = ["Account"]


class Account:
    """Balances at one venue. `base` set: one balance, bookings are converted; not set: each stays in its currency.

    Attributes:
        reporting: what equity is counted in: the base currency, else that of the first deposit.
        is_margin: whether `kind` is MARGIN, as the plain flag that each fill asks for.
    """

    __slots__ = ("account_id", "base", "currencies", "is_margin", "kind", "reporting", "totals")

    def __init__(self, account_id: str, kind: AccountType, base: Currency | None, reporting: Currency) -> None:
        self.account_id = account_id
        self.kind = kind
        self.is_margin = kind is AccountType.MARGIN
        self.base = base
        self.reporting = reporting
        self.totals: dict[str, int] = {}
        self.currencies: dict[str, Currency] = {}

    def book(self, amount_raw: int, currency: Currency) -> int:
        """Add `amount_raw` to the balance of `currency`; returns the new total, raw."""
        code, totals = currency.code, self.totals
        try:
            total = totals[code] + amount_raw
        except KeyError:
            total, self.currencies[code] = amount_raw, currency
        totals[code] = total
        return total

    def total(self, code: str) -> Money:
        """The balance of a currency. Raises `KeyError` where the account never had any."""
        return Money(self.totals[code], self.currencies[code])

    def total_raw(self, code: str) -> int:
        """The balance of a currency, 0 where the account never had any."""
        return self.totals.get(code, 0)
