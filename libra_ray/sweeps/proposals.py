"""The combinations of a sweep whose trials are proposed one after the other."""

from collections.abc import Iterable, Sequence
from typing import Any

from libra_ray.sweeps.combinations import Combinations
from libra_ray.sweeps.grid import Parameter

__all__ = ["Proposals"]


class Proposals(Combinations):
    """Like a `Grid`, but it grows."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        super().__init__(parameters)
        self._chosen: list[tuple[Any, ...]] = []

    def add(self, chosen: Iterable[tuple[Any, ...]]) -> range:
        """Take combinations up, values in the order of the parameters; returns their trial numbers."""
        first = len(self._chosen)
        self._chosen += chosen
        return range(first, len(self._chosen))

    def __len__(self) -> int:
        return len(self._chosen)

    def chosen(self, trial: int) -> Sequence[Any]:
        """The value of each parameter, as it was proposed."""
        return self._chosen[trial]
