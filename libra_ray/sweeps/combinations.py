"""The combinations of a sweep by trial number, wherever their values come from."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from libra_ray.sweeps.grid import Parameter

__all__ = ["Combinations"]


class Combinations(Sequence[dict[str, Any]]):
    """Element `trial` is a dict from the parameters' names to their values."""

    def __init__(self, parameters: "Iterable[Parameter]") -> None:
        self.parameters = tuple(parameters)

    @abstractmethod
    def chosen(self, trial: int) -> Sequence[Any]:
        """The value of each parameter. Raises `IndexError` for a trial that there is not."""

    @overload
    def __getitem__(self, trial: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, trial: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, trial: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(trial, slice):
            return [self[each] for each in range(*trial.indices(len(self)))]
        names = (parameter.name for parameter in self.parameters)
        return dict(zip(names, self.chosen(trial), strict=True))

    def settings(self, trial: int) -> dict[str, dict[str, Any]]:
        """The combination as `System.with_settings` takes it: by actor id, then by setting."""
        changes: dict[str, dict[str, Any]] = {}
        for parameter, value in zip(self.parameters, self.chosen(trial), strict=True):
            changes.setdefault(parameter.actor_id, {})[parameter.setting] = value
        return changes
