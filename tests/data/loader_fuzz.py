"""One fuzzed file through one loader: what may come of it, and files to begin with."""

import io
import zipfile
from pathlib import Path
from typing import Final

from libra_ray.data.formats.registry import FORMATS
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import open_imports
from libra_ray.errors import LibraError
from tests.data.import_files import BTC, WRITERS

__all__ = ["MESSAGES", "NAMES", "feed", "seeds"]

NAMES: Final = {
    "lean": ("equity/usa/minute/spy/20131007_trade.zip", "future/cme/minute/es/20131007_trade.zip"),
    "freqtrade": ("BTC_USDT-1h.feather", "BTC_USDT-1h.json", "BTC_USDT-trades.json", "BTC_USDT-1h.parquet"),
    "binance-vision": ("BTCUSDT-1h-2024-01.csv",),
    "tardis": ("binance_trades_2024-01-01_BTCUSDT.csv",),
    "parquet": ("x.parquet",),
    "feather": ("x.feather",),
    "jsonl": ("x.jsonl",),
}
"""What a format's file is called: where the name says how it is read, each way is tried."""


OWN_PERIODS: Final = ("lean", "freqtrade")
"""Formats whose files say the period of their bars."""


def _archive(*members: str) -> bytes:
    """LEAN's minutes in an archive of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for member in members:
            archive.writestr(member, "34200000,1458000,1458500,1457000,1458200,100\n34260000,1,2,1,2,0\n")
    return data.getvalue()


MESSAGES: Final[dict[str, bytes]] = {
    "binance-capture": (
        b'1723161254001000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255270,"s":"BTCUSDT","t":1,'
        b'"p":"61000.10","q":"0.5","T":1723161255269,"m":true,"M":true}}\n'
        b'1723161254002000000 {"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"1.0","B":"2",'
        b'"a":"1.1","A":"3"}}\n'
        b'1723161254003000000 {"lastUpdateId":10,"bids":[["1.0","2"]],"asks":[["1.1","3"]]}\n'
        b'1723161254004000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255300,'
        b'"s":"BTCUSDT",'
        b'"U":9,"u":12,"b":[["1.0","0"]],"a":[["1.2","4"]]}}\n'
    ),
    "binance-vision": b"1704067200000,1.0,2.0,0.5,1.5,10,1704070799999,15,3,5,7,0\n",
    "tardis": (
        b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
        b"binance,BTCUSDT,1704067200000000,1704067200000100,1,buy,1.5,2\n"
    ),
    "ccxt-rows": b"[[1704067200000, 1.0, 2.0, 0.5, 1.5, 10.0], [1704070800000, 1.5, 2.0, 0.5, 1.5, 10.0]]",
    "hyperliquid-capture": (
        b'1737849600000000000 {"channel":"trades","data":[{"coin":"BTC","side":"B","px":"1.5","sz":"2",'
        b'"time":1737849600000,'
        b'"hash":"0x0","tid":1}]}\n'
    ),
}


FURTHER: Final[dict[str, tuple[bytes, ...]]] = {
    "lean": (
        _archive("20131007_spy_minute_trade.csv"),
        _archive("20131007_es_minute_trade_201312_20131220.csv"),
        _archive("20131007_es_minute_trade_201312_20131220.csv", "20131007_es_minute_trade_201403_20140321.csv"),
    ),
    "freqtrade": (
        MESSAGES["ccxt-rows"],
        b'[[1704067200000, "1", null, "buy", 1.5, 0.2, 0.3], [1704067200001, "2", "limit", "sell", 1.25, 1, 1]]',
    ),
}


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """For each format, whole files of it or near to it."""
    general = {}
    for name, write in WRITERS.items():
        write(folder / name)
        general[name] = (folder / name).read_bytes()
    near = {name: [data for key, data in general.items() if _near(name, key)] for name in FORMATS}
    return {name: [MESSAGES[name]] if name in MESSAGES else [*near[name], *FURTHER.get(name, ())] for name in FORMATS}


def _near(format_name: str, file_name: str) -> bool:
    suffixes = {"parquet": (".parquet",), "feather": (".feather", ".arrow"), "freqtrade": (".feather",)}
    suffixes |= {"jsonl": (".jsonl", ".json.gz", "lines.zip"), "lean": (".zip",)}
    return file_name.endswith(suffixes.get(format_name, (".csv", ".tsv", ".gz", ".zip")))


def feed(data: bytes, format_name: str, folder: Path) -> str:
    """Import the bytes as a file of that format; the code of the last refusal, or empty.

    What else is raised is a fault.
    """
    code = ""
    for name in NAMES.get(format_name, ("x",)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        code = _imported(path, format_name)
    return code


def _imported(path: Path, format_name: str) -> str:
    options = ImportOptions(tz="UTC", max_decompressed_bytes=1 << 20)
    period = "" if format_name in OWN_PERIODS else "1h"
    try:
        for stream in open_imports(path, BTC, period=period, format=format_name, options=options):
            for table in stream:
                table.validate(full=True)
    except LibraError as error:
        if error.family not in ("DATA", "CONF") or "\n" in error.message:
            raise AssertionError(error.message) from error
        return error.code
    return ""
