"""`libra data import`, `ls` and `check` on recorded files, with nothing said but the steps of the instrument."""

from pathlib import Path

import pytest

from tests.cli.conftest import Libra
from tests.conftest import absent

STEPS = {
    "hftbacktest/spot_btcusdt_20240808.gz": ("0.01", "0.00000001", 4),
    "hftbacktest/cm_btcusd_perp_20240808.gz": ("0.1", "1", 4),
    "lean/crypto/binance/minute/btcbusd/20221213_trade.zip": ("0.01", "0.00001", 1),
    "lean/cryptofuture/binance/minute/btcusd/20221213_quote.zip": ("0.1", "1", 1),
    "lean/cryptofuture/binance/margin_interest/btcusd.csv": ("0.1", "1", 1),
    "lean/equity/usa/minute/aapl/20140609_trade.zip": ("0.0001", "1", 1),
    "lean/forex/oanda/minute/eurusd/20140502_quote.zip": ("0.00001", "1", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_a_recorded_file_is_imported_listed_and_sound(libra: Libra, shared: Path, name: str) -> None:
    path = shared / "data" / name
    if not path.is_file():
        absent(f"shared/data/{name}")
    tick, step, types = STEPS[name]

    imported = libra("data", "import", str(path), "--tick", tick, "--step", step, "--json")
    listed = libra("data", "ls", "--json")
    checked = libra("data", "check", "--json")

    assert (imported.code, listed.code, checked.code) == (0, 0, 0), imported.err
    entries = listed.document["entries"]
    assert len(entries) == types
    assert checked.document["rows"] == sum(entry["rows"] for entry in entries)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "instrument", "rows"),
    [
        ("cryptofuture/binance/minute/btcusd/20221213_trade.zip", "BTCUSD-PERP.BINANCE", 1_439),
        ("equity/usa/minute/spy/20131007_trade.zip", "SPY.USA", 828),  # of the row of all symbols
    ],
)
def test_leans_properties_define_the_instrument_of_a_file(
    libra: Libra, shared: Path, name: str, instrument: str, rows: int
) -> None:
    path = shared / "data" / "lean" / name
    properties = shared / "data" / "lean" / "symbol-properties" / "symbol-properties-database.csv"
    if not path.is_file() or not properties.is_file():
        absent("shared/data/lean")

    imported = libra("data", "import", str(path), "--instruments", str(properties), "--json")

    assert imported.code == 0, imported.err
    entry = libra("data", "ls", "--json").document["entries"][0]
    assert (entry["instrument_id"], entry["rows"]) == (instrument, rows)
