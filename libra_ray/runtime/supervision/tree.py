"""The supervision tree: from what happened to what is to be done. It starts nothing, waits for nothing, reads no clock.

Who is started again together goes through it as one batch: everybody in it is ended (or a short grace has passed, and
the epoch fences whoever is left), the back-off is over, all are launched, and when all answer, all are activated in
start order.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

import msgspec

from libra_ray.errors import did_you_mean, quoted
from libra_ray.runtime.supervision.epochs import Epochs
from libra_ray.runtime.supervision.events import (
    Action,
    Activate,
    Activated,
    Added,
    Begin,
    Ended,
    Escalate,
    Event,
    Finish,
    Halt,
    Hung,
    Kill,
    Launch,
    Launched,
    Removed,
    Stop,
    StopAsked,
    Tick,
)
from libra_ray.runtime.supervision.specs import Child, Node, Restart, RestartStrategy, Supervisor

__all__ = ["KILL_GRACE_NS", "ChildView", "Phase", "SupervisionTree"]

KILL_GRACE_NS: Final = 500_000_000
"""How long a restart waits to see the end of what was killed. On a lost node nobody sees it."""


class Phase(StrEnum):
    """Where a child stands."""

    IDLE = "IDLE"
    WAITING = "WAITING"
    LAUNCHING = "LAUNCHING"
    LAUNCHED = "LAUNCHED"
    ACTIVE = "ACTIVE"
    KILLED = "KILLED"
    STOPPING = "STOPPING"
    ENDED = "ENDED"
    GIVEN_UP = "GIVEN_UP"


LIVE: Final = frozenset({Phase.LAUNCHING, Phase.LAUNCHED, Phase.ACTIVE})
MOVING: Final = LIVE | {Phase.WAITING, Phase.KILLED}
AT_REST: Final = frozenset({Phase.IDLE, Phase.ENDED, Phase.GIVEN_UP})


class ChildView(msgspec.Struct, frozen=True):
    """A child as others may see it. `restart_ns` is when it is started again, while it waits for that."""

    node_id: str
    phase: Phase
    epoch: int
    restarts: int
    reason: str
    restart_ns: int | None


class _Child:
    """One child. `reason` is why it last ended or was killed."""

    __slots__ = ("batch", "epoch", "killed_ns", "parent", "phase", "reason", "restarts", "spec")

    def __init__(self, spec: Child, parent: "_Group") -> None:
        self.spec, self.parent = spec, parent
        self.phase = Phase.IDLE
        self.epoch = self.restarts = self.killed_ns = 0
        self.reason = ""
        self.batch: _Batch | None = None

    @property
    def node_id(self) -> str:
        return self.spec.node_id


class _Group:
    """One supervisor with its nodes as they are now. `restarted_ns` are the restarts inside its period."""

    __slots__ = ("nodes", "parent", "restarted_ns", "spec")

    def __init__(self, spec: Supervisor, parent: "_Group | None") -> None:
        self.spec, self.parent = spec, parent
        self.restarted_ns: deque[int] = deque()
        self.nodes: list[_Node] = [_node_of(node, self) for node in spec.nodes]

    @property
    def node_id(self) -> str:
        return self.spec.node_id


_Node: TypeAlias = _Child | _Group


class _Batch:
    """Children that start together. Once they are launched, `is_launched`."""

    __slots__ = ("due_ns", "is_launched", "members")

    def __init__(self, members: list[_Child], due_ns: int) -> None:
        self.members, self.due_ns, self.is_launched = members, due_ns, False


class SupervisionTree:
    """Give it each event with the time; do the actions it returns, in their order.

    Args:
        root: the tree. Raises `ConfigError` CONF007 for an id given twice, CONF002 for an impossible intensity.
        epochs: where the numbers of starts come from.

    Attributes:
        halted: the reasons of all `Halt` so far.
    """

    def __init__(self, root: Supervisor, epochs: Epochs | None = None) -> None:
        root.check()
        self.halted: list[str] = []
        self._epochs = epochs or Epochs()
        self._root = _Group(root, None)
        self._children = {child.node_id: child for child in _children(self._root)}
        self._groups = {group.node_id: group for group in _groups(self._root)}
        self._batches: list[_Batch] = []
        self._is_finishing = False
        self._actions: list[Action] = []

    def handle(self, event: Event, now_ns: int) -> list[Action]:
        """What `event` leads to at `now_ns`, together with what has become due.

        News of an epoch that is not the current one is ignored. Raises `LookupError` for an unknown id, `ValueError`
        for a node that is added twice or removed while something below it runs.
        """
        self._actions = []
        match event:
            case Begin():
                self._begin([self._child(node_id) for node_id in event.node_ids], now_ns)
            case Launched():
                self._advance(event, Phase.LAUNCHING, Phase.LAUNCHED)
            case Activated():
                self._advance(event, Phase.LAUNCHED, Phase.ACTIVE)
            case Ended():
                self._on_ended(event, now_ns)
            case Hung():
                self._on_hung(event, now_ns)
            case StopAsked():
                self._on_stop_asked(self._child(event.node_id))
            case Added():
                self._add(event)
            case Removed():
                self._remove(event.node_id)
            case Finish():
                self._finish()
            case Tick():
                pass
            case _:
                assert_never(event)
        self._move_batches(now_ns)
        return self._actions

    def next_due_ns(self) -> int | None:
        """When `Tick` will lead to something; None when only an event can."""
        dues = [self._due_of(batch) for batch in self._batches if not batch.is_launched]
        return min(dues, default=None)

    @property
    def children(self) -> Mapping[str, ChildView]:
        """All children, in start order."""
        return {child.node_id: self._view(child) for child in _children(self._root)}

    def view(self, node_id: str) -> ChildView:
        """One child. Raises `LookupError` for an unknown id."""
        return self._view(self._child(node_id))

    # --- events -------------------------------------------------------------------------------------------------

    def _begin(self, children: Iterable[_Child], now_ns: int) -> None:
        members = [child for child in children if child.phase in AT_REST or _is_done_with(child)]
        for child in members:
            if child.phase is Phase.GIVEN_UP:
                child.parent.restarted_ns.clear()
            if child.phase is not Phase.KILLED:
                child.phase = Phase.WAITING
        self._new_batch(members, now_ns)

    def _advance(self, event: Launched | Activated, from_phase: Phase, to_phase: Phase) -> None:
        child = self._child(event.node_id)
        if child.epoch == event.epoch and child.phase is from_phase:
            child.phase = to_phase

    def _on_ended(self, event: Ended, now_ns: int) -> None:
        child = self._child(event.node_id)
        if child.epoch != event.epoch:
            return
        if child.phase is Phase.KILLED:
            child.phase = Phase.ENDED if child.batch is None else Phase.WAITING
        elif child.phase is Phase.STOPPING or (child.phase in LIVE and self._is_finishing):
            child.phase, child.reason = Phase.IDLE, event.reason
        elif child.phase in LIVE:
            child.phase, child.reason = Phase.ENDED, event.reason
            self._leave_batch(child)
            if _is_restarted(child.spec.restart, is_bad=event.is_bad):
                self._restart(child.parent, child, event.reason, now_ns)

    def _on_hung(self, event: Hung, now_ns: int) -> None:
        child = self._child(event.node_id)
        if child.epoch != event.epoch or child.phase not in LIVE | {Phase.STOPPING}:
            return
        was_stopping = child.phase is Phase.STOPPING or self._is_finishing
        self._kill(child, event.reason, now_ns)
        if was_stopping:
            child.phase = Phase.STOPPING
        elif _is_restarted(child.spec.restart, is_bad=True):
            self._restart(child.parent, child, event.reason, now_ns)

    def _on_stop_asked(self, child: _Child) -> None:
        self._leave_batch(child)
        if child.phase in LIVE:
            child.phase = Phase.STOPPING
            self._actions.append(Stop(child.node_id, child.epoch))
        elif child.phase is Phase.KILLED:
            child.phase = Phase.STOPPING
        elif child.phase is Phase.WAITING:
            child.phase = Phase.IDLE

    def _add(self, event: Added) -> None:
        parent = self._groups.get(event.parent_id)
        if parent is None:
            raise LookupError(f"no supervisor {quoted(event.parent_id)}")
        node = _node_of(event.node, parent)
        children, groups = list(_children(node)), list(_groups(node))
        for node_id in [child.node_id for child in children] + [group.node_id for group in groups]:
            if node_id in self._children or node_id in self._groups:
                raise ValueError(f"{quoted(node_id)} is there already")
        parent.nodes.append(node)
        self._children |= {child.node_id: child for child in children}
        self._groups |= {group.node_id: group for group in groups}

    def _remove(self, node_id: str) -> None:
        node = self._groups.get(node_id) or self._child(node_id)
        if node.parent is None:
            raise ValueError("the root cannot be removed")
        for child in _children(node):
            if child.phase not in AT_REST and not _is_done_with(child):
                raise ValueError(f"{quoted(child.node_id)} is {child.phase}; stop it first")
        node.parent.nodes.remove(node)
        for child in _children(node):
            del self._children[child.node_id]
        for group in _groups(node):
            del self._groups[group.node_id]

    def _finish(self) -> None:
        self._is_finishing = True
        self._batches.clear()
        for child in self._children.values():
            child.batch = None
            if child.phase is Phase.WAITING:
                child.phase = Phase.IDLE

    # --- restarts -----------------------------------------------------------------------------------------------

    def _restart(self, group: _Group, node: _Node, reason: str, now_ns: int) -> None:
        """`node` of `group` ended badly: restart whom the strategy names, or fail when that was too often."""
        recent = group.restarted_ns
        while recent and recent[0] <= now_ns - group.spec.period_ns:
            recent.popleft()
        if len(recent) >= group.spec.restarts_max:
            self._fail(group, node, reason, now_ns)
            return
        recent.append(now_ns)
        affected = [child for each in _affected(group, node) for child in _children(each)]
        members = [child for child in affected if child is node or _is_moving(child)]
        for child in reversed(members):
            self._leave_batch(child)
            if child.phase in LIVE:
                self._kill(child, f"restarted with {node.node_id}", now_ns)
        again = [child for child in members if child is node or child.spec.restart is not Restart.TEMPORARY]
        for child in again:
            child.restarts += 1
            if child.phase is not Phase.KILLED:
                child.phase = Phase.WAITING
        self._new_batch(again, now_ns + group.spec.backoff.delay_ns(len(recent)))

    def _fail(self, group: _Group, node: _Node, reason: str, now_ns: int) -> None:
        """Too many restarts in `group`, the last one for `node`: its parent decides; the root gives `node` up."""
        spec, parent = group.spec, group.parent
        used = f"{group.node_id} used up its {spec.restarts_max} restarts within {spec.period_ns / 1e9:g} s; last: "
        what = f"{used}{reason}" if spec.restarts_max else reason
        if parent is None:
            for child in reversed([child for child in _children(node) if child is node or _is_moving(child)]):
                self._give_up(child, what, now_ns)
            self.halted.append(what)
            self._actions.append(Halt(node.node_id, what))
            return
        group.restarted_ns.clear()
        self._actions.append(Escalate(group.node_id, parent.node_id, what))
        if isinstance(node, _Child) and node.phase is Phase.ENDED:
            node.phase = Phase.WAITING  # it takes part in whatever becomes of its group
        self._restart(parent, group, what, now_ns)

    def _give_up(self, child: _Child, reason: str, now_ns: int) -> None:
        if child.phase in LIVE:
            self._kill(child, reason, now_ns)
        self._leave_batch(child)
        child.phase, child.reason = Phase.GIVEN_UP, reason

    def _kill(self, child: _Child, reason: str, now_ns: int) -> None:
        child.phase, child.killed_ns, child.reason = Phase.KILLED, now_ns, reason
        self._leave_batch(child)
        self._actions.append(Kill(child.node_id, child.epoch, reason))

    # --- batches ------------------------------------------------------------------------------------------------

    def _new_batch(self, members: list[_Child], due_ns: int) -> None:
        if members and not self._is_finishing:
            batch = _Batch(members, due_ns)
            self._batches.append(batch)
            for child in members:
                child.batch = batch

    def _leave_batch(self, child: _Child) -> None:
        if child.batch is not None:
            child.batch.members.remove(child)
            child.batch = None

    def _due_of(self, batch: _Batch) -> int:
        killed = [child.killed_ns + KILL_GRACE_NS for child in batch.members if child.phase is Phase.KILLED]
        return max([batch.due_ns, *killed])

    def _move_batches(self, now_ns: int) -> None:
        """Launch what is due, activate what is launched, drop what is empty."""
        for batch in list(self._batches):
            if not batch.is_launched and now_ns >= self._due_of(batch):
                batch.is_launched = True
                for child in batch.members:
                    child.epoch, child.phase = self._epochs.next(child.node_id), Phase.LAUNCHING
                    self._actions.append(Launch(child.node_id, child.epoch))
            elif batch.is_launched and all(child.phase is Phase.LAUNCHED for child in batch.members):
                self._batches.remove(batch)
                for child in batch.members:
                    child.batch = None
                if batch.members:
                    self._actions.append(Activate(tuple(child.node_id for child in batch.members)))

    # --- inside -------------------------------------------------------------------------------------------------

    def _child(self, node_id: str) -> _Child:
        try:
            return self._children[node_id]
        except KeyError:
            hint = did_you_mean(node_id, list(self._children))
            raise LookupError(f"no child {quoted(node_id)}. {hint}") from None

    def _view(self, child: _Child) -> ChildView:
        waits = child.batch is not None and child.phase in {Phase.WAITING, Phase.KILLED}
        restart_ns = self._due_of(child.batch) if waits and child.batch is not None else None
        return ChildView(child.node_id, child.phase, child.epoch, child.restarts, child.reason, restart_ns)


def _is_done_with(child: _Child) -> bool:
    """Killed and not to come back by itself; its end has not been seen and may never be."""
    return child.phase is Phase.KILLED and child.batch is None and child.spec.restart is Restart.TEMPORARY


def _is_moving(child: _Child) -> bool:
    return child.phase in MOVING and not _is_done_with(child)


def _is_restarted(restart: Restart, *, is_bad: bool) -> bool:
    return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and is_bad)


def _affected(group: _Group, node: _Node) -> list[_Node]:
    """The nodes of `group` that start again with `node`, in start order."""
    match group.spec.strategy:
        case RestartStrategy.ONE_FOR_ONE:
            return [node]
        case RestartStrategy.REST_FOR_ONE:
            return group.nodes[group.nodes.index(node) :]
        case RestartStrategy.ONE_FOR_ALL:
            return list(group.nodes)


def _children(node: _Node) -> Iterator[_Child]:
    """All children of a node, in start order; of a child itself."""
    if isinstance(node, _Child):
        yield node
        return
    for each in node.nodes:
        yield from _children(each)


def _groups(node: _Node) -> Iterator[_Group]:
    """All supervisors of a node, itself included if it is one."""
    if isinstance(node, _Group):
        yield node
        for each in node.nodes:
            yield from _groups(each)


def _node_of(spec: Node, parent: _Group) -> _Node:
    return _Group(spec, parent) if isinstance(spec, Supervisor) else _Child(spec, parent)
