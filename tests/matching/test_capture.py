"""Books made of recorded exchange streams: the exchange's own tickers at each message, the known book at the end."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks._capture import CAPTURES, Capture, book_sha256, capture_path, read_capture
from benchmarks.capture_replay import FILE, MAKER, NAME, book_differences, end_book, made_up_rows
from libra_ray.matching.quoting import replay_quoting

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
DAYS = ("20240808", "20240809")
# The first days, then both days as one session, since a second day has no snapshot of its own.
SESSIONS = [
    *((name, DAYS[:1]) for name in CAPTURES),
    *((name, DAYS) for name in ("cm_btcusd_perp", "spot_btcusdt", "spot_ethusdt")),
]


def paths_of(name: str, days: tuple[str, ...]) -> list[Path]:
    """The files of a session, where they are there."""
    paths = [capture_path(f"{name}_{day}") for day in days]
    for path in paths:
        if not path.exists():
            reason = f"needs shared/data/hftbacktest/{path.name}"
            (pytest.fail if IN_CI else pytest.skip)(reason)
    return paths


def facts_of(path: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((path.parents[1] / "facts.json").read_text())[f"hftbacktest/{path.name}"]
    return facts


@pytest.fixture(scope="module")
def usdm() -> Capture:
    return read_capture(CAPTURES[NAME], paths_of(NAME, DAYS[:1]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "days"), SESSIONS)
def test_the_book_has_the_tickers_prices_at_each_message_and_the_known_levels_at_the_end(
    name: str, days: tuple[str, ...]
) -> None:
    paths = paths_of(name, days)
    capture = read_capture(CAPTURES[name], paths)
    books = [facts_of(path)["book"] for path in paths]
    end = books[-1]["end"]

    bids, asks = end_book(capture)

    checks, different = (sum(book[key] for book in books) for key in ("bbo_checked", "bbo_mismatch"))
    assert book_differences(capture) == (checks, different)
    assert capture.applied == sum(book["messages_applied"] for book in books)
    assert capture.dropped == sum(book["messages_dropped"] for book in books)
    assert (len(bids), len(asks)) == (end["bid_levels"], end["ask_levels"])
    assert [list(bids[0]), list(asks[0])] == [end["best_bid"], end["best_ask"]]
    assert book_sha256(bids, asks) == end["sha256"]


@pytest.mark.slow
def test_the_columns_read_are_those_of_the_facts(usdm: Capture) -> None:
    facts = facts_of(capture_path(FILE))
    rows, is_trade, tickers = usdm.rows, usdm.is_trade, usdm.tickers

    assert int(is_trade.sum()) == facts["trades"]["rows"]
    assert int(rows.price[is_trade].sum()) == facts["trades"]["columns"]["price"]["sum"]
    assert int(rows.qty[is_trade].sum()) == facts["trades"]["columns"]["size"]["sum"]
    assert int((rows.side[is_trade] == 1).sum()) == facts["trades"]["buyer_aggressor_rows"]
    assert len(tickers.bid) == facts["quotes"]["rows"]
    assert int(tickers.bid.sum()) == facts["quotes"]["columns"]["bid"]["sum"]
    assert (np.diff(rows.ts_ns) >= 0).all()


@pytest.mark.slow
def test_a_replay_ends_at_the_captures_prices_and_repeats_itself(usdm: Capture) -> None:
    end = facts_of(capture_path(FILE))["book"]["end"]

    result, again = (replay_quoting(usdm.rows, MAKER) for _ in range(2))

    assert [result.bid, result.ask] == [end["best_bid"][0], end["best_ask"][0]]
    assert np.array_equal(result.ts_ns, again.ts_ns)
    assert np.array_equal(result.qty, again.qty)
    assert (result.position, result.cash, result.orders) == (again.position, again.cash, again.orders)
    assert result.position == int((result.side * result.qty).sum())
    assert result.cash == -int((result.side * result.px * result.qty).sum())


def test_made_up_rows_of_one_seed_are_equal_and_of_another_differ() -> None:
    first, again, other = (made_up_rows(1_000, seed=seed) for seed in (7, 7, 8))

    assert np.array_equal(first.price, again.price)
    assert not np.array_equal(first.price, other.price)


@pytest.mark.slow
def test_made_up_rows_make_trades_of_ours() -> None:
    assert len(replay_quoting(made_up_rows(5_000, seed=7), MAKER).ts_ns) > 0


@pytest.mark.slow
def test_a_hole_in_the_chain_of_messages_is_refused(tmp_path: Path) -> None:
    lines = gzip.decompress(paths_of(NAME, DAYS[:1])[0].read_bytes()).splitlines(keepends=True)[:400]
    depth = [at for at, line in enumerate(lines) if b"@depth" in line]
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"".join(line for at, line in enumerate(lines) if at != depth[-2])))

    with pytest.raises(ValueError, match=r"depth message \d+-\d+ does not follow \d+"):
        read_capture(CAPTURES[NAME], [broken])
