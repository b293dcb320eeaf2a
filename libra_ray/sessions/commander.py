"""Commands to hosts and their answers, from the supervisor's thread."""

from typing import Final

from libra_ray.bus.wire.port import Letter, Port
from libra_ray.clock import Clock
from libra_ray.hosts.commands import Answer, HostCommand, answer_in, post_command
from libra_ray.messages.codec import DecodeError
from libra_ray.sessions.procedures import Steps

__all__ = ["Commander"]

SECOND: Final = 1_000_000_000


class _Pending:
    __slots__ = ("answer", "epoch", "host_id")

    def __init__(self, host_id: str, epoch: int) -> None:
        self.host_id, self.epoch = host_id, epoch
        self.answer: Answer | None = None


class Commander:
    """Numbers commands, and finds whose the answers are."""

    def __init__(self, port: Port, clock: Clock) -> None:
        self._port, self._clock = port, clock
        self._number = 0
        self._pending: dict[int, _Pending] = {}

    def tell(self, host_id: str, epoch: int, command: HostCommand) -> None:
        """Send a command whose answer nobody waits for."""
        self._number += 1
        post_command(self._port, host_id, epoch, self._number, command, self._clock.now_ns())

    def ask(self, host_id: str, epoch: int, command: HostCommand, timeout_ns: int) -> Steps[Answer]:
        """Send a command and wait for its answer. A host that dies or is silent for too long gives one that says so."""
        self.tell(host_id, epoch, command)
        number, pending = self._number, _Pending(host_id, epoch)
        self._pending[number] = pending
        deadline_ns = self._clock.now_ns() + timeout_ns
        try:
            while pending.answer is None:
                if self._clock.now_ns() >= deadline_ns:
                    what = f"host {host_id} did not answer {type(command).__name__} within {timeout_ns / SECOND:g} s"
                    return Answer(is_ok=False, text=what)
                yield
            return pending.answer
        finally:
            del self._pending[number]

    def receive(self, letter: Letter) -> None:
        """Take a frame ANSWER. One that nobody waits for, or that is none, changes nothing."""
        try:
            number, answer = answer_in(letter)
        except DecodeError as error:
            number, answer = letter.frame.extra, Answer(is_ok=False, text=str(error))
        pending = self._pending.get(number)
        if pending is not None and pending.host_id == letter.peer:
            pending.answer = answer

    def lost(self, host_id: str, epoch: int, reason: str) -> None:
        """That life of a host is over: it answers nothing any more."""
        for pending in self._pending.values():
            if pending.host_id == host_id and pending.epoch <= epoch and pending.answer is None:
                pending.answer = Answer(is_ok=False, text=f"host {host_id} ended: {reason}")
