"""The bus against the plainest thing that obeys the same sentences: one list, searched each time."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from libra_ray.bus import Bus, TopicCount
from libra_ray.runtime.views import Handler

TOPICS = ["data.a", "data.b.c", "events.a", "events", "x"]
PATTERNS = [*TOPICS, "*", "data.*", "events*", "?", "*.a", "data.?"]
ENDPOINTS = ["Risk.execute", "Exec.execute"]


class Listener:
    """Writes what it hears into the log of all; some carry a rank."""

    def __init__(self, name: str, rank_no: int | None, log: list[tuple[str, object]]) -> None:
        self.name, self.log = name, log
        if rank_no is not None:
            self.rank_no = rank_no

    def hear(self, message: object) -> None:
        self.log.append((self.name, message))


class BusAndList(RuleBasedStateMachine):
    """Rules are calls made on both; what was heard must be the same, in the same order."""

    def __init__(self) -> None:
        super().__init__()
        self.bus, self.heard = Bus(), list[tuple[str, object]]()
        self.expected: list[tuple[str, object]] = []
        ranks = [3, None, 1, 2]
        self.listeners = [Listener(f"L{index}", rank_no, self.heard) for index, rank_no in enumerate(ranks)]
        self.handlers: list[Handler] = [listener.hear for listener in self.listeners]
        self.subscribed: list[tuple[str, int, int]] = []
        self.withdrawn: list[tuple[int, tuple[str, int, int], object]] = []
        self.endpoints: dict[str, int] = {}
        self.counts: dict[str, list[int]] = {}
        self.sent: dict[str, int] = {}
        self.messages = self.lost = 0

    @rule(pattern=st.sampled_from(PATTERNS), who=st.integers(0, 3), priority=st.integers(0, 2))
    def subscribe(self, pattern: str, who: int, priority: int) -> None:
        is_new = all((each[0], each[1]) != (pattern, who) for each in self.subscribed)
        assert self.bus.subscribe(pattern, self.handlers[who], priority) == is_new
        if is_new:
            self.subscribed.append((pattern, who, priority))

    @rule(pattern=st.sampled_from(PATTERNS), who=st.integers(0, 3))
    def unsubscribe(self, pattern: str, who: int) -> None:
        found = [each for each in self.subscribed if (each[0], each[1]) == (pattern, who)]
        assert self.bus.unsubscribe(pattern, self.handlers[who]) == bool(found)
        self.subscribed = [each for each in self.subscribed if each not in found]

    @rule(pattern=st.sampled_from(PATTERNS), who=st.integers(0, 3))
    def withdraw_and_restore(self, pattern: str, who: int) -> None:
        withdrawn = self.bus.withdraw(pattern, self.handlers[who])
        found = [each for each in self.subscribed if (each[0], each[1]) == (pattern, who)]
        assert (withdrawn is not None) == bool(found)
        if withdrawn is not None:
            assert self.bus.subscribe("other", self.handlers[who])
            self.bus.restore(withdrawn)
            assert self.bus.unsubscribe("other", self.handlers[who])

    @rule(topic=st.sampled_from(TOPICS))
    def publish(self, topic: str) -> None:
        self.messages += 1
        matching = [each for each in self.subscribed if fnmatchcase(topic, each[0])]
        if topic.startswith("data."):
            ranks = [getattr(listener, "rank_no", 10) for listener in self.listeners]
            matching.sort(key=lambda each: ranks[each[1]])
        else:
            matching.sort(key=lambda each: -each[2])
        self.expected += [(self.listeners[who].name, self.messages) for _, who, _ in matching]
        published, delivered = self.counts.get(topic, [0, 0])
        self.counts[topic] = [published + 1, delivered + len(matching)]
        self.bus.publish(topic, self.messages)

    @rule(endpoint=st.sampled_from(ENDPOINTS), who=st.integers(0, 3))
    def register(self, endpoint: str, who: int) -> None:
        if endpoint not in self.endpoints:
            self.bus.register(endpoint, self.handlers[who])
            self.endpoints[endpoint] = who

    @rule(endpoint=st.sampled_from(ENDPOINTS))
    def unregister(self, endpoint: str) -> None:
        assert self.bus.unregister(endpoint) == (self.endpoints.pop(endpoint, None) is not None)

    @rule(endpoint=st.sampled_from(ENDPOINTS))
    def send(self, endpoint: str) -> None:
        self.messages += 1
        who = self.endpoints.get(endpoint)
        if who is None:
            self.lost += 1
        else:
            self.expected.append((self.listeners[who].name, self.messages))
            self.sent[endpoint] = self.sent.get(endpoint, 0) + 1
        if who is None:  # the dead letter is heard by who subscribed to it, also by `*`
            wild = sorted((each for each in self.subscribed if each[0] == "*"), key=lambda each: -each[2])
            del self.heard[len(self.expected) :]
            assert not self.bus.send(endpoint, self.messages)
            letters = self.heard[len(self.expected) :]
            assert [name for name, _ in letters] == [self.listeners[each[1]].name for each in wild]
            del self.heard[len(self.expected) :]
        else:
            assert self.bus.send(endpoint, self.messages)

    @invariant()
    def the_same_was_heard_in_the_same_order(self) -> None:
        assert self.heard == self.expected

    @invariant()
    def counters_are_exact(self) -> None:
        counts = {topic: count for topic, count in self.bus.topic_counts.items() if topic != "dead_letters"}
        assert counts == {topic: TopicCount(*count) for topic, count in self.counts.items()}
        assert {name: count for name, count in self.bus.endpoint_counts.items() if count} == self.sent
        assert self.bus.dead_counts["NO_RECEIVER"] == self.lost  # type: ignore[index] # a StrEnum is its text


TestBusAndList = pytest.mark.slow(BusAndList.TestCase)
