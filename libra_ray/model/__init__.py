"""Values and pure functions: instruments, numbers, orders, positions, accounts."""
