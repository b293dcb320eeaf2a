"""The actor runtime: actors with a lifecycle and an outbox, timers, inboxes, and the local host that carries them."""

from libra_ray.runtime.actor import Actor
from libra_ray.runtime.actor_bus import ActorBus
from libra_ray.runtime.actor_clock import ActorClock, TimerHandler
from libra_ray.runtime.actor_config import (
    ActorConfig,
    actor_of,
    check_actor_id,
    config_class_of,
    config_of,
    how_to_give,
)
from libra_ray.runtime.delivery import Delivery
from libra_ray.runtime.faults import Fault
from libra_ray.runtime.hooks import check_handler, check_hooks, known_hooks
from libra_ray.runtime.host import SETTLE_MESSAGES_MAX, LocalHost
from libra_ray.runtime.inbox import FullPolicy, Inbox, Lane, LaneCount
from libra_ray.runtime.injected import Injected, inject
from libra_ray.runtime.lifecycle import ACTIVE_STATES, NEXT, State, Trigger, next_state
from libra_ray.runtime.lifecycle_driver import HELD_EVENTS_MAX
from libra_ray.runtime.rank import Kind, Rank
from libra_ray.runtime.sendable import check_sendable
from libra_ray.runtime.signals import Signal, SignalValue
from libra_ray.runtime.timers import NEVER_NS, Alarm, Timer, TimerQueue

__all__ = [
    "ACTIVE_STATES",
    "HELD_EVENTS_MAX",
    "NEVER_NS",
    "NEXT",
    "SETTLE_MESSAGES_MAX",
    "Actor",
    "ActorBus",
    "ActorClock",
    "ActorConfig",
    "Alarm",
    "Delivery",
    "Fault",
    "FullPolicy",
    "Inbox",
    "Injected",
    "Kind",
    "Lane",
    "LaneCount",
    "LocalHost",
    "Rank",
    "Signal",
    "SignalValue",
    "State",
    "Timer",
    "TimerHandler",
    "TimerQueue",
    "Trigger",
    "actor_of",
    "check_actor_id",
    "check_handler",
    "check_hooks",
    "check_sendable",
    "config_class_of",
    "config_of",
    "how_to_give",
    "inject",
    "known_hooks",
    "next_state",
]
