"""Market data between hosts: rows to actors, batches to functions, late subscribers, large batches, losses."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.bus.wire.frames import Frame, Kind
from libra_ray.errors import UnsendableError
from libra_ray.hosts.remote_bus import RemoteBus
from libra_ray.messages.schemas import QUOTES, Quote, RowSpec
from libra_ray.model.instruments import pair
from libra_ray.runtime import Actor, ActorConfig, FullPolicy, LocalHost
from tests.contract.worlds import MS, WiredWorld

pytestmark = pytest.mark.slow

EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
TOPIC = "data.quotes.SIM.EURUSD"


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="lr-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def world(folder: Path) -> Iterator[WiredWorld]:
    made = WiredWorld(folder, {"a": "host-a", "b": "host-b", "c": "host-c"})
    yield made
    made.close()


def quotes(rows: int, first: int = 0) -> pa.Table:
    numbers = np.arange(first, first + rows, dtype=np.int64)
    columns = {"ts_init_ns": numbers, "bid_px": numbers, "ask_px": numbers + 1, "bid_qty": numbers, "ask_qty": numbers}
    return QUOTES.table(EURUSD, columns)


class Reader(Actor):
    """Keeps what it is given, and its gaps."""

    def __init__(self, name: str, pattern: str = TOPIC) -> None:
        super().__init__(ActorConfig(actor_id=name))
        self.pattern = pattern
        self.rows: list[Any] = []
        self.gaps: list[tuple[str, int, int]] = []

    def on_start(self) -> None:
        self.subscribe(self.pattern)

    def on_quote(self, quote: Quote) -> None:
        self.rows.append(quote)

    def on_data(self, data: Any) -> None:  # noqa: ANN401 - as the hook has it
        self.rows.append(data)

    def on_gap(self, topic: str, from_seq: int, to_seq: int) -> None:
        self.gaps.append((topic, from_seq, to_seq))


def _lies_in_a_segment(address: int) -> bool:
    """Whether memory of this process at `address` is a mapped segment."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(number, 16) for number in line.split(" ", 1)[0].split("-"))
        if start <= address < end:
            return ".seg" in line and line.split()[1].startswith("r--")
    return False


def _hold(world: WiredWorld, where: str) -> Callable[[], None]:
    """Keep a host's thread busy until the returned function is called."""
    begun, over = threading.Event(), threading.Event()

    def job(_host: LocalHost) -> None:
        begun.set()
        over.wait(10)

    world.hosts[where].post(job)
    begun.wait(10)
    return over.set


def publish_now(world: WiredWorld, messages: list[Any], topic: str = TOPIC) -> None:
    """Publish on host `a` and do not wait until they have arrived."""

    def job(host: LocalHost) -> None:
        for message in messages:
            host.bus.publish(topic, message)

    world.do("a", job)


def publish(world: WiredWorld, *messages: object, topic: str = TOPIC, where: str = "a") -> None:
    def job(bus: Any) -> None:  # noqa: ANN401 - the bus
        for message in messages:
            bus.publish(topic, message)

    world.bus(where, job)


def remote(host: LocalHost) -> RemoteBus:
    assert isinstance(host.bus, RemoteBus)
    return host.bus


def test_actors_get_rows_here_and_there_and_functions_get_the_batch(world: WiredWorld) -> None:
    here, there, whole = Reader("here"), Reader("there"), list[Any]()
    world.add("a", here)
    world.add("b", there)
    world.bus("c", lambda bus: bus.subscribe("data.quotes.*", whole.append))
    publish(world, quotes(3), quotes(2, first=3))
    for reader in (here, there):
        assert [row.bid_px_raw for row in reader.rows] == [0, 1, 2, 3, 4]
        assert str(reader.rows[0].bid_px) == "0.00000"
        assert reader.rows[0].instrument_id == "EURUSD.SIM"
    assert whole == [quotes(3), quotes(2, first=3)]


