"""Instruments of others' files: CCXT's market dictionaries and LEAN's symbol properties."""

import json
from pathlib import Path
from typing import Any

import pytest

from libra_ray.data.instrument_files import instruments_from_ccxt, instruments_from_file, instruments_from_lean
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.enums import InstrumentKind
from libra_ray.model.instruments import Instrument
from libra_ray.model.numbers import Rate
from tests.conftest import absent

LEAN_ROWS = [
    ("BTCUSDT.BINANCE", "1", "0.01", "0.00001", "BTCUSDT"),
    ("ETHUSDT.BINANCE", "1", "0.01", "0.0001", "ETHUSDT"),
    ("BTCUSDT-PERP.BINANCE", "1", "0.1", "0.001", "BTCUSDT"),
    ("BTCUSD-PERP.BINANCE", "100", "0.1", "1", "BTCUSD_PERP"),
    ("ETHUSD-PERP.BINANCE", "10", "0.01", "1", "ETHUSD_PERP"),
    ("BTCUSD.COINBASE", "1", "0.01", "0.00000001", "BTC-USD"),
    ("BTCUSD.DYDX", "1", "1", "0.0001", "BTC-USD"),
    ("EURUSD.OANDA", "1", "0.00001", "1", "EURUSD"),
    ("USDJPY.OANDA", "1", "0.001", "1", "USDJPY"),
    ("ES.CME", "50", "0.25", "1", "ES"),
    ("CL.NYMEX", "1000", "0.01", "1", "CL"),
    ("ZN.CBOT", "1000", "0.015625", "1", "ZN"),
]


@pytest.fixture(scope="module")
def lean(shared: Path) -> dict[str, Instrument]:
    path = shared / "data" / "lean" / "symbol-properties" / "symbol-properties-database.csv"
    if not path.is_file():
        absent("shared/data/lean/symbol-properties")
    return instruments_from_file(path)


@pytest.mark.parametrize(("name", "multiplier", "tick", "step", "ticker"), LEAN_ROWS)
def test_leans_rows_are_instruments(
    lean: dict[str, Instrument], name: str, multiplier: str, tick: str, step: str, ticker: str
) -> None:
    made = lean[name]

    assert made.multiplier == Rate.parse(multiplier)
    assert (str(made.price_increment), str(made.size_increment), made.raw_symbol) == (tick, step, ticker)


def test_binance_counts_the_smallest_order_in_quote_currency_and_others_in_base(lean: dict[str, Instrument]) -> None:
    binance, coinbase, dydx = (lean[name] for name in ("BTCUSDT.BINANCE", "BTCUSD.COINBASE", "BTCUSD.DYDX"))

    assert (binance.min_notional_raw, binance.min_qty_raw) == (5 * 10**binance.quote.precision, None)
    assert (coinbase.min_notional_raw, coinbase.min_qty_raw, dydx.min_qty_raw) == (None, 1, 1)


def test_a_coin_margined_perpetual_is_inverse(lean: dict[str, Instrument]) -> None:
    made = lean["BTCUSD-PERP.BINANCE"]

    assert (made.inverse, made.kind, str(made.settlement)) == (True, InstrumentKind.PERPETUAL, "BTC")


def test_a_row_of_all_symbols_defines_those_that_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "symbol-properties-database.csv"
    path.write_text(
        "market,symbol,type,description,quote_currency,contract_multiplier,minimum_price_variation,lot_size\n"
        "usa,[*],option,,USD,100,0.01,1\nusa,[*],equity,,USD,1,0.01,1\nindia,[*],equity,,INR,1,0.05,1\n"
        "usa,BRK.A,equity,,USD,1,0.5,1\n"
    )

    made = instruments_from_lean(path, wanted=["SPY.USA", "BRK.A.USA", "INFY.INDIA", "SAP.XETRA"])

    assert {name: (str(one.price_increment), str(one.quote)) for name, one in made.items()} == {
        "SPY.USA": ("0.01", "USD"),
        "BRK.A.USA": ("0.5", "USD"),
        "INFY.INDIA": ("0.05", "INR"),
    }
    assert made["SPY.USA"].kind == InstrumentKind.EQUITY
    assert list(instruments_from_lean(path)) == ["BRK.A.USA"]


