"""The limits as integers: parsed once from settings, compared many times."""

from collections.abc import Mapping
from typing import NamedTuple

from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Rate, parse_decimal
from libra_ray.model.rules.fixed_point import rescale_half_even

__all__ = ["RiskLimits"]


class RiskLimits(NamedTuple):
    """What `RiskEngine` compares with. Amounts are (raw, scale) pairs by instrument id, `""` for all others."""

    order_limit: int
    order_interval_ns: int
    modify_limit: int
    modify_interval_ns: int
    notional_per_order: Mapping[str, tuple[int, int]]
    position: Mapping[str, tuple[int, int]]
    exposure: Mapping[str, tuple[int, int]]
    open_orders: int | None
    price_collar: Rate | None
    trading_state: TradingState

    @staticmethod
    def amounts(setting: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
        """An amount for all, or by name, as (raw, scale)."""
        if setting is None:
            return {}
        if isinstance(setting, str):
            return {"": parse_decimal(setting)}
        return {name: parse_decimal(amount) for name, amount in setting.items()}


def at_precision(amount: tuple[int, int], precision: int) -> int:
    """An amount's raw integer at another number of decimals."""
    return rescale_half_even(amount[0], amount[1], precision)
