"""Books rebuilt from captured changes: the venue's own tickers after each message, the known book at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from libra_ray.data.formats.capture_session import read_session
from libra_ray.errors import DataError
from libra_ray.strategy.capture_check import checked_book
from tests.conftest import LONG_TESTS, absent

DAYS = ("20240808", "20240809")
SESSIONS = [
    ("usdm_btcusdt", DAYS[:1]),
    *([("usdm_ethusdt", DAYS[:1]), ("spot_ethusdt", DAYS)] if LONG_TESTS else []),
    ("spot_btcusdt", DAYS),
    ("cm_btcusd_perp", DAYS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "days"), SESSIONS)
def test_a_rebuilt_book_agrees_with_the_tickers(shared: Path, name: str, days: tuple[str, ...]) -> None:
    paths = [shared / "data" / "hftbacktest" / f"{name}_{day}.gz" for day in days]
    for path in paths:
        if not path.is_file():
            absent(f"shared/data/hftbacktest/{path.name}")
    every: dict[str, Any] = json.loads((shared / "data" / "facts.json").read_text())
    facts = [every[f"hftbacktest/{path.name}"] for path in paths]
    books = [each["book"] for each in facts]
    decimals = {key: facts[0][key] for key in ("price_decimals", "size_decimals")}

    made = checked_book(read_session(paths, **decimals))

    end = books[-1]["end"]
    assert (made.applied, made.dropped) == tuple(
        sum(book[key] for book in books) for key in ("messages_applied", "messages_dropped")
    )
    assert (made.compared, made.different) == tuple(
        sum(book[key] for book in books) for key in ("bbo_checked", "bbo_mismatch")
    )
    assert (made.gaps, made.unknown, made.crossed) == (0, 0, 0)
    assert (len(made.bids), len(made.asks)) == (end["bid_levels"], end["ask_levels"])
    assert [list(made.bids[0]), list(made.asks[0])] == [end["best_bid"], end["best_ask"]]
    assert made.sha256 == end["sha256"]
    if name == "spot_btcusdt":
        assert made.different_updates == (50_093_478_174, 50_093_480_542)


@pytest.mark.slow
def test_a_file_without_a_snapshot_makes_no_book(shared: Path) -> None:
    path = shared / "data" / "hftbacktest" / "spot_ethusdt_20240809.gz"
    if not path.is_file():
        absent(f"shared/data/hftbacktest/{path.name}")

    with pytest.raises(DataError, match="DATA008"):
        read_session([path], price_decimals=2, size_decimals=8)
