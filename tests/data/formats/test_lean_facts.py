"""All of LEAN's recorded files, found out by their paths and compared with facts that were computed without us."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libra_ray.data.formats.registry import frames_of
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import Import, import_file
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument, equity, pair
from tests.conftest import LONG_TESTS, absent

SHARED = Path(__file__).resolve().parents[4] / "shared"
FACTS = SHARED / "data" / "facts.json"
NAMES = (
    [name for name in json.loads(FACTS.read_text()) if name.startswith("lean/") and name.endswith(".zip")]
    if FACTS.is_file()
    else []
)
OFTEN = [name for name in NAMES if LONG_TESTS or ("/tick/" not in name and "/hour/aapl" not in name)]
QUOTES = {"bid_close": "bid_px", "ask_close": "ask_px", "bid_size": "bid_qty", "ask_size": "ask_qty"}
BARS = {name: name for name in ("open", "high", "low", "close", "volume")}
TICKS = {"price": "price", "size": "qty"}


def sha256(values: Any) -> str:  # noqa: ANN401  # an array or a list of integers
    return hashlib.sha256(np.asarray(values, "<i8").tobytes()).hexdigest()


def facts_of(name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(FACTS.read_text())[name]
    return facts


def step(decimals: int) -> str:
    return f"{10**-decimals:.{decimals}f}"


def read(name: str, **options: Any) -> Import:  # noqa: ANN401  # the fields of ImportOptions
    facts = facts_of(name)
    size = facts["size_decimals_in_file"]
    prices, sizes = step(facts["price_decimals_in_file"]), step(min(size, 8))
    if "/equity/" in name:
        instrument: Instrument = equity("SPY.USA", quote="USD", tick=prices)
    else:
        instrument = pair("BTCUSD.X", base="BTC", quote="USD", tick=prices, step=sizes)
    return import_file(SHARED / "data" / name, instrument, round="half-even" if size > 8 else None, **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", OFTEN)
def test_every_column_of_a_file_has_the_known_hash(name: str) -> None:
    if not (SHARED / "data" / name).is_file():
        absent(f"shared/{name}")
    facts = facts_of(name)

    made = read(name)

    known = {"trade bars": BARS, "quote bars": QUOTES, "trade ticks": TICKS}[facts["kind"]]
    assert made.table.num_rows == facts["rows"]
    for theirs, ours in known.items():
        column = facts["columns"][theirs]
        expected = column.get("half_even_8_decimals", column)["sha256_i64le"]
        assert sha256(made.stream.raw(ours)) == expected, theirs
    times = "ts_event_ns" if "ts_event_ns" in facts["columns"] else "ts_close_ns"
    assert sha256(made.stream.ts_ns) == facts["columns"][times]["sha256_i64le"]
    if made.schema.name == "bars" and "missing_between_first_and_last" in facts:
        found = (made.report.missing_bars, made.report.gaps, made.report.longest_gap)
        assert found == (facts["missing_between_first_and_last"], facts["gap_runs"], facts["longest_gap"])


def test_rounding_float_noise_needs_a_word_and_is_counted(shared: Path) -> None:
    name = "lean/crypto/coinbase/minute/btcusd/20171217_quote.zip"
    path = shared / "data" / name
    if not path.is_file():
        absent(f"shared/data/{name}")
    instrument = pair("BTCUSD.COINBASE", base="BTC", quote="USD", tick="0.01", step="0.00000001")

    with pytest.raises(DataError, match="DATA018"):
        import_file(path, instrument)
    made = read(name)

    columns = facts_of(name)["columns"]
    changed = sum(columns[side]["half_even_8_decimals"]["rows_changed"] for side in ("bid_size", "ask_size"))
    assert made.report.rounded_values == changed


def test_suspicious_trades_are_kept_and_counted_or_left_out(shared: Path) -> None:
    name = "lean/equity/usa/tick/spy/20131010_trade.zip"
    if not (shared / "data" / name).is_file():
        absent(f"shared/data/{name}")

    kept, dropped = read(name), read(name, drop_suspicious=True)

    assert (kept.table.num_rows, kept.report.counts["suspicious_rows"]) == (460_032, 10)
    assert (dropped.table.num_rows, dropped.report.counts["dropped_suspicious"]) == (460_022, 10)
    left = np.asarray(kept.stream.raw("price")).sum() - np.asarray(dropped.stream.raw("price")).sum()
    assert int(left) == 10 * 1_655_900


@pytest.mark.parametrize(
    ("name", "rows", "total"),
    [
        ("binance/margin_interest/btcusd.csv", 12, 2_765_360_000),
        ("binance/margin_interest/adausdt.csv", 1, 100_000_000),
        ("bybit/margin_interest/btcusd.csv", 3, -373_640_000),
        ("bybit/margin_interest/btcusdt.csv", 3, -811_130_000),
    ],
)
def test_funding_rates_have_the_known_sum(shared: Path, name: str, rows: int, total: int) -> None:
    path = shared / "data" / "lean" / "cryptofuture" / name
    if not path.is_file():
        absent(f"shared/data/lean/cryptofuture/{name}")
    instrument = pair("BTCUSD.X", base="BTC", quote="USD", tick="0.1", step="1")

    made = import_file(path, instrument)

    assert (made.schema.name, made.table.num_rows) == ("funding_rates", rows)
    assert int(np.asarray(made.stream.raw("rate")).sum()) == total


@pytest.mark.parametrize(
    ("name", "symbol", "kind", "inverse"),
    [
        ("cryptofuture/binance/minute/btcusd/20221213_trade.zip", "BTCUSD.BINANCE", "perpetual", True),
        ("forex/fxcm/hour/eurusd.zip", "EURUSD.FXCM", "pair", False),
        ("equity/usa/daily/spy.zip", "SPY.USA", "equity", False),
    ],
)
def test_a_path_tells_the_instrument(shared: Path, name: str, symbol: str, kind: str, *, inverse: bool) -> None:
    path = shared / "data" / "lean" / name
    if not path.is_file():
        absent(f"shared/data/lean/{name}")

    _, (frame,) = frames_of(RawFile.check(path, max_decompressed_bytes=1 << 30), ImportOptions())

    assert (frame.hint.instrument_id, frame.hint.kind, frame.hint.inverse) == (symbol, kind, inverse)


def test_bars_of_one_side_of_a_quote_file(shared: Path) -> None:
    name = "lean/forex/oanda/minute/eurusd/20140501_quote.zip"
    if not (shared / "data" / name).is_file():
        absent(f"shared/data/{name}")

    made = read(name, kind="bars", quote_side="ask")

    columns = facts_of(name)["columns"]
    assert (made.period, made.table.num_rows) == ("1m", 1_363)
    for column in ("open", "high", "low", "close"):
        assert sha256(made.stream.raw(column)) == columns[f"ask_{column}"]["sha256_i64le"]
    assert not np.asarray(made.stream.raw("volume")).any()
