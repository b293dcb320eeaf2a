"""Commands to a host: what a supervisor says, and how it is answered.

A command is a frame COMMAND in lane CONTROL whose destination is the epoch it is meant for and whose `extra` is its
number; each is answered once by a frame ANSWER with the same number. A command for another life of the host is refused.
"""

from typing import Any

import msgspec

from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Letter, Port
from libra_ray.errors import LibraError
from libra_ray.hosts.context import SUPERVISOR
from libra_ray.messages.codec import DecodeError, decode, encode
from libra_ray.runtime.inbox import Lane

__all__ = [
    "AddActor",
    "Answer",
    "AskStatus",
    "DisposeActor",
    "FaultActor",
    "ForgetPeer",
    "HostCommand",
    "MovePeer",
    "PeerDied",
    "RemoveActor",
    "ResetActor",
    "RestartActor",
    "ResumeActor",
    "SaveActor",
    "StartActors",
    "StopActors",
    "StopHost",
    "answer_in",
    "command_in",
    "post_answer",
    "post_command",
]


class HostCommand(msgspec.Struct, frozen=True):
    """What all commands are."""


class StartActors(HostCommand, frozen=True):
    """Start these, in this order, as one step; none means all residents in their order.

    With `saved` (by actor id, as `on_save` gave it) or, without, with what the journal of the host's last life holds,
    each is given its state by `on_load` after `on_start`; then what the journal has since is replayed, then they run.
    Answered when all hosts know what they have subscribed to.
    """

    actor_ids: tuple[str, ...] = ()
    saved: dict[str, dict[str, bytes]] | None = None


class StopActors(HostCommand, frozen=True):
    """Stop those of these that run, in reverse order, settling after each; none means all."""

    actor_ids: tuple[str, ...] = ()


class ResumeActor(HostCommand, frozen=True):
    """RESUME."""

    actor_id: str


class ResetActor(HostCommand, frozen=True):
    """RESET."""

    actor_id: str


class DisposeActor(HostCommand, frozen=True):
    """DISPOSE."""

    actor_id: str


class FaultActor(HostCommand, frozen=True):
    """FAULT by decision, with that reason."""

    actor_id: str
    reason: str


class AddActor(HostCommand, frozen=True):
    """Take an actor of the class at `path` (`package.module:Class`) into the host. It is not started."""

    path: str
    actor_id: str
    settings: dict[str, Any]
    kind: int = 7


class RemoveActor(HostCommand, frozen=True):
    """Stop it if it runs, dispose of it and forget it."""

    actor_id: str


class RestartActor(HostCommand, frozen=True):
    """Make a new instance in place of the one there is and start it with the state last saved."""

    actor_id: str


class SaveActor(HostCommand, frozen=True):
    """Ask `on_save`; the answer's value is what it gave."""

    actor_id: str


class AskStatus(HostCommand, frozen=True):
    """The answer's value is the `HostStatus`."""


class StopHost(HostCommand, frozen=True):
    """Stop all actors in reverse order, send what is to be sent, answer, and end; within `deadline_ns` from now."""

    deadline_ns: int


class MovePeer(HostCommand, frozen=True):
    """A peer lives at another address, in another epoch; what it has not confirmed is sent again there."""

    host_id: str
    address: str
    epoch: int
    server_key: bytes | None = None


class PeerDied(HostCommand, frozen=True):
    """To the bus host: that life of a host is over, so nobody waits for it. What it receives is kept for the next."""

    host_id: str
    epoch: int


class ForgetPeer(HostCommand, frozen=True):
    """A peer is gone for good: what is meant for it is a dead letter."""

    host_id: str


class Answer(msgspec.Struct, frozen=True):
    """The end of a command. `text` is one line: empty, or why it was not done; `value` is what was asked for."""

    is_ok: bool
    text: str = ""
    value: Any = None


def post_command(port: Port, host_id: str, epoch: int, number: int, command: HostCommand, ts_ns: int) -> None:
    """Send a command to that life of a host; the answer will carry `number`."""
    type_name, body = encode(command)
    port.post(host_id, Kind.COMMAND, Lane.CONTROL, str(epoch), type_name, body, ts_ns=ts_ns, extra=number)


def answer_in(letter: Letter) -> tuple[int, Answer]:
    """The number and the answer that a frame ANSWER carries. Raises `DecodeError`."""
    answer = decode(letter.frame.type, letter.body)
    if not isinstance(answer, Answer):
        raise DecodeError(letter.frame.type, "no answer")
    return letter.frame.extra, answer


def command_in(letter: Letter, epoch: int) -> HostCommand | Answer:
    """The command that a frame carries, or why it is none for this life of the host.

    The supervisor commands; a host of a test's own may say that it leaves itself.
    """
    frame, body = letter.frame, letter.body
    if frame.destination != str(epoch):
        return Answer(is_ok=False, text=f"the command was for epoch {frame.destination}, this is {epoch}")
    try:
        command = decode(frame.type, body)
    except DecodeError as error:
        return Answer(is_ok=False, text=str(error))
    leaves = isinstance(command, PeerDied) and command.host_id == letter.peer
    if letter.peer != SUPERVISOR and not leaves:
        return Answer(is_ok=False, text=f"{letter.peer} is not the supervisor and gives no commands")
    return command if isinstance(command, HostCommand) else Answer(is_ok=False, text=f"{frame.type} is no command")


def post_answer(port: Port, letter: Letter, answer: Answer, ts_ns: int) -> None:
    """Answer the command that came in `letter`; one whose value cannot be sent is answered with that."""
    try:
        type_name, body = encode(answer)
    except LibraError as error:
        type_name, body = encode(Answer(is_ok=False, text=f"the answer cannot be sent: {error}"))
    port.post(letter.peer, Kind.ANSWER, Lane.CONTROL, "", type_name, body, ts_ns=ts_ns, extra=letter.frame.extra)
