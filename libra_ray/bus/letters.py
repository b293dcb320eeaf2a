"""What the bus itself writes: requests on their way, ends of requests, dead letters."""

from enum import StrEnum
from typing import Any

import msgspec

from libra_ray.messages.codec import register

__all__ = ["DeadLetter", "DeadReason", "NoReceiver", "Request", "TimedOut"]


class DeadReason(StrEnum):
    """Why a message could not be delivered. Those from STALE_EPOCH on happen between hosts only."""

    NO_RECEIVER = "NO_RECEIVER"
    LATE_REPLY = "LATE_REPLY"
    UNKNOWN_REQUEST = "UNKNOWN_REQUEST"
    STALE_EPOCH = "STALE_EPOCH"
    BAD_VERSION = "BAD_VERSION"
    BAD_FRAME = "BAD_FRAME"
    TOO_LONG = "TOO_LONG"
    UNDECODABLE = "UNDECODABLE"
    WRONG_SOURCE = "WRONG_SOURCE"


class DeadLetter(msgspec.Struct, frozen=True):
    """What could not be delivered, on topic `dead_letters`.

    `destination` is the endpoint, or for replies `reply:{correlation id}`; `count` is how many died for this reason so
    far, this one included.
    """

    reason: DeadReason
    destination: str
    message: Any
    ts_ns: int
    count: int


class Request(msgspec.Struct, frozen=True):
    """What a receiver is given. It answers by `reply` with the same correlation id, now or later, once.

    `body` is the message of the one who asks (`source`); after `deadline_ns` nobody waits any more.
    """

    correlation_id: int
    endpoint: str
    body: Any
    source: str
    ts_ns: int
    deadline_ns: int


class TimedOut(msgspec.Struct, frozen=True):
    """No reply came in time. Whether the receiver did what it was asked is not known."""

    correlation_id: int
    endpoint: str
    ts_ns: int


class NoReceiver(msgspec.Struct, frozen=True):
    """The endpoint had no receiver: nothing was asked."""

    correlation_id: int
    endpoint: str
    ts_ns: int


register(DeadLetter, DeadReason, NoReceiver, Request, TimedOut)
