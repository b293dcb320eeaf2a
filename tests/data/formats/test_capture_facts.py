"""Recorded exchange streams, imported as they are and compared with facts that were computed without us."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libra_ray.data.importer import Import, import_all, import_file
from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument, pair
from tests.conftest import LONG_TESTS, absent

FILES = (
    "spot_btcusdt_20240808",
    "spot_btcusdt_20240809",
    "spot_ethusdt_20240808",
    "spot_ethusdt_20240809",
    "usdm_btcusdt_20240808",
    "usdm_ethusdt_20240808",
    "cm_btcusd_perp_20240808",
    "cm_btcusd_perp_20240809",
)
SIDES = {1: 1, 2: -1}


@cache
def facts_of(shared: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((shared / "data" / "facts.json").read_text())
    return facts


def path_of(shared: Path, name: str) -> Path:
    path = shared / "data" / "hftbacktest" / f"{name}.gz"
    if not path.is_file():
        absent(f"shared/data/hftbacktest/{name}.gz")
    return path


def instrument_of(facts: dict[str, Any]) -> Instrument:
    steps = [f"{10 ** -facts[name]:.{facts[name]}f}" for name in ("price_decimals", "size_decimals")]
    return pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick=steps[0], step=steps[1])


def sha256(values: Any) -> str:  # noqa: ANN401  # an array or a list of integers
    return hashlib.sha256(np.asarray(values, "<i8").tobytes()).hexdigest()


def signs(made: Import, name: str) -> Any:  # noqa: ANN401  # an array of integers
    return np.where(np.asarray(made.stream.raw(name)) == 1, 1, -1)


def columns_of(made: Import) -> dict[str, Any]:
    """The columns as the facts name them."""
    raw = made.stream.raw
    times = {"ts_event_ns": raw("ts_event_ns"), "ts_recv_ns": raw("ts_init_ns")}
    if made.schema.name == "trades":
        return {**times, "price": raw("price"), "size": raw("qty"), "side": signs(made, "aggressor")}
    if made.schema.name == "quotes":
        names = {"bid": "bid_px", "bid_size": "bid_qty", "ask": "ask_px", "ask_size": "ask_qty"}
        return {**times, **{theirs: raw(ours) for theirs, ours in names.items()}}
    return {**times, "price": raw("price"), "size": raw("qty"), "side": signs(made, "side")}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if LONG_TESTS or "eth" not in name])
def test_every_column_of_every_stream_has_the_known_hash(shared: Path, name: str) -> None:
    facts = facts_of(shared)[f"hftbacktest/{name}.gz"]

    every = import_all(path_of(shared, name), instrument_of(facts), on_sequence_gap="keep")

    made = {each.schema.name: each for each in every}
    for ours, theirs in (("trades", "trades"), ("quotes", "quotes"), ("book_deltas", "depth")):
        rows = facts[theirs].get("rows", facts[theirs].get("level_rows"))
        assert made[ours].table.num_rows == rows
        found = columns_of(made[ours])
        for column, known in facts[theirs]["columns"].items():
            if column in found:
                assert sha256(found[column]) == known["sha256_i64le"], (ours, column)
    actions = np.asarray(made["book_deltas"].stream.raw("action"))
    assert int((actions == 3).sum()) == facts["depth"]["delete_rows"]
    counts = made["book_deltas"].report.counts
    assert counts["depth_messages"] == facts["depth"]["messages"]
    assert counts.get("sequence_gaps", 0) == facts["depth"]["sequence_gaps"] == 0
    assert "trade_id_gaps" not in made["trades"].report.counts
    snapshot = facts["book"].get("snapshot")
    if snapshot is None:
        assert "book_snapshots" not in made
        assert counts["messages_without_book"] == facts["depth"]["messages"]
        assert any(note.startswith("book unknown") for note in made["book_deltas"].report.notes)
    else:
        book = made["book_snapshots"].stream
        side, level, price, qty = (np.asarray(book.raw(each)) for each in ("side", "level", "price", "qty"))
        assert counts.get("messages_before_snapshot", 0) == facts["book"]["messages_dropped"]
        assert (int((side == 1).sum()), int((side == 2).sum())) == (snapshot["bids"], snapshot["asks"])
        best = [[int(price[at]), int(qty[at])] for at in np.flatnonzero(level == 0)]
        assert best == [snapshot["best_bid"], snapshot["best_ask"]]
        assert int(qty[side == 1].sum()) == snapshot["sum_bid_size"]
        assert int(qty[side == 2].sum()) == snapshot["sum_ask_size"]


@pytest.mark.slow
def test_the_smallest_clock_offset_leaves_no_negative_latency(shared: Path) -> None:
    name = "spot_btcusdt_20240808"
    path, instrument = path_of(shared, name), instrument_of(facts_of(shared)[f"hftbacktest/{name}.gz"])

    raw = import_file(path, instrument, "trades")
    moved = import_file(path, instrument, "trades", clock_offset_ns=1_277_000_000)
    quotes = import_file(path, instrument, "quotes", clock_offset_ns=1_277_000_000)

    assert raw.report.counts["negative_latency_rows"] == 9_757
    assert "negative_latency_rows" not in moved.report.counts
    assert int(moved.stream.ts_ns[0]) == 1723161254087896568 + 1_277_000_000
    assert np.array_equal(quotes.stream.raw("ts_event_ns"), quotes.stream.ts_ns)
    assert quotes.report.notes == ("quotes carry the receive time: the stream has no time of the exchange",)


@pytest.mark.slow
def test_a_second_day_alone_is_refused_and_goes_on_behind_the_first(shared: Path) -> None:
    first, second = (path_of(shared, f"spot_ethusdt_{day}") for day in ("20240808", "20240809"))
    instrument = instrument_of(facts_of(shared)["hftbacktest/spot_ethusdt_20240809.gz"])

    with pytest.raises(DataError) as caught:
        import_file(second, instrument, "book_deltas")
    made = import_file(second, instrument, "book_deltas", continues=str(first))

    assert str(caught.value) == (
        "DATA019 spot_ethusdt_20240809.gz:1: book without a snapshot: 3,036 depth messages follow none. Name the file "
        'before it with continues="FILE", or use on_sequence_gap="keep" (the book is unknown).'
    )
    assert made.table.num_rows == 165_950
    assert made.report.notes == ()


@pytest.mark.slow
def test_hyperliquid_has_the_known_books_and_trades(shared: Path) -> None:
    path = path_of(shared, "hyperliquid_btcusd_20250126")
    facts = facts_of(shared)["hftbacktest/hyperliquid_btcusd_20250126.gz"]
    instrument = pair("BTCUSD.HYPERLIQUID", base="BTC", quote="USD", tick="1", step="0.00001")

    books = import_file(path, instrument, "book_snapshots").stream
    trades = import_file(path, instrument, "trades").stream

    side, level, price = (np.asarray(books.raw(name)) for name in ("side", "level", "price"))
    assert books.rows == 46 * 40
    assert len(np.unique(books.raw("ts_event_ns"))) == facts["l2book"]["distinct_times"]
    assert int(price[(level == 0) & (side == 1)].sum()) == facts["l2book"]["sum_best_bid_px"]
    assert int(price[(level == 0) & (side == 2)].sum()) == facts["l2book"]["sum_best_ask_px"]
    assert int(np.asarray(books.raw("qty")).sum()) == facts["l2book"]["sum_sz_1e5"]
    aggressor = np.asarray(trades.raw("aggressor"))
    assert [trades.rows, int((aggressor == 2).sum()), int((aggressor == 1).sum())] == [64, 41, 23]
    assert int(np.asarray(trades.raw("qty")).sum()) == facts["trades_detail"]["sum_sz_1e5"]
    assert int(np.asarray(trades.raw("price")).sum()) == facts["trades_detail"]["sum_px"]
