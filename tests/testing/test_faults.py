"""Plans of faults: the same for the same frames, healed by sending again, and what they do to real links."""

import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.bus.wire.frames import VERSION, Frame, Kind
from libra_ray.bus.wire.letter import RELIABLE_LANES
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock
from libra_ray.runtime import Lane
from libra_ray.testing import Delay, Drop, Duplicate, FaultPlan, Kill, ManualClock, Partition, Reorder, Rule

MS = 1_000_000


def frame(
    seq: int = 1, *, source: str = "a", lane: Lane = Lane.ORDERS, kind: Kind = Kind.SEND, epoch: int = 1
) -> Frame:
    return Frame(VERSION, kind, source, epoch, lane, "RiskEngine.execute", seq, 0, "Signal")


def first_sendings(plan: FaultPlan, count: int = 400, peer: str = "b") -> list[tuple[int, ...]]:
    return [tuple(plan.outgoing(frame(seq), peer)) for seq in range(1, count + 1)]


def test_a_plan_without_rules_sends_everything_once_and_at_once() -> None:
    assert set(first_sendings(FaultPlan(1))) == {(0,)}


@pytest.mark.slow
@given(st.integers(0, 2**63), st.permutations(range(1, 30)))
def test_what_happens_is_a_function_of_the_frame_and_not_of_what_came_before(seed: int, order: list[int]) -> None:
    rules = (Drop(0.3), Duplicate(0.3), Delay(0.5, most_ns=99), Reorder(0.2))
    quiet, busy = FaultPlan(seed, *rules), FaultPlan(seed, *rules)
    expected = first_sendings(quiet, 29)
    for seq in range(1, 30):
        busy.outgoing(frame(seq, source="somebody else"), "b")
        busy.outgoing(frame(0, kind=Kind.HEARTBEAT), "b")
        assert busy.outgoing(frame(seq), "b") == expected[seq - 1]

    again = {seq: busy.outgoing(frame(seq), "b") for seq in order}
    assert again == {seq: quiet.outgoing(frame(seq), "b") for seq in range(1, 30)}


def test_links_lanes_lives_and_seeds_have_luck_of_their_own() -> None:
    def pattern(seed: int = 1, peer: str = "b", **of_frame: object) -> list[int]:
        plan = FaultPlan(seed, Drop(0.5))
        return [len(plan.outgoing(frame(seq, **of_frame), peer)) for seq in range(1, 65)]  # type: ignore[arg-type]

    patterns = [
        pattern(),
        pattern(seed=2),
        pattern(peer="c"),
        pattern(source="c"),
        pattern(lane=Lane.RISK),
        pattern(epoch=2),
    ]
    assert all(one != other for index, one in enumerate(patterns) for other in patterns[index + 1 :])


def test_as_much_goes_wrong_as_was_ordered() -> None:
    plan = FaultPlan(3, Drop(0.2), Duplicate(0.1, copies=3), Delay(0.5, least_ns=5, most_ns=9))
    sendings = first_sendings(plan, 5_000)

    assert 900 < sum(not copies for copies in sendings) < 1_100
    assert 330 < sum(len(copies) == 3 for copies in sendings) < 470
    delays = {delay for copies in sendings for delay in copies}
    assert delays == {0, 5, 6, 7, 8, 9}
    assert plan.counts == {
        "Drop": sum(not copies for copies in sendings),
        "Duplicate": plan.counts["Duplicate"],
        "Delay": plan.counts["Delay"],
    }


def test_copies_are_delayed_each_by_itself_and_held_together() -> None:
    copies = FaultPlan(1, Duplicate(copies=4), Delay(most_ns=10**9)).outgoing(frame(), "b")
    assert len(set(copies)) == 4
    held = FaultPlan(1, Duplicate(), Reorder(hold_ns=7)).outgoing(frame(), "b")
    assert list(held) == [7, 7]
    assert FaultPlan(1, Drop(), Duplicate(), Delay()).outgoing(frame(), "b") == ()


