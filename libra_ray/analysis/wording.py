"""Figures as a person reads them: labels, units, digits."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias

__all__ = [
    "ABSENT",
    "FIGURES",
    "Figure",
    "amount_text",
    "cut",
    "decimal_text",
    "duration_text",
    "figure_text",
    "money_text",
    "time_text",
]

Kind: TypeAlias = Literal["percent", "ratio", "money", "count", "days", "text", "time"]
ABSENT: Final = "–"  # noqa: RUF001 - an en dash, for a figure that is not defined
MINUS: Final = "−"  # noqa: RUF001 - the sign, as wide as a digit
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
TEXT_CHARS_MAX = 300


@dataclass(frozen=True, slots=True)
class Figure:
    """How one key of the statistics is shown, and what it is in a few words."""

    group: str
    label: str
    kind: Kind
    note: str = ""


FIGURES: Final[dict[str, Figure]] = {
    "total_return": Figure("Return", "Total return", "percent", "final equity over starting equity, less one"),
    "net_profit": Figure("Return", "Net profit", "money"),
    "starting_equity": Figure("Return", "Starting equity", "money"),
    "final_equity": Figure("Return", "Final equity", "money"),
    "cagr": Figure("Return", "CAGR", "percent", "compound annual growth rate"),
    "best_day": Figure("Return", "Best day", "percent"),
    "worst_day": Figure("Return", "Worst day", "percent"),
    "days": Figure("Return", "Days sampled", "count", "UTC days with a row of equity"),
    "periods_per_year": Figure("Return", "Periods per year", "count", "what annualises the figures"),
    "sharpe_ratio": Figure("Risk", "Sharpe ratio", "ratio", "annualised, risk-free rate 0"),
    "sortino_ratio": Figure("Risk", "Sortino ratio", "ratio", "annualised, target 0"),
    "calmar_ratio": Figure("Risk", "Calmar ratio", "ratio", "CAGR over maximum drawdown"),
    "volatility": Figure("Risk", "Volatility", "percent", "annualised deviation of daily returns"),
    "max_drawdown": Figure("Risk", "Max drawdown", "percent", "deepest fall below a peak, over all rows of equity"),
    "max_drawdown_duration_days": Figure("Risk", "Longest drawdown", "days", "from a peak until it was reached again"),
    "value_at_risk_95": Figure("Risk", "Value at risk 95 %", "percent", "worst daily return but for one day in 20"),
    "conditional_value_at_risk_95": Figure("Risk", "Conditional VaR 95 %", "percent", "mean of the worst days"),
    "skewness": Figure("Risk", "Skewness", "ratio", "of daily returns"),
    "kurtosis": Figure("Risk", "Excess kurtosis", "ratio", "of daily returns; 0 for a normal law"),
    "trades": Figure("Trades", "Trades", "count", "closed positions"),
    "wins": Figure("Trades", "Winning trades", "count"),
    "losses": Figure("Trades", "Losing trades", "count"),
    "win_rate": Figure("Trades", "Win rate", "percent"),
    "profit_factor": Figure("Trades", "Profit factor", "ratio", "gross profit over gross loss"),
    "payoff_ratio": Figure("Trades", "Payoff ratio", "ratio", "average win over average loss"),
    "expectancy": Figure("Trades", "Expectancy", "money", "mean result of a trade"),
    "avg_win": Figure("Trades", "Average win", "money"),
    "avg_loss": Figure("Trades", "Average loss", "money"),
    "best_trade": Figure("Trades", "Best trade", "money"),
    "worst_trade": Figure("Trades", "Worst trade", "money"),
    "system_quality_number": Figure("Trades", "System quality number", "ratio", "root of trades x mean / deviation"),
    "exposure": Figure("Activity", "Exposure", "percent", "of the time with a position open"),
    "turnover": Figure("Activity", "Turnover", "ratio", "traded value over mean equity"),
    "turnover_per_year": Figure("Activity", "Turnover per year", "ratio"),
    "positions_open": Figure("Activity", "Open positions at the end", "count"),
    "orders": Figure("Activity", "Orders", "count"),
    "fills": Figure("Activity", "Fills", "count"),
    "denied": Figure("Activity", "Orders denied", "count", "refused before they left, by the risk engine"),
    "rejected": Figure("Activity", "Orders rejected", "count", "refused by the venue"),
    "canceled": Figure("Activity", "Orders canceled", "count"),
    "expired": Figure("Activity", "Orders expired", "count"),
    "currency": Figure("Activity", "Currency of equity", "text"),
    "trade_currency": Figure("Activity", "Currency of trades", "text"),
    "start_ns": Figure("Activity", "Equity from", "time"),
    "end_ns": Figure("Activity", "Equity until", "time"),
}


def figure_text(key: str, value: float | str | None) -> str:
    """Write the figure `key` for reading: percent with two decimals, ratios with three, money with cents at least."""
    if value is None:
        return ABSENT
    if isinstance(value, str):
        return cut(value)
    kind = FIGURES[key].kind if key in FIGURES else "money" if key.startswith("fees_") else "ratio"
    match kind:
        case "percent":
            return f"{_signed(value * 100, 2)} %"
        case "ratio":
            return f"{value:,}" if isinstance(value, int) else _signed(value, 3)
        case "money":
            return money_text(value)
        case "count":
            return f"{value:,}"
        case "days":
            return f"{_signed(value, 1)} days" if value % 1 else f"{int(value):,} days"
        case "time":
            return time_text(int(value))
        case "text":
            return str(value)


def money_text(value: float) -> str:
    """Write an amount with two decimals, with up to eight significant digits below one."""
    return _signed(value, 2) if abs(value) >= 1 or value == 0 else _signed(value, 8).rstrip("0").rstrip(".")


def decimal_text(value: Decimal | float | None) -> str:
    """Write a price, quantity or amount in full, without the zeros behind it."""
    if value is None:
        return ABSENT
    text = f"{Decimal(str(value)):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def amount_text(value: Decimal | None) -> str:
    """Write an amount of money in full, with two decimals at least."""
    text = decimal_text(value)
    whole, _, fraction = text.partition(".")
    return text if value is None else f"{whole}.{fraction:0<2}"


def time_text(ts_ns: int | None) -> str:
    """Write a time as `2024-01-02 09:30:00` UTC, with as much of the second's fraction as there is."""
    if ts_ns is None:
        return ABSENT
    seconds, fraction_ns = divmod(ts_ns, NS_PER_S)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return whole + (f".{fraction_ns:09d}".rstrip("0") if fraction_ns else "")


def duration_text(span_ns: int) -> str:
    """Write a span in its two largest units: `3 d 4 h`, `12 m 5 s`, `250 ms`."""
    seconds, rest_ns = divmod(span_ns, NS_PER_S)
    if seconds == 0:
        return f"{rest_ns // NS_PER_MS} ms" if rest_ns >= NS_PER_MS else f"{rest_ns:,} ns"
    parts = [(seconds // 86_400, "d"), (seconds // 3_600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s")]
    leading = next(place for place, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count:,} {unit}" for count, unit in parts[leading : leading + 2] if count)


def cut(text: str) -> str:
    """Keep the first 300 characters: a message is shown, not a file."""
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}..."


def _signed(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text[1:] if float(text.replace(",", "")) == 0 and text.startswith("-") else text.replace("-", MINUS)
