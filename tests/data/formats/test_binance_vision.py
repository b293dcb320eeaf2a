"""Every kind of file of Binance's public data: imported as what it is, or refused by its name."""

import zipfile
from pathlib import Path

import pytest

from libra_ray.data import Import, import_all, import_file, survey_file
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick="0.01", step="0.001")
NS = 10**9
CLOSE_NS = 1_704_070_800 * NS
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)
MARKS = "1704067200000,42313.90,42554.95,42261.01,42488.0,0,1704070799999,0,3600,0,0,0\n"


def zipped(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}.csv", text)
    return path


def prices(made: Import, name: str) -> list[tuple[int, int]]:
    return list(zip(made.stream.ts_ns.tolist(), list(made.stream.raw(name)), strict=True))


@pytest.mark.parametrize("header", [KLINES, ""], ids=["header", "no header"])
def test_klines_of_the_mark_are_mark_prices_at_their_closes(header: str, tmp_path: Path) -> None:
    path = zipped(tmp_path, "um/daily/markPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01", header + MARKS)

    made = import_file(path, BTC)

    assert made.schema.name == "mark_prices"
    assert prices(made, "price") == [(CLOSE_NS, 4_248_800)]


def test_klines_of_an_index_are_bars_that_say_so(tmp_path: Path) -> None:
    path = zipped(tmp_path, "um/daily/indexPriceKlines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01", KLINES + MARKS)

    made = import_file(path, BTC)

    assert (made.schema.name, made.period) == ("bars", "1h")
    assert made.report.notes == ("candles of the index, not of trades",)


def test_a_premium_below_zero_needs_a_word(tmp_path: Path) -> None:
    row = "1704067200000,0.10,0.20,-0.30,-0.20,0,1704070799999,0,720,0,0,0\n"
    path = zipped(tmp_path, "um/daily/premiumIndexKlines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01", KLINES + row)

    with pytest.raises(DataError, match=r"^DATA005 BTCUSDT-1h-2024-01-01\.zip:2: low -0\.30 is not positive"):
        import_file(path, BTC)
    assert prices(import_file(path, BTC, allow_negative_prices=True), "close") == [(CLOSE_NS, -20)]


def test_candles_without_volume_outside_of_their_folders_need_their_type(tmp_path: Path) -> None:
    path = zipped(tmp_path, "BTCUSDT-1h-2024-01-01", KLINES + MARKS)

    with pytest.raises(ConfigError, match=r"^CONF008 .*: the file holds bars 1h, mark_prices 1h, not one type\."):
        import_file(path, BTC)
    assert prices(import_file(path, BTC, "mark_prices"), "price") == [(CLOSE_NS, 4_248_800)]


def test_a_quiet_hour_of_trades_is_a_bar(tmp_path: Path) -> None:
    quiet = "1704067200000,42313.90,42313.90,42313.90,42313.90,0.0,1704070799999,0.0,0,0.0,0.0,0\n"

    (made,) = import_all(zipped(tmp_path, "BTCUSDT-1h-2024-01-01", KLINES + quiet), BTC)

    assert (made.schema.name, made.report.notes) == ("bars", ())


@pytest.mark.parametrize("header", ["calc_time,funding_interval_hours,last_funding_rate\n", ""])
def test_fundings_with_and_without_header(header: str, tmp_path: Path) -> None:
    made = import_file(zipped(tmp_path, "BTCUSDT-fundingRate-2024-01", f"{header}1704067200000,8,-0.00037409\n"), BTC)

    assert prices(made, "rate") == [(CLOSE_NS - 3_600 * NS, -374_090_000)]


@pytest.mark.parametrize(
    ("kind", "header", "row"),
    [
        ("bookDepth", "timestamp,percentage,depth,notional", "2024-01-01 00:00:08,-5,6060.6,250"),
        (
            "metrics",
            "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio",
            "2024-01-01 00:05:00,BTCUSDT,73.1,30.1,1.1",
        ),
        (
            "liquidationSnapshot",
            "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status",
            "1704067200000,SELL,LIMIT,IOC,1,42000,42000,FILLED",
        ),
        ("BVOLIndex", "calc_time,symbol,base_asset,quote_asset,index_value", "1704067200000,X,Y,USDT,53.1"),
    ],
)
def test_a_kind_without_a_type_here_is_refused_by_its_name(kind: str, header: str, row: str, tmp_path: Path) -> None:
    path = zipped(tmp_path, f"BTCUSDT-{kind}-2024-01-01", f"{header}\n{row}\n")

    for look in (lambda: import_file(path, BTC), lambda: survey_file(path)):
        with pytest.raises(DataError) as caught:
            look()
        assert caught.value.code == "DATA004"
        assert caught.value.message.startswith(f"DATA004 {path.name}:1: '{kind}' of Binance is ")
