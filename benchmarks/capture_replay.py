"""A recorded exchange stream through the compiled venue with a market maker, and through hftbacktest with the same one.

                              +--> replay: book, queue, latency, maker     An item is an event: one level of a depth
capture --> rows (in memory) -|                                            message, one row of the snapshot, one trade.
                              +--> hftbacktest, in a process of its own

Both quote a bid and an ask every 100 ms, see each row at its receive time, and have 1 ms from order to venue. The
tickers of the capture are no items: neither engine reads them, they only check our book. hftbacktest gets the same rows
as its event array, one element each, and only its replay is timed, not the building; ours is timed with its building.
The floor is the book alone, without orders. Without the capture the rows are made up; without hftbacktest, which is
installed in full size only, there is nothing to compare with; the report says so.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks._capture import CAPTURES, Capture, book_sha256, capture_path, read_capture
from benchmarks.harness import Bench, main
from benchmarks.peers.environments import Peer, UnavailableError, ready_python
from libra_ray.matching.depth_book import DepthBook, ScoutBook
from libra_ray.matching.quoting import Quoting, QuotingResult, replay_quoting
from libra_ray.matching.replay import TRADE, RowStream

ROOT: Final = Path(__file__).resolve().parent.parent
NAME: Final = "usdm_btcusdt"
FILE: Final = "usdm_btcusdt_20240808"
SMOKE_LINES: Final = 4_000
# What the whole file comes to (shared/data/README.md): applied and dropped messages, trades, and the book at the end.
FACTS: Final = (6_547, 4, 21_313, 5_018, 4_578, "40665883ff74124f2935339a0dc1bc6291406abf2a3a494b3e872a9f86723da6")
ROWS: Final = 2_002 + 443_262 + 21_313  # snapshot, applied levels, trades

MAKER: Final = Quoting(tick=1, quantity=10, half_spread_ticks=5, position_max=100, queue="prob")
PEER: Final = Peer("hftbacktest", "_hftbacktest", ("hftbacktest==2.4.4",))
PEER_BOOKS: Final = ("hash_map", "roi_vector")
PEER_SECONDS_MAX: Final = 900
PEER_SETTINGS: Final = {
    "tick": 0.1,
    "lot": 0.001,
    "interval_ns": MAKER.interval_ns,
    "latency_ns": MAKER.insert_ns,
    "half_spread_ticks": MAKER.half_spread_ticks,
    "quantity": MAKER.quantity,
    "position_max": MAKER.position_max,
    "queue_power": MAKER.queue_power,
}
EVENT: Final = [
    ("ev", "u8"),
    ("exch_ts", "i8"),
    ("local_ts", "i8"),
    ("px", "f8"),
    ("qty", "f8"),
    ("order_id", "u8"),
    ("ival", "i8"),
    ("fval", "f8"),
]


def capture_replay(bench: Bench) -> None:
    """Replay a capture with a market maker, here and in hftbacktest."""
    rows = _rows(bench)
    count = bench.size("events", smoke=len(rows), full=len(rows))
    idle = replace(MAKER, interval_ns=2**61)
    expected = {"floor": replay_quoting(rows, idle), "replay": replay_quoting(rows, MAKER)}
    bench.check(actual=len(expected["floor"].ts_ns), expected=0)
    bench.budget("replay", items_per_s_min=10_000_000)
    ours = expected["replay"]
    _note_fills(bench, "replay", len(ours.ts_ns), ours.position, ours.orders)
    with _peer(bench, rows) as ask:
        for _ in bench.runs():
            for name, quoting in bench.turns({"floor": idle, "replay": MAKER}):
                with bench.timed(name, items=count):
                    result = replay_quoting(rows, quoting)
                bench.check(actual=_digest(result), expected=_digest(expected[name]))
            for book in PEER_BOOKS:
                if ask is None:
                    break
                found = ask(book)
                seconds, cpu_seconds = found["seconds"], found["cpu_seconds"]
                bench.record(f"hftbacktest_{book}", seconds=seconds, cpu_seconds=cpu_seconds, items=count)
                bench.check(actual=(found["bid"], found["ask"]), expected=(ours.bid, ours.ask))
                bench.fact("hftbacktest_version", found["version"])
                _note_fills(bench, "hftbacktest", found["fills"], found["position"], found["orders"])
    for book in PEER_BOOKS:
        ratio = bench.ratio(f"hftbacktest_{book}", "replay")
        if ratio is not None:
            bench.fact(f"times_as_fast_as_hftbacktest_{book}", round(ratio, 2))
            bench.budget("replay", at_most=1.0, of=f"hftbacktest_{book}")


def _note_fills(bench: Bench, engine: str, fills: int, position: int, orders: int) -> None:
    bench.fact(f"{engine}_orders_fills_position", f"{orders:,} / {fills:,} / {position:,}")


def _rows(bench: Bench) -> RowStream:
    """Read the capture and check the book made of it, or make rows up where it is absent."""
    path = capture_path(FILE)
    if not path.exists():
        bench.warnings.append(f"needs shared/data/hftbacktest/{path.name}: the rows are made up")
        rows = made_up_rows(2_000 if bench.smoke else 400_000, seed=bench.seed)
        bench.check(actual=len(rows), expected=2_000 if bench.smoke else 400_000)
        return rows
    capture = read_capture(CAPTURES[NAME], [path], lines_max=SMOKE_LINES if bench.smoke else None)
    bench.check(actual=book_differences(capture), expected=(capture.applied, 0))
    if not bench.smoke:
        bench.check(actual=len(capture.rows), expected=ROWS)
        bids, asks = end_book(capture)
        found = (capture.applied, capture.dropped, int(capture.is_trade.sum()), len(bids), len(asks))
        bench.check(actual=(*found, book_sha256(bids, asks)), expected=FACTS)
    return capture.rows


def book_differences(capture: Capture) -> tuple[int, int]:
    """(Depth messages, how many of them leave best prices and sizes other than those of the last ticker)."""
    levels = capture.deltas
    scout = ScoutBook(1, by_order=False, wide=False)
    none = np.zeros(len(levels), np.int64)
    columns = (levels.action, levels.side, levels.price, levels.qty, none, levels.flags)
    top = np.array(scout.bbo_columns(*columns, 0, len(levels))).T
    update_id = capture.update_id[~capture.is_trade]
    ends = np.flatnonzero(levels.flags)[capture.snapshots :]  # the snapshot comes first and is no message
    expected = np.array([capture.tickers.as_of(at) for at in update_id[ends].tolist()])
    return len(ends), int((top[ends] != expected).any(axis=1).sum())


def end_book(capture: Capture) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(price, size) of all bids and asks after the last row, best first."""
    levels = capture.deltas
    book = DepthBook(1, by_order=False, consumes=True, wide=False)
    none = np.zeros(len(levels), np.int64)
    book.apply(levels.action, levels.side, levels.price, levels.qty, none, 0, len(levels))
    every = len(levels)
    return book.levels(is_bid=True, count=every), book.levels(is_bid=False, count=every)


