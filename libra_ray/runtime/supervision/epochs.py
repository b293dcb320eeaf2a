"""Epochs: each start of a host gets the next number, and what an older one sends is refused."""

from collections.abc import Mapping

__all__ = ["Epochs"]


class Epochs:
    """The epoch of each host, from 1 on. `known` are the ones used before, from an earlier life of the same folder."""

    def __init__(self, known: Mapping[str, int] | None = None) -> None:
        self._current = dict(known or {})

    def next(self, host_id: str) -> int:
        """The epoch of the start that is about to happen. From here on every older one is fenced."""
        epoch = self._current.get(host_id, 0) + 1
        self._current[host_id] = epoch
        return epoch

    def current(self, host_id: str) -> int:
        """The epoch of the last start; 0 before the first."""
        return self._current.get(host_id, 0)

    def is_stale(self, host_id: str, epoch: int) -> bool:
        """Whether a later start has fenced `epoch`."""
        return epoch < self.current(host_id)

    def as_mapping(self) -> Mapping[str, int]:
        """All of them, to be kept."""
        return dict(self._current)
