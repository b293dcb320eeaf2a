"""What hosts in lockstep tell each other: the turns of their actors, and promises that nothing comes before a turn."""

from collections import deque
from typing import Final, Protocol

import msgspec

from libra_ray.simulation.lockstep.calls import LockstepBroken, Turn, read_turn

__all__ = ["Exchange", "HostReport", "LockstepFigures", "Mail", "Speaker"]

PROMISE_EVERY: Final = 8_192
"""An actor that does nothing for so many turns says so, that others may go on before anybody waits for it."""
_FOREVER: Final = 2**62
_END: Final = ""
"""In the place of an actor id: the host that tells it has come to the end, and needs nothing any more."""


class Mail(Protocol):
    """Carries messages to all other hosts and from them, none lost, in order per sender.

    Attributes:
        others: how many other hosts there are.
    """

    others: int

    def tell(self, body: bytes) -> None:
        """Send to all others."""
        ...

    def hear(self) -> bytes:
        """The next message of anybody; waits for it. Raises when a host is gone."""
        ...


class Speaker(Protocol):
    """The turns of one actor of this host."""

    actor_id: str
    number: int


class LockstepFigures(msgspec.Struct, frozen=True):
    """What lockstep cost: messages told and heard, and how often this host had to wait for another."""

    told: int
    heard: int
    rounds: int


class HostReport(msgspec.Struct, frozen=True):
    """What a host says at the end of a run in lockstep."""

    run_hash: str
    figures: LockstepFigures
    seconds: float


class Exchange:
    """One host's side. Each side promises before it waits, so whoever is first in the order of things can go on."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._speakers: list[Speaker] = []
        self._promised: dict[str, int] = {}
        self._boxes: dict[str, deque[Turn]] = {}
        self._told = self._heard = self._rounds = self._ended = 0

    def speak_for(self, speaker: Speaker) -> None:
        """An actor of this host: its promises are made here."""
        self._speakers.append(speaker)

    def box_of(self, actor_id: str) -> deque[Turn]:
        """Where the turns of another host's actor arrive."""
        return self._boxes.setdefault(actor_id, deque())

    def tell(self, turn: Turn) -> None:
        """An actor of this host has done something."""
        self._promised[turn.actor_id] = turn.number
        self._told += 1
        self._mail.tell(msgspec.msgpack.encode(turn))

    def promise(self, actor_id: str, number: int) -> None:
        """An actor of this host does nothing up to its turn `number`."""
        if number > self._promised.get(actor_id, 0):
            self.tell(Turn(actor_id, number))

    def wait(self) -> None:
        """Nothing can be done here before somebody says something: promise what can be promised, then listen."""
        for speaker in self._speakers:
            self.promise(speaker.actor_id, speaker.number)
        self._rounds += 1
        turn = read_turn(self._mail.hear())
        if turn.actor_id == _END:
            self._ended += 1
            return
        self._heard += 1
        box = self._boxes.get(turn.actor_id)
        if box is None:
            raise LockstepBroken(f"a turn of {turn.actor_id!r} was told, which no other host has")
        box.append(turn)

    def finish(self) -> LockstepFigures:
        """The run has ended here: the actors of this host will do nothing any more. Waits for the end of all."""
        for speaker in self._speakers:
            self.promise(speaker.actor_id, _FOREVER)
        figures = LockstepFigures(self._told, self._heard, self._rounds)
        self._mail.tell(msgspec.msgpack.encode(Turn(_END, 0)))
        while self._ended < self._mail.others:
            self.wait()
        return figures
