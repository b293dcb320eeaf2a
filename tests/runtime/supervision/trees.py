"""Random supervision trees, a world that obeys their actions, and a model of what must come of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from libra_ray.runtime.supervision import (
    Activate,
    Activated,
    Backoff,
    Child,
    Ended,
    Event,
    Halt,
    Kill,
    Launch,
    Launched,
    Node,
    Phase,
    Restart,
    RestartStrategy,
    Stop,
    SupervisionTree,
    Supervisor,
    Tick,
)

PERIOD_NS = 10_000
BACKOFF = Backoff(first_ns=10, factor=2, longest_ns=100)


@st.composite
def trees(draw: st.DrawFn, *, restarts: tuple[Restart, ...] = tuple(Restart)) -> Supervisor:
    """Up to three levels and about ten children."""
    numbers = iter(range(1_000))

    def supervisor(depth: int) -> Supervisor:
        nodes: list[Node] = []
        for _ in range(draw(st.integers(1, 3))):
            if depth and draw(st.booleans()):
                nodes.append(supervisor(depth - 1))
            else:
                nodes.append(Child(f"c{next(numbers)}", draw(st.sampled_from(restarts))))
        strategy = draw(st.sampled_from(RestartStrategy))
        return Supervisor(f"s{next(numbers)}", tuple(nodes), strategy, draw(st.integers(0, 3)), PERIOD_NS, BACKOFF)

    return supervisor(2)


@dataclass
class World:
    """Processes that do as they are told: each action is answered at once, in order."""

    tree: SupervisionTree
    now_ns: int = 0
    living: dict[str, int] = field(default_factory=dict)
    launches: list[tuple[str, int, int]] = field(default_factory=list)
    activations: list[tuple[str, ...]] = field(default_factory=list)
    halts: list[str] = field(default_factory=list)
    deaf: bool = False
    """Kills are not confirmed, as on a lost node."""

    def tell(self, event: Event) -> None:
        """Give the tree an event, and its answers to all that follows."""
        waiting = [event]
        while waiting:
            for action in self.tree.handle(waiting.pop(0), self.now_ns):
                waiting += self._done(action)

    def settle(self) -> None:
        """Let time pass until nothing is due."""
        while (due_ns := self.tree.next_due_ns()) is not None:
            self.now_ns = max(self.now_ns, due_ns)
            self.tell(Tick())

    def _done(self, action: object) -> Iterator[Event]:
        match action:
            case Launch(node_id, epoch):
                assert node_id not in self.living
                self.living[node_id] = epoch
                self.launches.append((node_id, epoch, self.now_ns))
                yield Launched(node_id, epoch)
            case Activate(node_ids):
                self.activations.append(node_ids)
                yield from (Activated(node_id, self.living[node_id]) for node_id in node_ids)
            case Kill(node_id, epoch) | Stop(node_id, epoch):
                assert self.living.pop(node_id) == epoch
                if not self.deaf:
                    yield Ended(node_id, epoch)
            case Halt(node_id):
                self.halts.append(node_id)
            case _:
                pass


class Model:
    """The rules without processes, batches and back-off: an end is answered by the numbers that come out."""

    def __init__(self, root: Supervisor) -> None:
        self.root = root
        self.starts = {child.node_id: 1 for child in root.children()}
        self.phases = {child.node_id: Phase.ACTIVE for child in root.children()}
        self.halts: list[str] = []
        self._times: dict[str, list[int]] = {}

    def end(self, child: Child, now_ns: int, *, is_bad: bool) -> None:
        """`child`, which is active, ends."""
        self.phases[child.node_id] = Phase.ENDED
        if child.restart is Restart.PERMANENT or (child.restart is Restart.TRANSIENT and is_bad):
            self._restart(self._path_to(child), [child], now_ns)

    def _restart(self, path: list[Supervisor], down: list[Child], now_ns: int) -> None:
        """`path` leads from the root to the supervisor that decides; `down` is what must come back or be given up."""
        *above, group = path
        node = self._node_with(group, down[0])
        times = [at for at in self._times.get(group.node_id, []) if at > now_ns - PERIOD_NS]
        if len(times) < group.restarts_max:
            self._times[group.node_id] = [*times, now_ns]
            first = group.nodes.index(node)
            affected = {
                RestartStrategy.ONE_FOR_ONE: group.nodes[first : first + 1],
                RestartStrategy.REST_FOR_ONE: group.nodes[first:],
                RestartStrategy.ONE_FOR_ALL: group.nodes,
            }[group.strategy]
            for child in self._children(affected):
                if child in down or self.phases[child.node_id] is Phase.ACTIVE:
                    self._start_again(child, is_cause=child in down)
        elif above:
            self._times[group.node_id] = []
            self._restart(above, down, now_ns)
        else:
            self._times[group.node_id] = times
            for child in self._children((node,)):
                if child in down or self.phases[child.node_id] is Phase.ACTIVE:
                    self.phases[child.node_id] = Phase.GIVEN_UP
            self.halts.append(node.node_id)

    def _start_again(self, child: Child, *, is_cause: bool) -> None:
        if child.restart is Restart.TEMPORARY and not is_cause:
            self.phases[child.node_id] = Phase.ENDED
        else:
            self.starts[child.node_id] += 1
            self.phases[child.node_id] = Phase.ACTIVE

    def _path_to(self, child: Child) -> list[Supervisor]:
        path = [self.root]
        while child not in path[-1].nodes:
            path.append(
                next(node for node in path[-1].nodes if isinstance(node, Supervisor) and child in node.children())
            )
        return path

    def _node_with(self, group: Supervisor, child: Child) -> Node:
        return next(node for node in group.nodes if child in self._children((node,)))

    @staticmethod
    def _children(nodes: tuple[Node, ...]) -> list[Child]:
        return [child for node in nodes for child in (node.children() if isinstance(node, Supervisor) else [node])]
