"""The supervision tree: who is restarted, when, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.errors import ConfigError
from libra_ray.runtime.supervision import (
    KILL_GRACE_NS,
    Activate,
    Activated,
    Added,
    Backoff,
    Begin,
    Child,
    Ended,
    Epochs,
    Escalate,
    Event,
    Finish,
    Halt,
    Hung,
    Kill,
    Launch,
    Launched,
    Phase,
    Removed,
    Restart,
    RestartStrategy,
    Stop,
    StopAsked,
    SupervisionTree,
    Supervisor,
    Tick,
)
from tests.runtime.supervision.trees import BACKOFF, PERIOD_NS, Model, World, trees


def started(root: Supervisor) -> World:
    world = World(SupervisionTree(root))
    world.tell(Begin(tuple(child.node_id for child in root.children())))
    return world


def three(strategy: RestartStrategy, *, restarts_max: int = 5) -> Supervisor:
    children = tuple(Child(name) for name in ("a", "b", "c"))
    return Supervisor("root", children, strategy, restarts_max, PERIOD_NS, BACKOFF)


ends = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["bad", "normal", "hung"]), st.integers(1, 4_000)))


@pytest.mark.slow
@given(root=trees(), story=ends, is_deaf=st.booleans())
def test_starts_and_phases_are_those_of_the_model(
    root: Supervisor, story: list[tuple[int, str, int]], *, is_deaf: bool
) -> None:
    world, model = started(root), Model(root)
    world.deaf = is_deaf
    for number, how, gap_ns in story:
        world.now_ns += gap_ns
        active = [child for child in root.children() if model.phases[child.node_id] is Phase.ACTIVE]
        if not active:
            break
        child = active[number % len(active)]
        epoch = world.living[child.node_id]
        model.end(child, world.now_ns, is_bad=how != "normal")
        if how == "hung":
            world.tell(Hung(child.node_id, epoch))
        else:
            del world.living[child.node_id]
            world.tell(Ended(child.node_id, epoch, is_bad=how == "bad"))
        world.settle()

        views = world.tree.children
        # A temporary child whose end nobody confirms is done with all the same.
        phases = {name: Phase.ENDED if view.phase is Phase.KILLED else view.phase for name, view in views.items()}
        assert phases == model.phases
        assert {name: view.epoch for name, view in views.items()} == model.starts
        assert world.halts == model.halts


@pytest.mark.slow
@given(root=trees(), data=st.data())
def test_whatever_the_order_of_news_epochs_grow_by_one_and_all_comes_to_rest(
    root: Supervisor, data: st.DataObject
) -> None:
    tree = SupervisionTree(root)
    order = {child.node_id: place for place, child in enumerate(root.children())}
    epochs = dict.fromkeys(order, 0)
    running: dict[str, int] = {}
    given_up: set[str] = set()
    now_ns = 0
    news: list[Event] = [Begin(tuple(order))]
    for _ in range(400):
        due_ns = tree.next_due_ns()
        if not news and due_ns is None:
            break
        event: Event
        is_news = data.draw(st.booleans())
        if news and is_news:
            event = news.pop(data.draw(st.integers(0, len(news) - 1)))
        elif running and len(given_up) < len(order) and data.draw(st.integers(0, 3)) == 0:
            victim = data.draw(st.sampled_from(sorted(running)))
            event = Ended(victim, running.pop(victim))
        else:
            now_ns = now_ns + 1 if due_ns is None else max(now_ns, due_ns)
            event = Tick()
        for action in tree.handle(event, now_ns):
            match action:
                case Launch(node_id, epoch):
                    assert node_id not in given_up
                    assert epoch == epochs[node_id] + 1
                    epochs[node_id] = running[node_id] = epoch
                    news.append(Launched(node_id, epoch))
                case Activate(node_ids):
                    assert sorted(node_ids, key=order.__getitem__) == list(node_ids)
                    news += [Activated(node_id, epochs[node_id]) for node_id in node_ids]
                case Kill(node_id, epoch):
                    assert epoch == epochs[node_id]
                    if running.pop(node_id, None) is not None:
                        news.append(Ended(node_id, epoch))
                case Halt(node_id):
                    given_up |= {name for name, view in tree.children.items() if view.phase is Phase.GIVEN_UP}
                case _:
                    pass
    else:
        return
    resting = {Phase.ACTIVE, Phase.ENDED, Phase.GIVEN_UP, Phase.LAUNCHED}
    assert {view.phase for view in tree.children.values()} <= resting


def test_a_start_launches_all_at_once_and_activates_them_in_order_when_the_last_answers() -> None:
    tree = SupervisionTree(three(RestartStrategy.ONE_FOR_ONE))

    assert tree.handle(Begin(("a", "b", "c")), 0) == [Launch("a", 1), Launch("b", 1), Launch("c", 1)]
    assert tree.handle(Launched("c", 1), 1) == []
    assert tree.handle(Launched("a", 1), 2) == []
    assert tree.handle(Launched("b", 1), 3) == [Activate(("a", "b", "c"))]


@pytest.mark.parametrize(
    ("strategy", "again"),
    [
        (RestartStrategy.ONE_FOR_ONE, ["b"]),
        (RestartStrategy.REST_FOR_ONE, ["b", "c"]),
        (RestartStrategy.ONE_FOR_ALL, ["a", "b", "c"]),
    ],
)
def test_a_strategy_names_whom_an_end_restarts(strategy: RestartStrategy, again: list[str]) -> None:
    world = started(three(strategy))

    world.now_ns = 100
    del world.living["b"]
    world.tell(Ended("b", 1))
    world.settle()

    assert world.launches[3:] == [(name, 2, 110) for name in again]
    assert world.activations == [("a", "b", "c"), tuple(again)]


def test_siblings_are_killed_in_reverse_order_before_anything_is_launched() -> None:
    tree = SupervisionTree(three(RestartStrategy.ONE_FOR_ALL))
    tree.handle(Begin(("a", "b", "c")), 0)

    actions = tree.handle(Ended("b", 1), 5)

    assert actions == [Kill("c", 1, "restarted with b"), Kill("a", 1, "restarted with b")]


def test_each_restart_within_the_period_waits_longer() -> None:
    world = started(Supervisor("root", (Child("a"),), restarts_max=9, period_ns=PERIOD_NS, backoff=BACKOFF))
    waited, died_ns = [], 0
    for _ in range(6):
        died_ns = world.now_ns
        world.tell(Ended("a", world.living.pop("a")))
        world.settle()
        waited.append(world.now_ns - died_ns)
    world.now_ns = died_ns + PERIOD_NS  # the last one is just forgotten
    died_ns = world.now_ns
    world.tell(Ended("a", world.living.pop("a")))
    world.settle()

    assert waited == [10, 20, 40, 80, 100, 100]
    assert world.now_ns - died_ns == 10


def test_the_end_of_what_was_killed_is_waited_for_but_not_for_long() -> None:
    tree = SupervisionTree(three(RestartStrategy.ONE_FOR_ONE))
    tree.handle(Begin(("a",)), 0)

    assert tree.handle(Hung("a", 1, "silent"), 100) == [Kill("a", 1, "silent")]
    assert tree.handle(Tick(), 110) == []
    assert tree.next_due_ns() == 100 + KILL_GRACE_NS
    assert tree.handle(Tick(), 100 + KILL_GRACE_NS) == [Launch("a", 2)]
    assert tree.handle(Ended("a", 1), 100 + KILL_GRACE_NS + 1) == []


def test_a_crash_loop_is_escalated_and_halts_at_the_root_and_others_go_on() -> None:
    loop = Supervisor("loop", (Child("a"),), restarts_max=2, period_ns=PERIOD_NS, backoff=BACKOFF)
    other = Supervisor("other", (Child("b"),))
    world = started(Supervisor("root", (loop, other), restarts_max=0, period_ns=PERIOD_NS))
    for _ in range(2):
        world.tell(Ended("a", world.living.pop("a"), reason="boom"))
        world.settle()

    reason = "loop used up its 2 restarts within 1e-05 s; last: boom"
    assert world.tree.handle(Ended("a", 3, reason="boom"), world.now_ns) == [
        Escalate("loop", "root", reason),
        Halt("loop", reason),
    ]
    assert world.tree.halted == [reason]
    assert world.tree.view("a").phase is Phase.GIVEN_UP
    assert world.living["b"] == 1
    world.tell(Ended("b", world.living.pop("b")))
    world.settle()
    assert world.living["b"] == 2


def test_what_was_given_up_can_be_begun_again_with_a_clean_record() -> None:
    world = started(Supervisor("root", (Child("a"),), restarts_max=1, period_ns=PERIOD_NS, backoff=BACKOFF))
    for _ in range(2):
        world.tell(Ended("a", world.living.pop("a")))
        world.settle()
    assert world.halts == ["a"]

    world.tell(Begin(("a",)))
    world.settle()
    world.tell(Ended("a", world.living.pop("a")))
    world.settle()

    assert world.living == {"a": 4}
    assert world.halts == ["a"]


@pytest.mark.parametrize(
    ("restart", "is_bad", "comes_back"),
    [
        (Restart.PERMANENT, False, True),
        (Restart.PERMANENT, True, True),
        (Restart.TRANSIENT, False, False),
        (Restart.TRANSIENT, True, True),
        (Restart.TEMPORARY, True, False),
    ],
)
def test_a_restart_type_says_whether_an_end_is_final(restart: Restart, *, is_bad: bool, comes_back: bool) -> None:
    world = started(Supervisor("root", (Child("a", restart),)))

    world.tell(Ended("a", world.living.pop("a"), is_bad=is_bad))
    world.settle()

    assert ("a" in world.living) == comes_back


def test_what_was_stopped_on_request_stays_down_also_when_its_siblings_restart() -> None:
    world = started(three(RestartStrategy.ONE_FOR_ALL))

    world.tell(StopAsked("c"))
    world.tell(Ended("a", world.living.pop("a")))
    world.settle()

    assert world.living == {"a": 2, "b": 2}
    assert world.tree.view("c").phase is Phase.IDLE


def test_a_stop_is_asked_for_in_good_order() -> None:
    tree = SupervisionTree(three(RestartStrategy.ONE_FOR_ONE))
    tree.handle(Begin(("a",)), 0)

    assert tree.handle(StopAsked("a"), 1) == [Stop("a", 1)]
    assert tree.handle(Hung("a", 1, "does not stop"), 2) == [Kill("a", 1, "does not stop")]
    assert tree.handle(Ended("a", 1), 3) == []
    assert tree.view("a").phase is Phase.IDLE


def test_news_of_an_older_epoch_changes_nothing() -> None:
    world = started(three(RestartStrategy.ONE_FOR_ONE))
    world.tell(Ended("a", world.living.pop("a")))
    world.settle()

    for event in (Ended("a", 1), Hung("a", 1), Launched("a", 1), Activated("a", 1)):
        assert world.tree.handle(event, world.now_ns) == []
    assert world.tree.view("a").phase is Phase.ACTIVE


def test_after_finish_nothing_is_started_again() -> None:
    world = started(three(RestartStrategy.ONE_FOR_ALL))
    world.tell(Ended("a", world.living.pop("a")))

    world.tell(Finish())
    world.settle()

    assert {view.phase for view in world.tree.children.values()} == {Phase.IDLE}
    assert len(world.launches) == 3


def test_children_come_and_go_at_run_time() -> None:
    world = started(three(RestartStrategy.REST_FOR_ONE))
    world.tell(Added("root", Supervisor("sd", (Child("d"),))))
    world.tell(Begin(("d",)))
    world.tell(Ended("c", world.living.pop("c")))
    world.settle()

    assert world.living == {"a": 1, "b": 1, "c": 2, "d": 2}
    with pytest.raises(ValueError, match="'d' is there already"):
        world.tell(Added("root", Child("d")))
    with pytest.raises(ValueError, match="'d' is ACTIVE; stop it first"):
        world.tell(Removed("sd"))
    world.tell(StopAsked("d"))
    world.tell(Removed("sd"))
    with pytest.raises(LookupError, match=r"no child 'd'\. Known are a, b, c\."):
        world.tree.view("d")
    with pytest.raises(LookupError, match="no supervisor 'x'"):
        world.tell(Added("x", Child("d")))
    with pytest.raises(ValueError, match="the root cannot be removed"):
        world.tell(Removed("root"))


def test_epochs_go_on_where_an_earlier_life_of_the_folder_ended() -> None:
    epochs = Epochs({"a": 7})
    tree = SupervisionTree(three(RestartStrategy.ONE_FOR_ONE), epochs)

    assert tree.handle(Begin(("a", "b")), 0) == [Launch("a", 8), Launch("b", 1)]
    assert epochs.is_stale("a", 7)
    assert not epochs.is_stale("a", 8)
    assert epochs.as_mapping() == {"a": 8, "b": 1}


def test_an_id_given_twice_and_an_impossible_intensity_are_refused() -> None:
    twice = Supervisor("root", (Child("a"), Supervisor("a")))
    never = Supervisor("root", (Supervisor("s", (), restarts_max=-1),))

    with pytest.raises(ConfigError, match="CONF007 supervision: id 'a' is given 2 times"):
        SupervisionTree(twice)
    with pytest.raises(ConfigError, match=r"CONF002 supervision\.s: -1 restarts in"):
        SupervisionTree(never)


@given(st.integers(1, 10**6))
def test_a_delay_is_never_above_the_longest(restarts: int) -> None:
    assert 1 <= Backoff(1, 3, 50).delay_ns(restarts) <= 50
