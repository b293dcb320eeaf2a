"""Files of vendors, written here as their documentation says, through detection and import."""

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from libra_ray.data.formats.ccxt_rows import frame_of_rows
from libra_ray.data.formats.registry import frames_of
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import Import, import_all, import_file
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick="0.01", step="0.00001")
NS = 10**9
JAN_1_2024 = 1_704_067_200 * NS
JAN_1_2025 = 1_735_689_600 * NS


def zipped(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.csv", text)
    return path


def packed(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def rows(made: Import) -> list[tuple[int, ...]]:
    """All rows as integers, in the order of the schema."""
    return list(zip(*(np.asarray(made.stream.raw(name)).tolist() for name in made.schema.names), strict=True))


AGG_NAMES = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
KLINE_NAMES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.mark.parametrize(
    ("name", "text", "close_ns"),
    [
        (
            "BTCUSDT-1m-2023-12-31",
            "1704067140000,1.5,2.25,1.00,2.00,12.5,1704067199999,100.0,7,6.2,50.1,0\n",
            JAN_1_2024,
        ),
        (
            "BTCUSDT-1m-2024-12-31",
            "1735689540000000,1.5,2.25,1.00,2.00,12.5,1735689599999999,100.0,7,6.2,50.1,0\n",
            JAN_1_2025,
        ),
        (
            "moved-and-renamed",
            f"{KLINE_NAMES}\n1704067140000,1.5,2.25,1.00,2.00,12.5,1704067199999,100.0,7,6.2,50.1,0\n",
            JAN_1_2024,
        ),
    ],
)
def test_klines_of_binance_carry_their_close(tmp_path: Path, name: str, text: str, close_ns: int) -> None:
    made = import_file(zipped(tmp_path, name, text), BTC)

    assert (made.schema.name, made.period, made.report.format) == ("bars", "1m", "binance-vision")
    assert rows(made) == [(close_ns, close_ns, 150, 225, 100, 200, 1_250_000)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BTCUSDT-trades-2025-01-01", "7,93576.00,0.00059,55.2,1735689600010866,True,True\n"),
        ("BTCUSDT-aggTrades-2025-01-01", "7,93576.00,0.00059,1,2,1735689600010866,True,True\n"),
        (
            "BTCUSDT-trades-2025-01",
            "id,price,qty,quote_qty,time,is_buyer_maker\n7,93576.00,0.00059,55.2,1735689600010866,true\n",
        ),
        (
            "BTCUSDT-aggTrades-2025-01",
            f"{AGG_NAMES}\n7,93576.00,0.00059,1,2,1735689600010866,true\n",
        ),
    ],
)
def test_trades_of_binance_where_the_buyer_was_the_maker_are_of_the_seller(
    tmp_path: Path, name: str, text: str
) -> None:
    made = import_file(zipped(tmp_path, name, text), BTC)

    at = JAN_1_2025 + 10_866_000
    assert rows(made) == [(at, at, 9_357_600, 59, 2)]


def test_tickers_and_funding_of_binance(tmp_path: Path) -> None:
    ticker = (
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n"
        "1,42000.1,4,42000.2,2,1704067200010,1704067200015\n"
    )
    funding = "calc_time,funding_interval_hours,last_funding_rate\n1704067200000,8,-0.00037409\n"

    quotes = import_file(zipped(tmp_path, "BTCUSDT-bookTicker-2024-01-01", ticker), BTC)
    rates = import_file(zipped(tmp_path, "BTCUSDT-fundingRate-2024-01", funding), BTC)

    at = JAN_1_2024 + 10_000_000
    assert rows(quotes) == [(at, at, 4_200_010, 4_200_020, 400_000, 200_000)]
    assert rows(rates) == [(JAN_1_2024, JAN_1_2024, -374_090_000)]


def test_milliseconds_behind_microseconds_are_refused(tmp_path: Path) -> None:
    text = "7,1,1,1,1735689600010866,True,True\n8,1,1,1,1735689600010,True,True\n"

    with pytest.raises(DataError, match=r"^DATA014 .*zip:2: "):
        import_file(zipped(tmp_path, "BTCUSDT-trades-2025-01-01", text), BTC)


TARDIS = "exchange,symbol,timestamp,local_timestamp"
T, R = 1_704_067_200_210_000, 1_704_067_200_335_689
EVENT, INIT = T * 1_000, R * 1_000


def test_trades_and_quotes_of_tardis_are_ordered_by_the_recorders_time(tmp_path: Path) -> None:
    trades = f"{TARDIS},id,side,price,amount\nbinance,BTCUSDT,{T},{R},1,sell,9363.66,1.018\n"
    quotes = f"{TARDIS},ask_amount,ask_price,bid_price,bid_amount\nbinance,BTCUSDT,{T},{R},10,9364,9363.5,20\n"

    assert rows(import_file(packed(tmp_path, "trades", trades), BTC)) == [(INIT, EVENT, 936_366, 101_800, 2)]
    assert rows(import_file(packed(tmp_path, "quotes", quotes), BTC)) == [
        (INIT, EVENT, 936_350, 936_400, 2_000_000, 1_000_000)
    ]


def test_a_book_of_tardis_that_begins_anew_is_cleared_first(tmp_path: Path) -> None:
    lines = [
        f"{TARDIS},is_snapshot,side,price,amount",
        f"deribit,BTC-PERPETUAL,{T},{R},true,bid,9363.5,20",
        f"deribit,BTC-PERPETUAL,{T},{R},true,ask,9364,20",
        f"deribit,BTC-PERPETUAL,{T + 1},{R + 1},false,ask,9364,0",
        f"deribit,BTC-PERPETUAL,{T + 1},{R + 1},false,bid,9363,5",
    ]

    made = import_file(packed(tmp_path, "incremental_book_L2", "\n".join(lines)), BTC)

    names = ("action", "side", "price", "qty", "flags")
    found = list(zip(*(np.asarray(made.stream.raw(name)).tolist() for name in names), strict=True))
    assert made.schema.name == "book_deltas"
    assert found == [
        (4, 1, 0, 0, 0),
        (4, 2, 0, 0, 0),
        (1, 1, 936_350, 2_000_000, 0),
        (1, 2, 936_400, 2_000_000, 1),
        (3, 2, 936_400, 0, 0),
        (2, 1, 936_300, 500_000, 1),
    ]


def test_absent_levels_of_a_snapshot_of_tardis_give_no_row(tmp_path: Path) -> None:
    names = ",".join(
        f"{side}[{at}].{what}" for at in (0, 1) for side in ("asks", "bids") for what in ("price", "amount")
    )
    text = f"{TARDIS},{names}\nderibit,BTC-PERPETUAL,{T},{R},2,20,1,10,3,30,,\n"

    made = import_file(packed(tmp_path, "book_snapshot_2", text), BTC)

    assert [each[2:] for each in rows(made)] == [
        (1, 0, 100, 1_000_000, 0),
        (2, 0, 200, 2_000_000, 0),
        (2, 1, 300, 3_000_000, 1),
    ]


def test_fundings_of_a_derivative_ticker_are_its_last_rates_before_them(tmp_path: Path) -> None:
    due = 1_704_067_260_000_000
    header = f"{TARDIS},funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,index_price"
    lines = [
        f"{header},mark_price",
        f"binance-futures,BTCUSDT,{T},{R},{due},0.0001,,1,2,3,4.5",
        f"binance-futures,BTCUSDT,{T + 1},{R + 1},{due},0.0002,,1,2,3,",
        f"binance-futures,BTCUSDT,{due + 1},{due + 1},{due + 28_800_000_000},0.0003,,1,2,3,4.75",
    ]

    every = import_all(packed(tmp_path, "derivative_ticker", "\n".join(lines)), BTC)

    made = {each.schema.name: each for each in every}
    assert [row[2] for row in rows(made["mark_prices"])] == [450, 475]
    assert rows(made["funding_rates"]) == [(due * 1_000, due * 1_000, 200_000_000)]
    assert made["funding_rates"].report.counts == {"fundings_not_reached": 1}


def test_grouped_symbols_of_tardis_are_told_apart(tmp_path: Path) -> None:
    text = f"{TARDIS},id,side,price,amount\nbinance,ETHUSDT,{T},{R},1,sell,2,3\nbinance,BTCUSDT,{T},{R},1,buy,4,5\n"

    made = import_file(packed(tmp_path, "trades", text), BTC)

    assert [row[2:] for row in rows(made)] == [(400, 500_000, 1)]


def test_candles_and_funding_of_freqtrade(tmp_path: Path) -> None:
    folder = tmp_path / "binance" / "futures"
    folder.mkdir(parents=True)
    columns: dict[str, Any] = {
        "date": pa.array([JAN_1_2024 // 10**6], pa.timestamp("ms", "UTC")),
        **{name: [value] for name, value in (("open", 1.5), ("high", 2.0), ("low", 1.0), ("close", 1.75))},
        "volume": [12.5],
    }
    pyarrow.feather.write_feather(pa.table(columns), folder / "BTC_USDT_USDT-5m-futures.feather")
    pyarrow.feather.write_feather(pa.table(columns), folder / "BTC_USDT_USDT-8h-funding_rate.feather")

    bars = import_file(folder / "BTC_USDT_USDT-5m-futures.feather", BTC)
    rates = import_file(folder / "BTC_USDT_USDT-8h-funding_rate.feather", BTC)

    close = JAN_1_2024 + 300 * NS
    assert (bars.period, rows(bars)) == ("5m", [(close, close, 150, 200, 100, 175, 1_250_000)])
    assert rows(rates) == [(JAN_1_2024, JAN_1_2024, 1_500_000_000_000)]


def test_rows_of_ccxt_keep_the_digits_they_are_written_with(tmp_path: Path) -> None:
    path = tmp_path / "BTC_USDT-1h.json"
    path.write_text(json.dumps([[JAN_1_2024 // 10**6, 42000.1, 42010.55, 41990, 42005.25, 1e-05]], indent=1))

    made = import_file(path, BTC)
    again = frame_of_rows([[JAN_1_2024 // 10**6, 42000.1, 42010.55, 41990, 42005.25, 1e-05]])

    close = JAN_1_2024 + 3_600 * NS
    assert rows(made) == [(close, close, 4_200_010, 4_201_055, 4_199_000, 4_200_525, 1)]
    (batch,) = again.table.batches([1, 5])
    assert [column.to_pylist() for column in batch.columns] == [["42000.1"], ["1e-05"]]


@pytest.mark.parametrize("row", [[1, 2, 3], "123456", [1.5, 1, 1, 1, 1, 1], [True, 1, 1, 1, 1, 1]])
def test_a_row_that_is_none_of_ccxt_is_named(row: Any) -> None:  # noqa: ANN401  # anything
    with pytest.raises(DataError, match=r"^DATA0(09|11) rows row 0: "):
        frame_of_rows([row])


def test_a_table_of_other_columns_is_no_vendors(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("ts,price,qty\n2024-01-01T00:00:00Z,1,1\n")

    found, _ = frames_of(RawFile.check(path, max_decompressed_bytes=1 << 20), ImportOptions())

    assert found.name == "csv"


def test_liquidations_of_tardis_are_no_trades(tmp_path: Path) -> None:
    text = f"{TARDIS},id,side,price,amount\nbinance,BTCUSDT,{T},{R},1,sell,9363.66,1.018\n"
    path = packed(tmp_path, "binance-futures_liquidations_2024-01-01_BTCUSDT", text)

    with pytest.raises(DataError, match=r"^DATA004 .*: holds liquidations, which are no trades of the market"):
        import_file(path, BTC)


@pytest.mark.parametrize("packing", ["json", "json.gz"])
def test_freqtrade_in_json(packing: str, tmp_path: Path) -> None:
    trades = [
        [1_704_067_200_000, "1", None, "buy", 1.5, 0.2, 0.3],
        [1_704_067_200_001, "2", "limit", "sell", 1.25, 1, 1],
    ]
    funding = [[1_704_067_200_000, 0.0001, 0.0, 0.0, 0.0, 0.0]]
    marks = [[1_704_067_200_000, 1.0, 2.0, 0.5, 1.5, 0.0]]

    def written(name: str, content: object) -> Path:
        path = tmp_path / f"{name}.{packing}"
        data = json.dumps(content).encode()
        path.write_bytes(gzip.compress(data) if packing.endswith("gz") else data)
        return path

    first, second = rows(import_file(written("BTC_USDT-trades", trades), BTC))
    assert first == (JAN_1_2024, JAN_1_2024, 150, 20_000, 1)
    assert second[2:] == (125, 100_000, 2)
    rates = import_file(written("BTC_USDT_USDT-8h-funding_rate", funding), BTC)
    assert rows(rates) == [(JAN_1_2024, JAN_1_2024, 100_000_000)]
    prices = import_file(written("BTC_USDT_USDT-1h-mark", marks), BTC)
    assert rows(prices) == [(JAN_1_2024 + 3_600 * NS, JAN_1_2024 + 3_600 * NS, 150)]
    with pytest.raises(
        DataError, match=r"^DATA011 BTC_USDT-trades\.json.*: is no list of \[milliseconds, id, type, side"
    ):
        import_file(written("BTC_USDT-trades", [[1_704_067_200_000, 1.0, 2.0]]), BTC)


def test_freqtrade_in_parquet_and_another_file_of_such_a_name(tmp_path: Path) -> None:
    ours, other = tmp_path / "BTC_USDT-4h.parquet", tmp_path / "BTC_USDT-1h.parquet"
    date = pa.array([JAN_1_2024 // 10**6], pa.timestamp("ms", "UTC"))
    candle = {"open": [1.0], "high": [2.0], "low": [0.5], "close": [1.5], "volume": [3.0]}
    pq.write_table(pa.table({"date": date, **candle}), ours)
    pq.write_table(pa.table({"close_time": date, **candle}), other)

    made = import_file(ours, BTC)

    assert (made.report.format, made.period) == ("freqtrade", "4h")
    assert rows(made)[0][0] == JAN_1_2024 + 4 * 3_600 * NS
    assert import_file(other, BTC, period="1h").report.format == "parquet"