def test_a_row_arrives_as_a_row_and_a_type_of_the_user_as_a_whole(world: WiredWorld) -> None:
    reader, custom = Reader("q"), Reader("d", "data.custom.*")
    world.add("b", reader, custom)
    row = next(iter(QUOTES.rows(RowSpec.of(EURUSD), quotes(1))))
    publish(world, row)
    batch = pa.record_batch({"score": [0.5, 0.25]})
    publish(world, batch, topic="data.custom.scores")
    assert reader.rows == [row]
    assert custom.rows == [batch]


def test_large_batches_come_whole_in_order_and_are_not_copied(world: WiredWorld) -> None:
    whole: list[Any] = []
    world.bus("b", lambda bus: bus.subscribe("data.custom.*", whole.append))
    world.bus("c", lambda bus: bus.subscribe("data.custom.*", whole.append))
    batches = [pa.record_batch({"x": np.arange(20_000) + number}) for number in range(5)]
    publish(world, *batches, pa.Table.from_batches(batches[:1]), topic="data.custom.big")
    assert len(whole) == 12
    for batch in batches:
        assert sum(each == batch for each in whole if isinstance(each, pa.RecordBatch)) == 2
    assert sum(isinstance(each, pa.Table) for each in whole) == 2
    for each in whole:
        column = each.column(0)
        buffer = (column.chunk(0) if isinstance(column, pa.ChunkedArray) else column).buffers()[1]
        assert _lies_in_a_segment(buffer.address)
        assert not buffer.is_mutable
    assert world.do("b", lambda host: remote(host).dead_letters) == world.do(
        "c", lambda host: remote(host).dead_letters
    )


def test_a_late_subscriber_gets_the_last_batch_and_then_the_next(world: WiredWorld) -> None:
    first, late, later = Reader("first"), Reader("late"), Reader("later")
    world.add("b", first)
    publish(world, quotes(1), quotes(1, first=1))
    world.add("c", late)
    assert [row.bid_px_raw for row in late.rows] == [1]
    world.add("c", later)
    assert [row.bid_px_raw for row in later.rows] == [1]
    publish(world, quotes(1, first=2))
    assert [[row.bid_px_raw for row in each.rows] for each in (first, late, later)] == [[0, 1, 2], [1, 2], [1, 2]]


def test_a_publisher_may_say_what_late_subscribers_get(world: WiredWorld) -> None:
    late = Reader("late")

    def job(host: LocalHost) -> None:
        remote(host).market.outbound.snapshot_of = lambda topic: quotes(1, first=77) if topic == TOPIC else None

    world.do("a", job)
    publish(world, quotes(1), quotes(1, first=1))
    world.add("c", late)
    publish(world, quotes(1, first=2))
    assert [row.bid_px_raw for row in late.rows] == [77, 2]


def test_market_data_is_discarded_and_counted_while_an_actor_does_not_run(world: WiredWorld) -> None:
    reader = Reader("r")
    world.add("b", reader)
    world.do("b", lambda host: host.stop("r"))
    publish(world, quotes(2))
    world.do("b", lambda host: host.resume("r"))
    publish(world, quotes(1, first=2))
    assert [row.bid_px_raw for row in reader.rows] == [2]
    assert world.do("b", lambda host: host.discarded["r"]) == 2


def test_what_does_not_encode_is_refused_at_the_sender_when_another_host_listens(world: WiredWorld) -> None:
    world.add("b", Reader("r"))
    with pytest.raises(UnsendableError):
        publish(world, object())
    with pytest.raises(UnsendableError, match="bytes"):
        publish(world, b"x" * (2 << 20))


class LoseFrames:
    """Loses market-data frames by their number, from 1."""

    def __init__(self, *numbers: int) -> None:
        self.numbers, self.seen = numbers, 0

    def outgoing(self, frame: Frame, _peer_id: str) -> tuple[int, ...]:
        if frame.kind != Kind.BATCH:
            return (0,)
        self.seen += 1
        return () if self.seen in self.numbers else (0,)


