"""Pure integer functions: the one text of fees, profit, margin and rounding."""
