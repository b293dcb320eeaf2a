"""Random choices from a seed, the same on every machine."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Draw"]

CHUNK = 4096


class Draw:
    """Choices from one stream of uniform numbers (Philox keyed by the seed)."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(key=seed))
        self._numbers: list[float] = []

    def _uniform(self) -> float:
        if not self._numbers:
            self._numbers = self._generator.random(CHUNK).tolist()
        return self._numbers.pop()

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self._uniform() < probability

    def integer(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        return low + int(self._uniform() * (high - low + 1))

    def pick(self, choices: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever the caller listed
        """One of them, each equally likely."""
        return choices[self.integer(0, len(choices) - 1)]
