"""The combinations of a sweep whose trials are proposed one after the other."""

from collections.abc import Iterable, Sequence
from typing import Any, overload

from libra_ray.sweeps.grid import Parameter

__all__ = ["Proposals"]


class Proposals(Sequence[dict[str, Any]]):
    """Like a `Grid`, but it grows: element `trial` is a dict from the parameters' names to their values."""

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        self.parameters = tuple(parameters)
        self._chosen: list[tuple[Any, ...]] = []

    def add(self, chosen: Iterable[tuple[Any, ...]]) -> range:
        """Take combinations up, values in the order of the parameters; returns their trial numbers."""
        first = len(self._chosen)
        self._chosen += chosen
        return range(first, len(self._chosen))

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, trial: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, trial: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, trial: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(trial, slice):
            return [self[each] for each in range(*trial.indices(len(self)))]
        names = (parameter.name for parameter in self.parameters)
        return dict(zip(names, self._chosen[trial], strict=True))

    def settings(self, trial: int) -> dict[str, dict[str, Any]]:
        """The combination as `System.with_settings` takes it: by actor id, then by setting."""
        changes: dict[str, dict[str, Any]] = {}
        for parameter, value in zip(self.parameters, self._chosen[trial], strict=True):
            changes.setdefault(parameter.actor_id, {})[parameter.setting] = value
        return changes