def test_what_is_sent_again_has_another_chance_and_passes_a_limited_rule() -> None:
    plan = FaultPlan(1, Drop(0.5, seqs=(3, 3)))
    attempts = [len(plan.outgoing(frame(seq), "b")) for seq in (1, 2, 3, *[3] * 40)]
    assert attempts[:2] == [1, 1]
    assert 5 < sum(attempts[2:]) < 36

    limited = FaultPlan(1, Drop(attempts=2, seqs=(2, 3)))
    assert [len(limited.outgoing(frame(seq), "b")) for seq in (1, 2, 3, 2, 3, 2, 3)] == [1, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("rule", "hit", "spared"),
    [
        (Drop(source="a*"), frame(), frame(source="b")),
        (Drop(lanes=(Lane.RISK,)), frame(lane=Lane.RISK), frame()),
        (Drop(kinds=(Kind.ACK,)), frame(0, kind=Kind.ACK), frame()),
        (Drop(seqs=(5, 6)), frame(6), frame(7)),
        (Partition(("b",), seqs=(1, 9)), frame(3), frame(10)),
        (Partition(("b",), ("c", "a"), seqs=(1, 9)), frame(3), frame(source="d")),
    ],
)
def test_a_rule_concerns_what_it_names(rule: Rule, hit: Frame, spared: Frame) -> None:
    assert FaultPlan(1, rule).outgoing(hit, "b") == ()
    assert FaultPlan(1, rule).outgoing(spared, "b") == (0,)


def test_a_peer_is_named_by_a_pattern() -> None:
    plan = FaultPlan(1, Drop(peer="b?"))
    assert [len(plan.outgoing(frame(), peer)) for peer in ("b1", "b", "b12")] == [0, 1, 1]


def test_frames_without_a_number_are_counted() -> None:
    plan = FaultPlan(1, Drop(kinds=(Kind.HEARTBEAT,), seqs=(2, 3)))
    beats = [len(plan.outgoing(frame(0, kind=Kind.HEARTBEAT, lane=Lane.CONTROL), "b")) for _ in range(5)]
    assert beats == [1, 0, 0, 1, 1]


def test_acknowledgements_are_counted_whatever_their_number_says() -> None:
    plan = FaultPlan(1, Drop(kinds=(Kind.ACK,), seqs=(2, 3)))
    assert [len(plan.outgoing(frame(1, kind=Kind.ACK), "b")) for _ in range(5)] == [1, 0, 0, 1, 1]


def test_a_new_life_sends_everything_for_the_first_time() -> None:
    plan = FaultPlan(1, Drop(attempts=1))
    sendings = ((1, 1), (1, 1), (1, 2), (1, 2))
    assert [len(plan.outgoing(frame(seq, epoch=epoch), "b")) for seq, epoch in sendings] == [0, 1, 0, 1]


def test_a_partition_of_a_span_of_time_ends() -> None:
    clock = ManualClock(10**18)
    plan = FaultPlan(1, Partition(("a",), ns=(5 * MS, 8 * MS)), clock=clock)
    passed = []
    for seq in range(1, 11):
        passed.append(len(plan.outgoing(frame(seq), "b")))
        clock.advance(ns=MS)
    assert passed == [1, 1, 1, 1, 1, 0, 0, 0, 1, 1]
    assert FaultPlan(1, *plan.rules, start_ns=clock.now_ns() - 6 * MS, clock=clock).outgoing(frame(), "b") == ()


def test_a_partition_of_a_span_of_numbers_is_over_for_what_is_sent_again() -> None:
    plan = FaultPlan(1, Partition(("a",), seqs=(2, 3)))
    assert [len(plan.outgoing(frame(seq), "b")) for seq in (1, 2, 3, 4, 2, 3, 4)] == [1, 0, 0, 1, 1, 1, 1]
    assert [len(plan.outgoing(frame(seq, source="b"), "a")) for seq in (1, 2)] == [1, 0]
    assert [len(plan.outgoing(frame(seq, source="c"), "b")) for seq in (1, 2)] == [1, 1]


