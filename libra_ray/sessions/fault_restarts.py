"""Actors that come back after a fault of their own code: in their host, with the same patience as hosts have."""

from collections.abc import Callable
from typing import Final

from libra_ray.clock import Clock
from libra_ray.runtime.supervision import (
    Activate,
    Activated,
    Begin,
    Ended,
    Escalate,
    Event,
    Halt,
    Kill,
    Launch,
    Launched,
    Restart,
    Stop,
    SupervisionTree,
    Tick,
)
from libra_ray.sessions.supervision_settings import SupervisionSettings, host_supervisor

__all__ = ["FaultRestarts"]

COMES_BACK: Final = Restart.PERMANENT


class FaultRestarts:
    """One small tree per actor that has faulted. `restart` is called when the back-off is over."""

    def __init__(
        self,
        settings: SupervisionSettings,
        clock: Clock,
        *,
        restart: Callable[[str], None],
        on_halt: Callable[[str], None],
    ) -> None:
        self._settings, self._clock = settings, clock
        self._restart, self._on_halt = restart, on_halt
        self._trees: dict[str, SupervisionTree] = {}

    def faulted(self, actor_id: str, reason: str) -> None:
        """An actor that comes back has faulted."""
        tree = self._trees.get(actor_id)
        if tree is None:
            tree = SupervisionTree(host_supervisor(self._settings, actor_id, COMES_BACK))
            for event in (Begin((actor_id,)), Launched(actor_id, 1), Activated(actor_id, 1)):
                tree.handle(event, self._clock.now_ns())
            self._trees[actor_id] = tree
        self._tell(tree, Ended(actor_id, tree.view(actor_id).epoch, reason=reason))

    def forget(self, actor_id: str) -> None:
        """The actor is gone, or was started by hand: its record is clean."""
        self._trees.pop(actor_id, None)

    def on_time(self) -> None:
        """Restart whose back-off is over."""
        now_ns = self._clock.now_ns()
        for tree in list(self._trees.values()):
            due_ns = tree.next_due_ns()
            if due_ns is not None and due_ns <= now_ns:
                self._tell(tree, Tick())

    def count(self, actor_id: str) -> int:
        """How often it came back."""
        tree = self._trees.get(actor_id)
        return 0 if tree is None else tree.view(actor_id).restarts

    def _tell(self, tree: SupervisionTree, event: Event) -> None:
        for action in tree.handle(event, self._clock.now_ns()):
            match action:
                case Launch(actor_id, epoch):
                    self._tell(tree, Launched(actor_id, epoch))
                    self._tell(tree, Activated(actor_id, epoch))
                    self._restart(actor_id)
                case Halt(_, reason):
                    self._on_halt(reason)
                case Activate() | Escalate() | Kill() | Stop():  # an actor alone in its tree is never killed
                    pass
