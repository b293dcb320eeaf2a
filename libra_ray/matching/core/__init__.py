"""The compiled engine's core: orders, fills, positions and money as numba functions over arrays of integers.

What it cannot do in 64 bits, or does not know, it raises; whoever runs it then runs the event engine instead.
"""

__all__: list[str] = []