def test_a_lost_batch_is_a_gap_and_brings_a_snapshot(folder: Path) -> None:
    world = WiredWorld(folder, {"a": "host-a", "b": "host-b"}, faults={"host-a": LoseFrames(2, 3)})
    reader = Reader("r")
    world.add("b", reader)
    publish(world, *(quotes(1, first=number) for number in range(5)))
    world.wait(lambda: bool(reader.rows) and reader.rows[-1].bid_px_raw == 4)
    world.close()
    assert [row.bid_px_raw for row in reader.rows] == [0, 3, 4]
    assert reader.gaps == [(TOPIC, 2, 3)]


def test_what_was_lost_last_is_found_out_and_fetched(folder: Path) -> None:
    """Nothing comes after it that would show the gap: the publisher asks when nothing is confirmed for long."""
    world = WiredWorld(folder, {"a": "host-a", "b": "host-b"}, faults={"host-a": LoseFrames(*range(1, 1_025))})
    reader = Reader("r")
    world.add("b", reader)
    publish(world, *(quotes(1, first=number) for number in range(1_030)))
    world.wait(lambda: bool(reader.rows))
    world.close()
    assert reader.rows[-1].bid_px_raw == 1_029
    assert len(reader.rows) == 1


def test_a_slow_host_gets_the_newest_and_what_it_missed_is_counted_and_published(world: WiredWorld) -> None:
    reader, seen = Reader("r"), list[Any]()
    world.add("b", reader)
    world.bus("c", lambda bus: bus.subscribe("events.system.host-a", seen.append))
    release = _hold(world, "b")
    publish_now(world, [quotes(1, first=number) for number in range(3_000)])
    release()
    world.settle()
    world.pass_time(1_200 * MS)
    numbers = [row.bid_px_raw for row in reader.rows]
    assert numbers[-1] == 2_999
    assert numbers == sorted(numbers)
    dropped = world.do("a", lambda host: remote(host).market.outbound.dropped)
    assert len(numbers) + dropped == 3_000
    assert [(each.subscriber, each.dropped, each.total) for each in seen] == [("host-b", dropped, dropped)]
    assert reader.gaps == []


def test_a_topic_that_blocks_loses_nothing(world: WiredWorld) -> None:
    reader = Reader("r", "data.custom.all")
    world.add("b", reader)

    def block(host: LocalHost) -> None:
        remote(host).market.outbound.policies["data.custom."] = FullPolicy.BLOCK

    world.do("a", block)
    release = _hold(world, "b")
    publish_now(world, list(range(3_000)), topic="data.custom.all")
    assert world.do("a", lambda host: remote(host).market.outbound.is_full("data.custom.all"))
    release()
    world.settle()
    world.wait(lambda: len(reader.rows) == 3_000)
    assert reader.rows == list(range(3_000))


def test_a_host_on_another_node_gets_large_batches_in_pieces(folder: Path) -> None:
    """It cannot map the memory of this node, and a frame has an end."""
    world = WiredWorld(folder, {"a": "host-a", "b": "host-b", "c": "host-c"}, nodes={"host-c": "elsewhere"})
    near, far = list[Any](), list[Any]()
    world.bus("b", lambda bus: bus.subscribe("data.custom.*", near.append))
    world.bus("c", lambda bus: bus.subscribe("data.custom.*", far.append))
    table = pa.table({"x": np.arange(300_000)})
    publish(world, table, topic="data.custom.big")
    world.close()
    assert len(far) > 2
    assert pa.concat_tables(far) == pa.concat_tables(near) == table


def test_a_late_host_on_another_node_gets_the_last_rows(folder: Path) -> None:
    world = WiredWorld(folder, {"a": "host-a", "c": "host-c"}, nodes={"host-c": "elsewhere"})
    far: list[Any] = []
    publish(world, pa.table({"x": np.arange(300_000)}), topic="data.custom.big")
    world.bus("c", lambda bus: bus.subscribe("data.custom.*", far.append))
    world.close()
    assert [batch["x"][-1].as_py() for batch in far] == [299_999]
