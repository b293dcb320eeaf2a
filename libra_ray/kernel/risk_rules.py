"""The risk engine's rules, parsed from settings."""

from libra_ray.kernel.settings import LimitSettings, RiskSettings, parse_rate
from libra_ray.model.enums import TradingState
from libra_ray.model.numbers import Rate, parse_decimal
from libra_ray.risk import BreachRules, Limits, RiskRules, SelfTradeMode

__all__ = ["risk_rules"]


def risk_rules(settings: RiskSettings) -> RiskRules:
    """Everything as integers, once."""
    loss, drawdown = settings.max_daily_loss, settings.max_drawdown
    breaches = None
    if loss is not None or drawdown is not None:
        breaches = BreachRules(
            None if loss is None else parse_decimal(loss),
            None if drawdown is None else Rate.parse(drawdown),
            TradingState(settings.on_breach),
        )
    return RiskRules(
        _limits(settings),
        {venue: _limits(limits) for venue, limits in settings.accounts.items()},
        {name: _limits(limits) for name, limits in settings.strategies.items()},
        SelfTradeMode(settings.stp),
        breaches,
        settings.trading_state,
    )


def _limits(settings: LimitSettings) -> Limits:
    orders, modifies, collar = settings.max_order_rate, settings.max_modify_rate, settings.price_collar_bps
    return Limits(
        None if orders is None else parse_rate(orders),
        None if modifies is None else parse_rate(modifies),
        Limits.amounts(settings.max_notional_per_order),
        Limits.amounts(settings.max_position),
        Limits.amounts(settings.max_exposure),
        settings.max_open_orders,
        None if collar is None else Rate.parse(collar),
    )
