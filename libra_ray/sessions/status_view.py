"""The status of a whole deployment, put together from what hosts say and what the supervisor knows."""

from collections.abc import Mapping
from typing import Final

import msgspec

from libra_ray.hosts.status import ActorStatus, HostStatus
from libra_ray.messages.events import ComponentStateChanged
from libra_ray.runtime import State
from libra_ray.runtime.supervision import ChildView, Health, Phase
from libra_ray.sessions.keeper import HostRecord
from libra_ray.sessions.specs import ActorSpec
from libra_ray.sessions.supervisor import SupervisorCarrier

__all__ = ["host_status", "tree_status"]

STATES: Final = {
    Phase.IDLE: "STOPPED",
    Phase.WAITING: "DOWN",
    Phase.LAUNCHING: "STARTING",
    Phase.LAUNCHED: "STARTING",
    Phase.ACTIVE: "UP",
    Phase.KILLED: "DOWN",
    Phase.STOPPING: "STOPPING",
    Phase.ENDED: "STOPPED",
    Phase.GIVEN_UP: "GIVEN_UP",
}


def tree_status(carrier: SupervisorCarrier) -> tuple[HostStatus, ...]:
    """All hosts, in start order."""
    keeper, heard = carrier.keeper, carrier.operations.heard
    return tuple(
        host_status(
            record,
            keeper.tree.view(host_id),
            keeper.health(host_id),
            heard,
            {spec.actor_id: carrier.fault_restarts.count(spec.actor_id) for spec in record.spec.actors},
        )
        for host_id, record in keeper.hosts.items()
    )


def host_status(
    record: HostRecord,
    view: ChildView,
    health: Health | None,
    heard: Mapping[str, ComponentStateChanged],
    restarts: Mapping[str, int],
) -> HostStatus:
    """What is known of one host: its own last word; state, epoch, restarts and place as the supervisor has them.

    `heard` are the last changes of actors' states, which come sooner than the host's word; `restarts` are those of
    actors in their host.
    """
    host_id = view.node_id
    said = record.status if isinstance(record.status, HostStatus) else HostStatus(host_id, view.epoch)
    state = STATES[view.phase]
    if state == "UP" and health is Health.SUSPECT:
        state = "SUSPECT"
    lives = state in {"UP", "SUSPECT", "STARTING", "STOPPING"}
    info = record.info
    if not lives:  # its counters stay, what was so at a moment does not
        said = msgspec.structs.replace(said, messages_per_second=0.0, lag_ns=0, private_bytes=0)
    return msgspec.structs.replace(
        said,
        epoch=view.epoch,
        state=state,
        restarts=view.restarts + sum(restarts.values()),
        reason=view.reason,
        pid=0 if info is None or not lives else info.pid,
        node="" if info is None else info.node_id,
        actors=tuple(_actor_status(spec, said, heard.get(spec.actor_id), lives=lives) for spec in record.spec.actors),
    )


def _actor_status(
    spec: ActorSpec, said: HostStatus, event: ComponentStateChanged | None, *, lives: bool
) -> ActorStatus:
    status = next((actor for actor in said.actors if actor.actor_id == spec.actor_id), None)
    if status is None:
        status = ActorStatus(spec.actor_id, spec.stage.name, State.PRE_INITIALIZED)
    if not lives:
        return msgspec.structs.replace(status, state="DOWN")
    if event is None or event.ts_ns < said.ts_ns:
        return status
    return msgspec.structs.replace(status, state=event.to_state, reason=event.reason)