def made_up_rows(count: int, *, seed: int) -> RowStream:
    """Make levels of random sizes around a middle that walks, each a message, and a trade every tenth row."""
    chance = np.random.default_rng(seed)
    middle = 1_000_000 + np.cumsum(chance.integers(-1, 2, count)) // 50
    is_trade = np.arange(count) % 10 == 9
    side, qty = chance.integers(1, 3, count), chance.integers(0, 50, count) + is_trade
    away = np.where(is_trade, chance.geometric(0.2, count), 1 + chance.geometric(0.1, count))
    price = middle + np.where((side == 1) == is_trade, away, -away)  # a buyer trades at an ask
    ts_ns = 1_704_067_200_000_000_000 + np.arange(count, dtype=np.int64) * 700_000
    return RowStream(ts_ns, np.where(is_trade, TRADE, 2), side, price, qty, np.ones(count, np.int64))


def _digest(result: QuotingResult) -> str:
    columns = (result.ts_ns, result.order_id, result.side, result.px, result.qty, result.is_maker, result.fee)
    totals = (result.position, result.cash, result.fees, result.orders, result.late_cancels, result.bid, result.ask)
    return hashlib.sha256(np.array(columns).tobytes() + repr(totals).encode()).hexdigest()


@contextmanager
def _peer(bench: Bench, rows: RowStream) -> Iterator[Callable[[str], dict[str, Any]] | None]:
    """Start hftbacktest's process and give a function that runs it once; None where it cannot be had."""
    if bench.smoke:
        yield None
        return
    try:
        python = ready_python(PEER)
    except UnavailableError as error:
        bench.warnings.append(f"hftbacktest: {error}")
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="libra-capture-") as folder:
        path = Path(folder) / "events.npz"
        np.savez(path, events=_events(rows))
        settings = PEER_SETTINGS | {"first_ticks": int(rows.price[rows.action == TRADE][0])}
        command = [str(python), "-W", "ignore", "-m", "benchmarks._hftbacktest", str(path), json.dumps(settings)]
        with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            watchdog = Timer(PEER_SECONDS_MAX, child.kill)
            watchdog.start()
            try:
                yield lambda book: _ask(child, book)
            finally:
                watchdog.cancel()
                if child.stdin:
                    child.stdin.close()


def _ask(child: "subprocess.Popen[str]", book: str) -> dict[str, Any]:
    if child.stdin is None or child.stdout is None:
        raise ValueError(child)
    print(book, file=child.stdin, flush=True)
    found: dict[str, Any] = json.loads(child.stdout.readline())
    return found


def _events(rows: RowStream) -> npt.NDArray[Any]:
    """Write the rows as hftbacktest's event array, each seen by venue and strategy at the same time."""
    depth, trade, clear, venue, local, buy, sell = 1, 2, 3, 1 << 31, 1 << 30, 1 << 29, 1 << 28
    events = np.zeros(len(rows), np.dtype(EVENT, align=True))
    kind = np.where(rows.action == TRADE, trade, np.where(rows.action == 4, clear, depth))
    events["ev"] = kind + np.where(rows.side == 1, buy, sell) + venue + local
    events["exch_ts"] = events["local_ts"] = rows.ts_ns
    events["px"], events["qty"] = rows.price / 10, rows.qty / 1_000
    return events


if __name__ == "__main__":
    sys.exit(main(capture_replay))
