"""Benchmarks, one file per topology or path: `python -m benchmarks` runs all, `python -m benchmarks.<name>` one."""

__all__: list[str] = []