def test_a_plan_travels_as_it_was_declared() -> None:
    plan = FaultPlan(5, Drop(0.5), Kill(7, source="b", epoch=2), Partition(("a",), seqs=(1, 2)), start_ns=3)
    expected = first_sendings(plan)
    copy = pickle.loads(pickle.dumps(plan))  # noqa: S301 - our own bytes

    assert copy == plan
    assert hash(copy) == hash(plan)
    assert repr(copy) == repr(plan)
    assert not copy.counts
    assert first_sendings(copy) == expected


@pytest.mark.slow
def test_a_kill_ends_the_process_at_its_frame_and_spares_the_next_life() -> None:
    program = """
from tests.testing.test_faults import frame
from libra_ray.testing import FaultPlan, Kill
plan = FaultPlan(1, Kill(3, source="a", peer="b"))
for sending in ((9, "c", 1), (9, "b", 2), (1, "b", 1), (2, "b", 1), (5, "b", 1), (6, "b", 1)):
    seq, peer, epoch = sending
    plan.outgoing(frame(seq, epoch=epoch), peer)
    print(*sending, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.splitlines() == ["9 c 1", "9 b 2", "1 b 1", "2 b 1"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Drop(0.0),
        lambda: Drop(1.5),
        lambda: Duplicate(copies=1),
        lambda: Delay(least_ns=2, most_ns=1),
        lambda: Reorder(hold_ns=0),
        lambda: Kill(0),
        lambda: Kill(1, epoch=0),
        lambda: Partition(("a",)),
        lambda: Drop(seqs=(0, 1)),
        lambda: Drop(seqs=(2, 1)),
        lambda: Drop(ns=(2, 2)),
        lambda: Drop(attempts=0),
    ],
)
def test_a_rule_that_can_never_apply_is_refused(make: Callable[[], Rule]) -> None:
    with pytest.raises(ValueError, match="can never apply"):
        make()


# --- on real links --------------------------------------------------------------------------------------------------


class End:
    """One end of a link: a port that consumes all that comes and keeps what it was."""

    def __init__(self, folder: Path, host_id: str, plan: FaultPlan | None, *, epoch: int = 1) -> None:
        self.port = Port(host_id, epoch, f"ipc://{folder}/{host_id}-{epoch}", LiveClock(), faults=plan)
        self.got: list[tuple[Lane, str]] = []

    def turn(self) -> None:
        self.port.poll(1_000_000)
        while (letter := self.port.take()) is not None:
            self.got.append((Lane(letter.frame.lane), letter.frame.destination))
            self.port.done(letter)


def linked(folder: Path, plan: FaultPlan) -> tuple[End, End]:
    one, other = End(folder, "one", plan), End(folder, "other", plan)
    one.port.connect("other", other.port.address, 1)
    other.port.connect("one", one.port.address, 1)
    return one, other


def exchange(one: End, other: End, count: int, turns_max: int = 20_000) -> None:
    """Send `count` messages a lane both ways, and go on until all are confirmed."""
    for number in range(count):
        for lane in RELIABLE_LANES:
            one.port.post("other", Kind.SEND, lane, f"there {number}", "value", b"\xc0")
            other.port.post("one", Kind.SEND, lane, f"back {number}", "value", b"\xc0")
        if number % 10 == 0:
            one.turn()
            other.turn()
    for _ in range(turns_max):
        if not one.port.unconfirmed() and not other.port.unconfirmed():
            return
        one.turn()
        other.turn()
    raise AssertionError(f"{one.port.unconfirmed()} and {other.port.unconfirmed()} were never confirmed")


def by_lane(end: End) -> dict[Lane, list[str]]:
    return {lane: [text for each, text in end.got if each is lane] for lane in RELIABLE_LANES}


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="lr-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_links_heal_what_is_lost_doubled_late_or_out_of_order(sockets: Path, seed: int) -> None:
    plan = FaultPlan(seed, Drop(0.05), Duplicate(0.1, copies=3), Delay(0.1, most_ns=3 * MS), Reorder(0.05))
    one, other = linked(sockets, plan)
    try:
        exchange(one, other, 60)
    finally:
        one.port.close(0)
        other.port.close(0)
    assert by_lane(other) == {lane: [f"there {number}" for number in range(60)] for lane in RELIABLE_LANES}
    assert by_lane(one) == {lane: [f"back {number}" for number in range(60)] for lane in RELIABLE_LANES}
    assert plan.counts["Drop"] > 5
    assert plan.counts["Duplicate"] > 10
    assert plan.counts["Delay"] > 10
    counts = one.port.counts["other", Lane.ORDERS]
    assert counts.resent > 0
    assert counts.duplicates > 0


@pytest.mark.slow
@pytest.mark.parametrize("rule", [Drop(0.5, kinds=(Kind.ACK,)), Drop(0.3, kinds=(Kind.HELLO, Kind.WELCOME))])
def test_links_heal_when_what_keeps_them_is_lost(sockets: Path, rule: Rule) -> None:
    plan = FaultPlan(5, rule, Drop(0.02, kinds=(Kind.SEND,)))
    one, other = linked(sockets, plan)
    try:
        exchange(one, other, 30)
    finally:
        one.port.close(0)
        other.port.close(0)
    assert by_lane(other) == {lane: [f"there {number}" for number in range(30)] for lane in RELIABLE_LANES}
    assert plan.counts["Drop"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("span", [{"ns": (0, 150 * MS)}, {"seqs": (5, 9)}])
def test_a_partition_holds_messages_up_and_loses_none(sockets: Path, span: dict[str, tuple[int, int]]) -> None:
    plan = FaultPlan(1, Partition(("one",), ("other",), **span))  # type: ignore[arg-type]
    one, other = linked(sockets, plan)
    try:
        exchange(one, other, 20)
    finally:
        one.port.close(0)
        other.port.close(0)
    assert by_lane(other) == {lane: [f"there {number}" for number in range(20)] for lane in RELIABLE_LANES}
    assert plan.counts["Partition"] > 0


SENDER = """
import sys
from pathlib import Path
from libra_ray.bus.wire.frames import Kind
from libra_ray.bus.wire.port import Port
from libra_ray.clock import LiveClock
from libra_ray.runtime import Lane
from libra_ray.testing import FaultPlan, Kill

