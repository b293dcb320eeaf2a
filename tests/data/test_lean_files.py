"""Recorded files of others, imported by declaration and compared with facts that were computed without us."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from libra_ray.data.importer import Import, import_file
from libra_ray.errors import DataError
from libra_ray.model.instruments import Instrument, equity, pair
from tests.conftest import absent

TRADE_BAR = ("ts", "open", "high", "low", "close", "volume")
SPY = equity("SPY.ARCX", quote="USD", tick="0.0001")


def crypto(tick: str, step: str) -> Instrument:
    return pair("BTCUSD.X", base="BTC", quote="USD", tick=tick, step=step)


CASES: dict[str, tuple[Instrument, str, dict[str, Any]]] = {
    "lean/crypto/binance/hour/btcusdt_trade.zip": (
        crypto("0.01", "0.000001"),
        "1h",
        {"ts_format": "%Y%m%d %H:%M", "tz": "UTC"},
    ),
    "lean/crypto/bitfinex/hour/btcusd_trade.zip": (
        crypto("0.0000001", "0.00000001"),
        "1h",
        {"ts_format": "%Y%m%d %H:%M", "tz": "UTC"},
    ),
    "lean/crypto/coinbase/minute/btcusd/20161007_trade.zip": (
        crypto("0.01", "0.00000001"),
        "1m",
        {"ts_unit": "ms", "day": "2016-10-07", "tz": "UTC"},
    ),
    "lean/equity/usa/daily/spy.zip": (
        SPY,
        "1d",
        {"ts_format": "%Y%m%d %H:%M", "tz": "America/New_York", "price_decimals": 4},
    ),
    "lean/equity/usa/minute/spy/20131007_trade.zip": (
        SPY,
        "1m",
        {"ts_unit": "ms", "day": "2013-10-07", "tz": "America/New_York", "price_decimals": 4},
    ),
}


def read(data: Path, name: str) -> Import:
    instrument, period, options = CASES[name]
    path = data / name
    if not path.is_file():
        absent(f"shared/data/{name}")
    return import_file(path, instrument, "bars", period=period, column_names=TRADE_BAR, stamp="open", **options)


def sha256(values: Any) -> str:  # noqa: ANN401  # an array or a list of integers
    return hashlib.sha256(np.asarray(values, "<i8").tobytes()).hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_every_column_has_the_known_hash(shared: Path, name: str) -> None:
    facts = json.loads((shared / "data" / "facts.json").read_text())[name]

    made = read(shared / "data", name)

    assert made.table.num_rows == facts["rows"]
    for column in ("open", "high", "low", "close", "volume"):
        assert sha256(made.stream.raw(column)) == facts["columns"][column]["sha256_i64le"], column
    assert sha256(made.stream.ts_ns) == facts["columns"]["ts_close_ns"]["sha256_i64le"]


def test_spy_ticks_need_no_rounding_and_keep_their_order(shared: Path) -> None:
    name = "lean/equity/usa/tick/spy/20131007_trade.zip"
    path = shared / "data" / name
    if not path.is_file():
        absent(f"shared/data/{name}")
    facts = json.loads((shared / "data" / "facts.json").read_text())[name]

    made = import_file(
        path,
        SPY,
        "trades",
        column_names=("ts", "price", "qty", "exchange", "condition", "suspicious"),
        ts_unit="ms",
        day="2013-10-07",
        tz="America/New_York",
        price_decimals=4,
    )

    assert made.table.num_rows == facts["rows"] == 250_601
    assert sha256(made.stream.raw("price")) == facts["columns"]["price"]["sha256_i64le"]
    assert sha256(made.stream.raw("qty")) == facts["columns"]["size"]["sha256_i64le"]
    assert int(made.stream.ts_ns[0]) == 1381132800464000000
    assert int(made.stream.ts_ns[-1]) == 1381190399536000000


def test_eighteen_decimals_of_float_noise_need_a_policy(shared: Path) -> None:
    name = "lean/crypto/coinbase/minute/btcusd/20171217_quote.zip"
    path = shared / "data" / name
    if not path.is_file():
        absent(f"shared/data/{name}")
    facts = json.loads((shared / "data" / "facts.json").read_text())[name]
    names = ("ts", "bo", "bh", "bl", "bid_px", "bid_qty", "ao", "ah", "al", "ask_px", "ask_qty")
    options: dict[str, Any] = {"column_names": names, "ts_unit": "ms", "day": "2017-12-17", "tz": "UTC"}

    with pytest.raises(DataError, match="DATA018"):
        import_file(path, crypto("0.01", "0.00000001"), "quotes", **options)
    made = import_file(path, crypto("0.01", "0.00000001"), "quotes", round="half-even", **options)

    assert sum(map(int, made.stream.raw("bid_qty"))) == 1084578377954
    assert sum(map(int, made.stream.raw("ask_qty"))) == 1196065327489
    assert made.table.num_rows == facts["rows"]
