"""The replaying feed: all rows, in order, at its pace, and on from where it was."""

from pathlib import Path
from typing import Any

import libra_ray as lr
from libra_actors.feeds import ReplayFeed
from libra_ray.bus import Bus
from libra_ray.clock import VirtualClock
from libra_ray.data import Dataset
from libra_ray.messages.batches import batch_rows
from libra_ray.runtime import LocalHost

SECOND_NS = 10**9
ACME, EMCA = (lr.equity(f"{name}.SIM", quote="USD") for name in ("ACME", "EMCA"))


def _folder(path: Path) -> str:
    made = [lr.synth("quotes", each, rows=20, seed=3) for each in (ACME, EMCA)]
    Dataset([stream for each in made for stream in each.streams]).write(path)
    return str(path)


def _playing(
    folder: str,
    saved: dict[str, bytes] | None = None,
    **settings: Any,  # noqa: ANN401 - the feed's own
) -> tuple[LocalHost, list[Any]]:
    clock = VirtualClock(SECOND_NS)
    host = LocalHost(clock, Bus(clock))
    heard: list[Any] = []
    host.bus.subscribe("data.quotes.*", lambda batch: heard.extend(batch_rows(batch) or ()))
    feed = ReplayFeed(folder=folder, rows_per_second=10, delay_seconds=0, **settings)
    host.start(host.add(feed), saved)
    return host, heard


def test_rows_come_in_the_order_of_replay_and_are_stamped_with_now(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    host, heard = _playing(folder)

    host.advance_to(3 * SECOND_NS)
    assert len(heard) == 21
    assert [quote.ts_ns for quote in heard] == [SECOND_NS + number * SECOND_NS // 10 for number in range(21)]
    host.advance_to(30 * SECOND_NS)

    streams = Dataset.open(folder).streams
    order = sorted((int(ts_ns), place) for place, stream in enumerate(streams) for ts_ns in stream.ts_ns)
    assert [quote.instrument_id for quote in heard] == [streams[place].instrument.id for _, place in order]
    for stream in streams:
        mine = [quote.bid_px_raw for quote in heard if quote.instrument_id == stream.instrument.id]
        assert mine == list(stream.raw("bid_px"))
    assert host.timers.next_ns > 30 * SECOND_NS


def test_it_goes_on_where_it_was_in_batches_too(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    whole, everything = _playing(folder)
    whole.advance_to(60 * SECOND_NS)
    host, heard = _playing(folder)
    host.advance_to(2 * SECOND_NS)
    saved = dict(host.save("ReplayFeed-1") or {})

    again, rest = _playing(folder, saved, rows_at_once=4)
    again.advance_to(60 * SECOND_NS)

    values = [[(quote.instrument_id, quote.bid_px_raw) for quote in part] for part in (everything, heard, rest)]
    assert values[1] + values[2] == values[0]
    assert again.faults == whole.faults == []
