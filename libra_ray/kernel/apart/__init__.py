"""The kernel apart: each part on a host of its own, in step with the others by messages alone."""

__all__: list[str] = []
