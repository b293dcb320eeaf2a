"""Pure integer functions: the one text of fees, profit, margin and rounding."""

__all__ = ["fees", "fixed_point", "margin", "pnl", "trailing"]
