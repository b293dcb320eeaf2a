"""What a captured stream may hold beside the ordinary: holes, late books, several symbols, odd trades, bad lines."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_ray.data.importer import Import, import_all, import_file
from libra_ray.errors import DataError, LibraError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick="0.1", step="0.001")
MS = 1_704_067_200_000
NS = 10**6


def line(stream: str, ms: int, /, **data: Any) -> str:  # noqa: ANN401  # fields of a message
    message = {"stream": stream, "data": {"s": stream.partition("@")[0].upper(), **data}}
    return f"{ms * NS} {json.dumps(message, separators=(',', ':'))}"


def depth(ms: int, first: int, last: int, previous: int | None, bids: list[Any], asks: list[Any]) -> str:
    ids = {"U": first, "u": last} | ({} if previous is None else {"pu": previous, "T": ms})
    return line("btcusdt@depth@100ms", ms, e="depthUpdate", E=ms, **ids, b=bids, a=asks)


def snapshot(ms: int, update: int, bids: list[Any], asks: list[Any]) -> str:
    return f"{ms * NS} {json.dumps({'lastUpdateId': update, 'bids': bids, 'asks': asks})}"


def trade(ms: int, number: int, px: str = "10.0", qty: str = "1", **more: Any) -> str:  # noqa: ANN401  # as above
    return line(
        "btcusdt@trade", ms, **{"e": "trade", "E": ms, "T": ms, "t": number, "p": px, "q": qty, "m": True, **more}
    )


def write(folder: Path, *lines: str, name: str = "c.txt") -> Path:
    path = folder / name
    path.write_text("\n".join(lines))
    return path


def columns(made: Import, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(np.asarray(made.stream.raw(name)).tolist() for name in names), strict=True))


def test_a_hole_in_the_chain_is_refused_with_its_line(tmp_path: Path) -> None:
    spot = write(
        tmp_path,
        snapshot(MS, 10, [["9", "1"]], [["11", "1"]]),
        depth(MS + 1, 11, 12, None, [["9", "2"]], []),
        depth(MS + 2, 14, 15, None, [["9", "3"]], []),
    )
    futures = write(
        tmp_path,
        snapshot(MS, 10, [["9", "1"]], [["11", "1"]]),
        depth(MS + 1, 9, 12, 8, [["9", "2"]], []),
        depth(MS + 2, 14, 15, 13, [["9", "3"]], []),
        name="f.txt",
    )

    texts = []
    for path in (spot, futures):
        with pytest.raises(DataError) as caught:
            import_file(path, BTC, "book_deltas")
        texts.append(str(caught.value))
    kept = import_file(spot, BTC, "book_deltas", on_sequence_gap="keep")

    fix = 'Record the session without a break, or use on_sequence_gap="keep" (gaps are counted).'
    assert texts == [
        "DATA019 c.txt:3: depth message begins with first update 14, which does not follow 12 (1 such gap). " + fix,
        "DATA019 f.txt:3: depth message follows update 13, not 12 (1 such gap). " + fix,
    ]
    assert kept.report.counts["sequence_gaps"] == 1
    assert kept.report.counts["messages_without_book"] == 1


@pytest.mark.parametrize(("previous", "dropped", "applied"), [(None, 1, 2), (0, 1, 2)])
def test_a_replay_begins_with_the_book_and_what_waited_for_it(
    tmp_path: Path, previous: int | None, dropped: int, applied: int
) -> None:
    """The second message was received ahead of the book, which does not have all of it: it is applied behind it."""
    ids = [(1, 4), (5, 12), (13, 14)]
    before = [None if previous is None else each for each in (0, 4, 12)]
    path = write(
        tmp_path,
        depth(MS, *ids[0], before[0], [["9", "5"]], []),
        depth(MS + 1, *ids[1], before[1], [["9", "2"]], []),
        snapshot(MS + 2, 10, [["9", "1"]], [["11", "1"]]),
        depth(MS + 3, *ids[2], before[2], [["9", "0"]], [["12", "4"]]),
    )

    made = import_file(path, BTC, "book_deltas", book="replay")

    counts = made.report.counts
    assert counts["messages_before_snapshot"] == dropped
    assert counts["depth_messages"] - counts["messages_before_snapshot"] == applied
    at = [(MS + ms) * NS for ms in (2, 2, 2, 2, 2, 3, 3)]
    assert np.asarray(made.stream.ts_ns).tolist() == at
    assert columns(made, "action", "side", "price", "qty", "flags") == [
        (4, 1, 0, 0, 0),
        (4, 2, 0, 0, 0),
        (1, 1, 90, 1_000, 0),
        (1, 2, 110, 1_000, 1),
        (2, 1, 90, 2_000, 1),
        (3, 1, 90, 0, 0),
        (2, 2, 120, 4_000, 1),
    ]


def test_what_is_no_trade_of_the_market_is_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        trade(MS, 1, X="MARKET"),
        trade(MS, 2, X="INSURANCE_FUND"),
        trade(MS, 3, px="0"),
        trade(MS, 6, qty="0.000"),
        trade(MS, 7, m=False),
    )

    made = import_file(path, BTC, "trades")

    assert columns(made, "price", "qty", "aggressor") == [(100, 1_000, 2), (100, 1_000, 1)]
    assert made.report.counts == {"not_market_trades": 3, "trade_id_gaps": 1}


def test_aggregated_trades_stand_in_where_there_are_no_others(tmp_path: Path) -> None:
    grouped = line("btcusdt@aggTrade", MS, e="aggTrade", E=MS, a=5, p="10", q="2", f=1, l=2, T=MS, m=False)

    alone = import_file(write(tmp_path, grouped), BTC, "trades")
    beside = import_file(write(tmp_path, grouped, trade(MS, 1), name="d.txt"), BTC, "trades")

    assert columns(alone, "price", "qty", "aggressor") == [(100, 2_000, 1)]
    assert "aggregated" in alone.report.notes[0]
    assert columns(beside, "price", "qty", "aggressor") == [(100, 1_000, 2)]
    assert beside.report.counts["aggregated_trades_left_out"] == 1


def test_final_candles_are_bars_at_their_close(tmp_path: Path) -> None:
    def kline(ms: int, *, final: bool) -> str:
        candle = {"t": MS, "T": MS + 59_999, "i": "1m", "o": "1", "h": "3", "l": "1", "c": "2", "v": "5", "x": final}
        return line("btcusdt@kline_1m", ms, e="kline", E=ms, k=candle)

    made = import_file(write(tmp_path, kline(MS + 30_000, final=False), kline(MS + 60_001, final=True)), BTC)

    assert (made.period, made.report.counts["unfinished_bars"]) == ("1m", 1)
    assert columns(made, "ts_event_ns", "open", "close", "volume") == [((MS + 60_000) * NS, 10, 20, 5_000)]


def test_books_of_a_partial_stream_are_snapshots(tmp_path: Path) -> None:
    book = line("btcusdt@depth5@100ms", MS, lastUpdateId=7, bids=[["9", "1"], ["8", "2"]], asks=[["11", "3"]])

    made = import_file(write(tmp_path, book), BTC)

    assert made.schema.name == "book_snapshots"
    assert columns(made, "side", "level", "price", "flags") == [(1, 0, 90, 0), (1, 1, 80, 0), (2, 0, 110, 1)]


def test_symbols_of_one_capture_are_told_apart(tmp_path: Path) -> None:
    other = trade(MS, 9, px="99").replace("btcusdt", "ethusdt").replace("BTCUSDT", "ETHUSDT")

    made = import_all(write(tmp_path, other, trade(MS, 1)), BTC)

    assert [columns(each, "price") for each in made] == [[(100,)]]


def test_messages_without_receive_time_and_envelope_are_read(tmp_path: Path) -> None:
    text = json.dumps({"m": False, "q": "1", "p": "10.0", "T": MS, "e": "trade", "s": "BTCUSDT", "t": 1}, indent=None)

    made = import_file(write(tmp_path, text), BTC)

    assert columns(made, "ts_init_ns", "ts_event_ns", "price", "aggressor") == [(MS * NS, MS * NS, 100, 1)]


@pytest.mark.parametrize(
    ("bad", "start"),
    [
        (trade(MS, 2)[:-5], "DATA011 c.txt:2: "),
        (trade(MS, 2, px="1e3"), "DATA009 c.txt:2: "),
        (trade(MS, 2, px="abc"), "DATA009 c.txt:2: "),
        (depth(MS, 1, 2, None, [["1"]], []), "DATA011 c.txt:2: "),
        (trade(MS, 2).partition(" ")[2], "DATA011 c.txt:2: "),
        (trade(MS, 2).replace(f"{MS * NS} ", f"{MS} "), "DATA014 c.txt:2: "),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, bad: str, start: str) -> None:
    with pytest.raises(DataError) as caught:
        import_file(write(tmp_path, trade(MS, 1), bad), BTC)

    assert str(caught.value).startswith(start)


LINES = [
    trade(MS, 1),
    depth(MS, 1, 2, None, [["1", "2"]], [["3", "4"]]),
    snapshot(MS, 1, [["1", "2"]], [["3", "4"]]),
    line("btcusdt@bookTicker", MS, u=1, b="1", B="2", a="3", A="4"),
]


@settings(max_examples=60)
@given(
    lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=4),
    at=st.integers(0, 400),
    junk=st.binary(max_size=3),
)
def test_a_damaged_capture_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], at: int, junk: bytes
) -> None:
    data = "\n".join(lines).encode()
    path = tmp_path_factory.getbasetemp() / "damaged.txt"
    path.write_bytes(data[:at] + junk + data[at + len(junk) :])

    try:
        made = import_all(path, BTC, format="binance-capture", on_sequence_gap="keep")
    except LibraError:
        return
    assert all(each.table.num_rows for each in made)