folder, epoch, at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
plan = FaultPlan(1, Kill(at, source="sender", lanes=(Lane.ORDERS,)), Kill(at, lanes=(Lane.ORDERS,), epoch=2))
port = Port("sender", epoch, f"ipc://{folder}/sender-{epoch}", LiveClock(), journal=folder / "journal", faults=plan)
port.connect("test", f"ipc://{folder}/test-1", 1)
if port.resumed is None:
    port.begin()
    for number in range(40):
        port.post("test", Kind.SEND, Lane.ORDERS, str(number), "value", b"\\xc0")
    port.commit()
while port.unconfirmed():
    port.poll(1_000_000)
port.close(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 17, 40])
def test_what_a_killed_host_has_written_down_comes_once(sockets: Path, at: int) -> None:
    end = End(sockets, "test", None)
    returned, errors = [], ""
    try:
        for epoch in (1, 2, 3):
            command = [sys.executable, "-c", SENDER, str(sockets), str(epoch), str(at)]
            with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sender:
                end.port.connect("sender", f"ipc://{sockets}/sender-{epoch}", epoch)
                while sender.poll() is None:
                    end.turn()
                assert sender.stderr is not None
                errors = sender.stderr.read()
            returned.append(sender.returncode)
            end.turn()
        assert returned[:2] == [-signal.SIGKILL, -signal.SIGKILL], errors
        assert returned[2] == 0, errors
    finally:
        end.port.close(0)
    assert end.got == [(Lane.ORDERS, str(number)) for number in range(40)]
