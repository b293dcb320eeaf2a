"""Whether arrays are large enough for one more row, and larger ones."""

import numpy as np

from libra_ray.matching.core.forms import entry
from libra_ray.matching.core.layout import EVENTS, EVENTS_PER_ORDER, ORDERS, SAMPLES, WORKING, Columns, Ledger

__all__ = ["INTENTS_MAX", "grown", "has_room"]

INTENTS_MAX = 64
"""More orders than a handler can send at a row."""


@entry
def has_room(ledger: Ledger, refs: int) -> bool:
    """Whether all that one more row can cause has a place; `refs` references were given so far."""
    now = ledger.now
    most = (now[WORKING] + INTENTS_MAX) * EVENTS_PER_ORDER + 2
    return (
        now[EVENTS] + most <= len(ledger.events)
        and now[SAMPLES] + most <= len(ledger.samples)
        and now[ORDERS] + INTENTS_MAX <= len(ledger.orders)
        and refs + INTENTS_MAX <= len(ledger.leaves)
    )


def grown(ledger: Ledger) -> Ledger:
    """The same with twice the room."""
    names = ("orders", "events", "samples", "refs", "leaves")
    return ledger._replace(**{name: _doubled(getattr(ledger, name)) for name in names})


def _doubled(array: Columns) -> Columns:
    return np.concatenate([array, np.zeros_like(array)])