def test_a_row_that_is_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    header = "market,symbol,type,description,quote_currency,contract_multiplier,minimum_price_variation,lot_size"
    path.write_text(f"{header}\nbinance,BTCUSDT,crypto,,USDT,1,0.01\n")

    with pytest.raises(DataError, match=r"^DATA011 p\.csv:2: 7 fields where a row has at least 8"):
        instruments_from_lean(path)


def market(**more: Any) -> dict[str, Any]:  # noqa: ANN401  # fields of a market
    return {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "type": "spot",
        "spot": True,
        "precision": {"price": 0.01, "amount": 1e-05},
        "limits": {"amount": {"min": 1e-05, "max": 9000.0}, "cost": {"min": 5.0}},
        "maker": 0.001,
        "taker": 0.0015,
        **more,
    }


SWAP = market(
    symbol="BTC/USDT:USDT", type="swap", spot=False, settle="USDT", contractSize=1.0, inverse=False, linear=True
)
INVERSE = market(
    symbol="BTC/USD:BTC",
    quote="USD",
    type="swap",
    spot=False,
    settle="BTC",
    contractSize=100.0,
    inverse=True,
    precision={"price": 0.1, "amount": 1.0},
    limits={},
)


def test_markets_of_ccxt_are_instruments() -> None:
    made = instruments_from_ccxt({each["symbol"]: each for each in (market(), SWAP, INVERSE)}, venue="binance")

    spot, swap, coin = made["BTCUSDT.BINANCE"], made["BTCUSDT-PERP.BINANCE"], made["BTCUSD.BINANCE"]
    assert (str(spot.price_increment), str(spot.size_increment)) == ("0.01", "0.00001")
    assert (spot.min_qty_raw, spot.max_qty_raw, spot.min_notional_raw) == (1, 900_000_000, 5 * 10**spot.quote.precision)
    assert (spot.maker_fee, spot.taker_fee) == (Rate.parse("0.001"), Rate.parse("0.0015"))
    assert (swap.kind, swap.raw_symbol, str(swap.settlement)) == (InstrumentKind.PERPETUAL, "BTC/USDT:USDT", "USDT")
    assert (coin.inverse, coin.multiplier, str(coin.settlement)) == (True, Rate(100, 1), "BTC")


def test_a_json_file_of_markets_needs_its_venue(tmp_path: Path) -> None:
    path = tmp_path / "markets.json"
    path.write_text(json.dumps([market()]))

    made = instruments_from_file(path, venue="binance")

    assert list(made) == ["BTCUSDT.BINANCE"]
    with pytest.raises(ConfigError, match="do not say their venue"):
        instruments_from_file(path)


@pytest.mark.parametrize("more", [{"type": "option"}, {"precision": {"price": None, "amount": 1}}, {"base": None}])
def test_what_is_no_instrument_is_left_out(more: dict[str, Any]) -> None:
    assert instruments_from_ccxt([market(**more)], venue="binance") == {}


def test_decimal_places_are_steps() -> None:
    given = market(precisionMode=2, precision={"price": 2, "amount": 5})

    made = instruments_from_ccxt([given], venue="binance")["BTCUSDT.BINANCE"]

    assert (str(made.price_increment), str(made.size_increment)) == ("0.01", "0.00001")


@pytest.mark.parametrize("given", ["text.json", [1], {"a": 1}])
def test_something_else_than_markets_is_refused(tmp_path: Path, given: Any) -> None:  # noqa: ANN401  # anything
    (tmp_path / "text.json").write_text("no json")

    with pytest.raises(DataError, match=r"^DATA011 "):
        instruments_from_ccxt(tmp_path / given if isinstance(given, str) else given, venue="x")
