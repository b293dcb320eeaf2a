"""Which order status may follow which. An illegal step raises; the order is unchanged."""

from types import MappingProxyType
from typing import Final

from libra_ray.model.enums import OrderStatus as S

__all__ = ["CLOSED", "NEXT", "SUCCESSORS", "is_legal"]

_AT_VENUE = (S.FILLED, S.PARTIALLY_FILLED, S.PENDING_UPDATE, S.PENDING_CANCEL, S.UNKNOWN)
_FOUND = (S.ACCEPTED, S.REJECTED, S.CANCELED, S.EXPIRED, S.TRIGGERED, S.PARTIALLY_FILLED, S.FILLED)

NEXT: Final = MappingProxyType(
    {
        S.INITIALIZED: (S.SUBMITTED, S.DENIED, S.EMULATED, S.RELEASED, *_FOUND),
        S.EMULATED: (S.RELEASED, S.CANCELED, S.EXPIRED),
        S.RELEASED: (S.DENIED, S.SUBMITTED, S.CANCELED),
        S.SUBMITTED: (S.ACCEPTED, *_AT_VENUE, S.REJECTED, S.CANCELED, S.EXPIRED),
        S.ACCEPTED: (*_AT_VENUE, S.REJECTED, S.CANCELED, S.EXPIRED, S.TRIGGERED),
        S.TRIGGERED: (*_AT_VENUE, S.REJECTED, S.CANCELED, S.EXPIRED),
        S.PARTIALLY_FILLED: (*_AT_VENUE, S.CANCELED, S.EXPIRED),
        S.PENDING_UPDATE: (*_FOUND, S.PENDING_UPDATE, S.PENDING_CANCEL, S.UNKNOWN, S.SUBMITTED),
        S.PENDING_CANCEL: (*_FOUND, S.PENDING_CANCEL, S.UNKNOWN, S.SUBMITTED),
        S.UNKNOWN: (*_FOUND, S.ABSENT),
        S.ABSENT: _FOUND,
        S.CANCELED: (S.PARTIALLY_FILLED, S.FILLED),
        S.EXPIRED: (S.PARTIALLY_FILLED, S.FILLED),
        S.DENIED: (),
        S.REJECTED: (),
        S.FILLED: (),
    }
)
"""Legal targets by status. SUBMITTED follows PENDING_* only when the venue refuses the change; SUBMITTED leads to
EXPIRED for a held child, INITIALIZED to EXPIRED for the primary of an algorithm."""

CLOSED: Final = (S.FILLED, S.CANCELED, S.DENIED, S.REJECTED, S.EXPIRED, S.ABSENT)

SUCCESSORS: Final = {status._value_: targets for status, targets in NEXT.items()}
"""`NEXT` by plain text, what is usual first: looked at for every event, and hashing an enum member costs a call."""


def is_legal(status: S, target: S) -> bool:
    """Whether `target` may follow `status`."""
    return target in SUCCESSORS[status._value_]
