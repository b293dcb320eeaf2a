"""The same EMA-cross job on the same bars in other engines and in this one: `python -m benchmarks.peers`."""

__all__: list[str] = []
