"""Values and pure functions: instruments, numbers, orders, positions, accounts."""

__all__ = [
    "accounts",
    "contract_terms",
    "enums",
    "identifiers",
    "instruments",
    "numbers",
    "order_states",
    "orders",
    "positions",
    "rules",
    "views",
]
