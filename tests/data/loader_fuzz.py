"""One fuzzed file through one loader: what may come of it, and files to begin with."""

from pathlib import Path
from typing import Final

from libra_ray.data.formats.registry import FORMATS
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.importer import open_imports
from libra_ray.errors import LibraError
from tests.data.import_files import BTC, WRITERS

__all__ = ["MESSAGES", "NAMES", "feed", "seeds"]

NAMES: Final = {
    "lean": "20131007_spy_minute_trade.zip",
    "freqtrade": "BTC_USDT-1h.feather",
    "binance-vision": "BTCUSDT-1h-2024-01.csv",
    "tardis": "binance_trades_2024-01-01_BTCUSDT.csv",
    "parquet": "x.parquet",
    "feather": "x.feather",
    "jsonl": "x.jsonl",
}
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


def seeds(folder: Path) -> dict[str, list[bytes]]:
    """For each format, whole files of it or near to it."""
    general = {}
    for name, write in WRITERS.items():
        write(folder / name)
        general[name] = (folder / name).read_bytes()
    return {
        name: [MESSAGES[name]] if name in MESSAGES else [data for key, data in general.items() if _near(name, key)]
        for name in FORMATS
    }


def _near(format_name: str, file_name: str) -> bool:
    suffixes = {"parquet": (".parquet",), "feather": (".feather", ".arrow"), "freqtrade": (".feather",)}
    suffixes |= {"jsonl": (".jsonl", ".json.gz", "lines.zip"), "lean": (".zip",)}
    return file_name.endswith(suffixes.get(format_name, (".csv", ".tsv", ".gz", ".zip")))


def feed(data: bytes, format_name: str, folder: Path) -> str:
    """Import the bytes as a file of that format; the code of the refusal, or empty. What else is raised is a fault."""
    path = folder / NAMES.get(format_name, "x")
    path.write_bytes(data)
    options = ImportOptions(tz="UTC", max_decompressed_bytes=1 << 20)
    try:
        for stream in open_imports(path, BTC, period="1h", format=format_name, options=options):
            for table in stream:
                table.validate(full=True)
    except LibraError as error:
        if error.family not in ("DATA", "CONF") or "\n" in error.message:
            raise AssertionError(error.message) from error
        return error.code
    return ""
