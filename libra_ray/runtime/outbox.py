"""The outbox: what a handler wants done is staged while it runs, and happens only when it has returned.

One list holds both halves in order. An entry `(actor, handler, message)` is a call to be made later; an entry
`(actor, None, undo)` says that something has been done already (a timer set, a subscription) and how to take it back.
So a loop needs a single test, `if host.staged`, after each handler.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from libra_ray.runtime.views import Handler

__all__ = ["Entry", "Outbox", "Staged"]

Staged: TypeAlias = tuple[Any, Handler | None, Any]
"""(actor that staged it, handler or None, message or undo)."""

Entry: TypeAlias = tuple[Any, Handler, Any]
"""(actor that sent it, handler, message): what waits in the queue."""


class Outbox:
    """`staged` belongs to the handler that runs now; `queue` is the host's FIFO of what handlers have committed."""

    def __init__(self) -> None:
        self.staged: list[Staged] = []
        self.queue: deque[Entry] = deque()

    def stage(self, actor: object, handler: Handler, message: object) -> None:
        """`handler(message)` is called in its turn, if the running handler returns."""
        self.staged.append((actor, handler, message))

    def stage_undo(self, actor: object, undo: Callable[[], object]) -> None:
        """`undo()` is called if the running handler raises; the latest first."""
        self.staged.append((actor, None, undo))

    def commit(self, start: int = 0) -> None:
        """The handler returned: move what it staged (from index `start`) to the end of the queue."""
        staged, append = self.staged, self.queue.append
        if start:
            for actor, handler, message in staged[start:]:
                if handler is not None:
                    append((actor, handler, message))
            del staged[start:]
            return
        for entry in staged:
            if entry[1] is not None:
                append(entry)  # type: ignore[arg-type] # mypy does not narrow a tuple by one of its items
        staged.clear()

    def rollback(self, start: int = 0) -> None:
        """The handler raised: discard what it staged (from index `start`) and undo what it had done."""
        staged = self.staged
        while len(staged) > start:
            _, handler, undo = staged.pop()
            if handler is None:
                undo()
