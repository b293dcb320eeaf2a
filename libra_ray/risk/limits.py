"""The limits as integers: parsed once from settings, compared many times; and whom each set of them holds for."""

from collections.abc import Mapping
from typing import NamedTuple

from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Rate, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.model.rules.fixed_point import rescale_half_even
from libra_ray.risk.breaches import BreachRules
from libra_ray.risk.rates import PassRate
from libra_ray.risk.self_trade import SelfTradeMode

__all__ = ["Amount", "Limits", "RiskRules", "Scope", "Scopes", "at_precision"]

Amount = tuple[int, int]
"""A decimal as (raw, scale)."""


class Limits(NamedTuple):
    """One set of limits; None and empty mean no limit. Amounts are by instrument id, `""` for all others.

    Attributes:
        order_rate, modify_rate: (limit, interval in nanoseconds).
        exposure: gross notional by currency code.
    """

    order_rate: tuple[int, int] | None = None
    modify_rate: tuple[int, int] | None = None
    notional_per_order: Mapping[str, Amount] = {}
    position: Mapping[str, Amount] = {}
    exposure: Mapping[str, Amount] = {}
    open_orders: int | None = None
    price_collar: Rate | None = None

    @staticmethod
    def amounts(setting: str | Mapping[str, str] | None) -> dict[str, Amount]:
        """An amount for all, or by name, as (raw, scale)."""
        if setting is None:
            return {}
        if isinstance(setting, str):
            return {"": parse_decimal(setting)}
        return {name: parse_decimal(amount) for name, amount in setting.items()}

    def notional_of(self, instrument_id: str) -> Amount | None:
        """The largest notional of an order of that instrument."""
        return self.notional_per_order.get(instrument_id) or self.notional_per_order.get("")

    def position_of(self, instrument_id: str) -> Amount | None:
        """The largest position in that instrument."""
        return self.position.get(instrument_id) or self.position.get("")

    @property
    def looks_around(self) -> bool:
        """Whether a check needs more than the order itself: checks 9 and 10."""
        return bool(self.position or self.exposure) or self.open_orders is not None or self.price_collar is not None


class RiskRules(NamedTuple):
    """All that the risk engine is told: limits for everything, by venue and by strategy id, and the rest."""

    limits: Limits = Limits()
    accounts: Mapping[str, Limits] = {}
    strategies: Mapping[str, Limits] = {}
    self_trade: SelfTradeMode = SelfTradeMode.NONE
    breaches: BreachRules | None = None
    trading_state: TradingState = TradingState.ACTIVE


class Scope:
    """A set of limits, and the orders and positions it holds for: all, those of an account, or of a strategy.

    Attributes:
        name: where the limits stand in the settings, for messages.
        venue, strategy_id: None where it does not matter.
    """

    __slots__ = ("limits", "modify_rate", "name", "order_rate", "strategy_id", "venue")

    def __init__(self, name: str, limits: Limits, *, venue: str | None = None, strategy_id: str | None = None) -> None:
        self.name, self.limits, self.venue, self.strategy_id = name, limits, venue, strategy_id
        self.order_rate = None if limits.order_rate is None else PassRate(*limits.order_rate)
        self.modify_rate = None if limits.modify_rate is None else PassRate(*limits.modify_rate)

    def holds_for(self, order: Order) -> bool:
        """Whether an order counts here."""
        if self.strategy_id is not None:
            return order.strategy_id == self.strategy_id
        return self.venue is None or order.instrument_id.endswith(f".{self.venue}")


class Scopes:
    """Every set of limits, from the widest to the narrowest. The tightest wins: each is looked at.

    Attributes:
        only_order_rate: the rate of orders, where there is one set of limits only.
        look_around, limit_notional: whether any set has limits of checks 9 and 10, and of check 7.
    """

    def __init__(self, rules: RiskRules) -> None:
        self._everything = Scope("risk", rules.limits)
        self._accounts = {
            venue: Scope(f"risk.accounts.{venue}", limits, venue=venue) for venue, limits in rules.accounts.items()
        }
        self._strategies = {
            name: Scope(f"risk.strategies.{name}", limits, strategy_id=name)
            for name, limits in rules.strategies.items()
        }
        self._only = (self._everything,)
        self._is_single = not (self._accounts or self._strategies)
        self.only_order_rate = self._everything.order_rate if self._is_single else None
        every = (*self._only, *self._accounts.values(), *self._strategies.values())
        self.look_around = any(scope.limits.looks_around for scope in every)
        self.limit_notional = any(scope.limits.notional_per_order for scope in every)

    def of(self, order: Order) -> tuple[Scope, ...]:
        """Those that hold for an order."""
        if self._is_single:
            return self._only
        found = (self._accounts.get(order.instrument_id.rpartition(".")[2]), self._strategies.get(order.strategy_id))
        return (self._everything, *(scope for scope in found if scope is not None))


def at_precision(amount: Amount, precision: int) -> int:
    """An amount's raw integer at another number of decimals."""
    return rescale_half_even(amount[0], amount[1], precision)
