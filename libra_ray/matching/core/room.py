"""Whether arrays are large enough for one more row, and larger ones."""

import numpy as np

from libra_ray.matching.core.forms import entry
from libra_ray.matching.core.layout import (
    EVENT_ROOM,
    EVENTS,
    EVENTS_PER_ORDER,
    ORDER_ROOM,
    ORDERS,
    REF_ROOM,
    SAMPLE_ROOM,
    SAMPLES,
    WORKING,
    Columns,
    Core,
    Ledger,
    placed,
)

__all__ = ["INTENTS_MAX", "grown", "has_room"]

INTENTS_MAX = 64
"""More orders than a handler can send at a row."""


@entry
def has_room(ledger: Core, refs: int) -> bool:
    """Whether all that one more row can cause has a place; `refs` references were given so far."""
    now = ledger.now
    most = (now[WORKING] + INTENTS_MAX) * EVENTS_PER_ORDER + 2
    fits: bool = (
        now[EVENTS] + most <= now[EVENT_ROOM]
        and now[SAMPLES] + most <= now[SAMPLE_ROOM]
        and now[ORDERS] + INTENTS_MAX <= now[ORDER_ROOM]
        and refs + INTENTS_MAX <= now[REF_ROOM]
    )
    return fits


def grown(ledger: Ledger) -> Ledger:
    """The same with twice the room."""
    return placed(
        ledger._replace(
            orders=_doubled(ledger.orders),
            events=_doubled(ledger.events),
            samples=_doubled(ledger.samples),
            refs=_doubled(ledger.refs),
            leaves=_doubled(ledger.leaves),
        )
    )


def _doubled(array: Columns) -> Columns:
    return np.concatenate([array, np.zeros_like(array)])
