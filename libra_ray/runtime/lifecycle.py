"""The lifecycle table: 14 states, 15 triggers, 29 transitions. Whatever it does not name raises."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from libra_ray.errors import InvalidTransitionError

__all__ = ["ACTIVE_STATES", "NEXT", "State", "Trigger", "next_state"]


class State(StrEnum):
    """Where an actor stands. The `-ING` ones are transitional but for RUNNING: a hook is at work."""

    PRE_INITIALIZED = "PRE_INITIALIZED"
    READY = "READY"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    RESUMING = "RESUMING"
    RESETTING = "RESETTING"
    DEGRADING = "DEGRADING"
    DEGRADED = "DEGRADED"
    FAULTING = "FAULTING"
    FAULTED = "FAULTED"
    DISPOSING = "DISPOSING"
    DISPOSED = "DISPOSED"


class Trigger(StrEnum):
    """What moves an actor. A trigger starts its hook; the `_COMPLETED` one says that the hook has returned."""

    INITIALIZE = "INITIALIZE"
    START = "START"
    START_COMPLETED = "START_COMPLETED"
    STOP = "STOP"
    STOP_COMPLETED = "STOP_COMPLETED"
    RESUME = "RESUME"
    RESUME_COMPLETED = "RESUME_COMPLETED"
    RESET = "RESET"
    RESET_COMPLETED = "RESET_COMPLETED"
    DEGRADE = "DEGRADE"
    DEGRADE_COMPLETED = "DEGRADE_COMPLETED"
    FAULT = "FAULT"
    FAULT_COMPLETED = "FAULT_COMPLETED"
    DISPOSE = "DISPOSE"
    DISPOSE_COMPLETED = "DISPOSE_COMPLETED"


NEXT: Final[Mapping[tuple[State, Trigger], State]] = MappingProxyType(
    {
        (State.PRE_INITIALIZED, Trigger.INITIALIZE): State.READY,
        (State.READY, Trigger.START): State.STARTING,
        (State.READY, Trigger.RESET): State.RESETTING,
        (State.READY, Trigger.DISPOSE): State.DISPOSING,
        (State.STARTING, Trigger.START_COMPLETED): State.RUNNING,
        (State.STARTING, Trigger.STOP): State.STOPPING,
        (State.STARTING, Trigger.FAULT): State.FAULTING,
        (State.RUNNING, Trigger.STOP): State.STOPPING,
        (State.RUNNING, Trigger.DEGRADE): State.DEGRADING,
        (State.RUNNING, Trigger.FAULT): State.FAULTING,
        (State.STOPPING, Trigger.STOP_COMPLETED): State.STOPPED,
        (State.STOPPING, Trigger.FAULT): State.FAULTING,
        (State.STOPPED, Trigger.RESUME): State.RESUMING,
        (State.STOPPED, Trigger.RESET): State.RESETTING,
        (State.STOPPED, Trigger.DISPOSE): State.DISPOSING,
        (State.STOPPED, Trigger.FAULT): State.FAULTING,
        (State.RESUMING, Trigger.RESUME_COMPLETED): State.RUNNING,
        (State.RESUMING, Trigger.STOP): State.STOPPING,
        (State.RESUMING, Trigger.FAULT): State.FAULTING,
        (State.RESETTING, Trigger.RESET_COMPLETED): State.READY,
        (State.RESETTING, Trigger.FAULT): State.FAULTING,
        (State.DEGRADING, Trigger.DEGRADE_COMPLETED): State.DEGRADED,
        (State.DEGRADING, Trigger.FAULT): State.FAULTING,
        (State.DEGRADED, Trigger.RESUME): State.RESUMING,
        (State.DEGRADED, Trigger.STOP): State.STOPPING,
        (State.DEGRADED, Trigger.FAULT): State.FAULTING,
        (State.DISPOSING, Trigger.DISPOSE_COMPLETED): State.DISPOSED,
        (State.FAULTING, Trigger.FAULT_COMPLETED): State.FAULTED,
        (State.FAULTED, Trigger.DISPOSE): State.DISPOSING,
    }
)

ACTIVE_STATES: Final = frozenset({State.RUNNING, State.DEGRADED})
"""The states in which data and event handlers run."""


def next_state(actor_id: str, state: State, trigger: Trigger) -> State:
    """Where `trigger` leads from `state`. Raises `InvalidTransitionError` for a pair outside the table."""
    try:
        return NEXT[state, trigger]
    except KeyError:
        raise InvalidTransitionError(actor_id, state, trigger) from None
