"""Loss limits of the whole account (orders 15: max_daily_loss, max_drawdown)."""

from fractions import Fraction

from libra_ray.testing.reference.account import Account
from libra_ray.testing.reference.exact import SECOND_NS
from libra_ray.testing.reference.state import State

__all__ = ["Breaches"]

DAY_NS = 86_400 * SECOND_NS


class Breaches:
    """Moves the trading state when equity falls too far."""

    def __init__(self, state: State, account: Account, balances: list[str]) -> None:
        self.state, self.account = state, account
        self.code = state.options.base_currency or balances[0]
        self.day: int | None = None
        self.at_midnight = Fraction(0)
        self.peak = Fraction(0)
        self.has_moved = False

    def begin_day(self, ts: int) -> None:
        """Before anything of `ts`: the equity at 00:00 UTC."""
        if self.day is None:
            self.peak = self.account.equity(self.code)
        if self.day != ts // DAY_NS:
            self.day = ts // DAY_NS
            self.at_midnight = self.account.equity(self.code)

    def rearm(self) -> None:
        """A person or the strategy's controller set the state."""
        self.has_moved = False

    def check(self) -> None:
        """After every booking and every row; once, until the state is set back."""
        limits = self.state.limits
        if limits.max_daily_loss is None and limits.max_drawdown is None:
            return
        equity = self.account.equity(self.code)
        self.peak = max(self.peak, equity)
        loss, drawdown = limits.max_daily_loss, limits.max_drawdown
        is_breach = loss is not None and equity <= self.at_midnight - Fraction(loss)
        is_breach = is_breach or (drawdown is not None and equity <= self.peak * (1 - Fraction(drawdown)))
        if is_breach and not self.has_moved:
            self.has_moved = True
            self.state.trading_state = limits.on_breach
