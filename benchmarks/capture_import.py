"""Captured exchange streams into checked batches: trades, quotes, book changes and books, all at once.

gzip --> lines --> scan (compiled) --> columns by kind --> wrangler --> batches   An item is a message, a line.

The floor unpacks the same files with zlib and reads nothing; `pyarrow_json` reads the lines of each kind with pyarrow's
own JSON reader, without their receive times, into columns of texts, which is what a loader without code of its own
would begin with. Without the recorded files the lines are made up; the report says so.
"""

import gzip
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.json as pa_json

import libra_ray as lr
from benchmarks.harness import Bench, main
from libra_ray.data import import_all

FOLDER: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "hftbacktest"
NAMES: Final = ("spot_btcusdt", "spot_ethusdt", "usdm_btcusdt", "usdm_ethusdt", "cm_btcusd_perp")
MESSAGES_FULL: Final = 291_746  # lines of the first days
ROWS_FULL: Final = {"trades": 53_538, "quotes": 191_334, "book_deltas": 1_399_100, "book_snapshots": 10_000}
SMOKE_LINES: Final = 2_000
MESSAGES_PER_S: Final = 300_000


def capture_import(bench: Bench) -> None:
    """Import the recorded first days of five markets."""
    instrument = lr.pair("ANY.BINANCE", base="BTC", quote="USDT", tick="0.01", step="0.00000001")
    with tempfile.TemporaryDirectory(prefix="libra-capture-import-") as folder:
        paths, lines, rows = _files(bench, Path(folder))
        bench.budget("import", items_per_s_min=MESSAGES_PER_S)
        routes = {"import": True, "pyarrow_json": False}
        for _ in bench.runs():
            with bench.timed("floor", items=lines):
                unpacked = sum(len(gzip.decompress(path.read_bytes())) for path in paths)
            bench.check(actual=unpacked > 0, expected=True)
            for name, is_ours in bench.turns(routes):
                found: dict[str, int] = defaultdict(int)
                with bench.timed(name, items=lines):
                    for path in paths:
                        if is_ours:
                            for made in import_all(path, instrument):
                                found[made.schema.name] += made.table.num_rows
                        else:
                            found["lines"] += _pyarrow_rows(path)
                bench.check(actual=dict(found), expected=rows if is_ours else {"lines": lines})
    ratio = bench.ratio("pyarrow_json", "import")
    if ratio is not None:
        bench.fact("times_as_fast_as_pyarrow_json", round(ratio, 2))


def _files(bench: Bench, folder: Path) -> tuple[list[Path], int, dict[str, int]]:
    """(files, lines, rows of each type): the recorded ones, their beginning in smoke size, or made up ones."""
    paths = [FOLDER / f"{name}_20240808.gz" for name in NAMES]
    if not all(path.is_file() for path in paths):
        bench.warnings.append("needs shared/data/hftbacktest: the lines are made up")
        count = bench.size("messages", smoke=SMOKE_LINES, full=MESSAGES_FULL)
        path = folder / "made_up.gz"
        path.write_bytes(gzip.compress("".join(map(_made_up_line, range(count))).encode(), 1))
        return [path], count, {"trades": count - count // 2, "quotes": count // 2}
    if not bench.smoke:
        return paths, bench.size("messages", smoke=SMOKE_LINES, full=MESSAGES_FULL), ROWS_FULL
    with gzip.open(paths[2]) as file:
        lines = [next(file) for _ in range(bench.size("messages", smoke=SMOKE_LINES, full=MESSAGES_FULL))]
    path = folder / paths[2].name
    path.write_bytes(gzip.compress(b"".join(lines), 1))
    trades, quotes = (sum(word in line for line in lines) for word in (b"@trade", b"@bookTicker"))
    levels = sum(line.count(b'["') for line in lines if b"@depth" in line)
    return [path], len(lines), {"trades": trades, "quotes": quotes, "book_deltas": levels, "book_snapshots": 2_000}


def _made_up_line(number: int) -> str:
    """A ticker or a trade, in turns."""
    ms = 1_704_067_200_000 + number
    price = f"{50_000 + number % 97}.5"
    data = f'"u":{number},"b":"{price}","B":"1.5","a":"{price}","A":"2"'
    if number % 2 == 0:
        data = f'"e":"trade","E":{ms},"T":{ms},"t":{number},"p":"{price}","q":"1","m":false'
    return f'{ms}000000 {{"stream":"x@{"bookTicker" if number % 2 else "trade"}","data":{{{data}}}}}\n'


def _pyarrow_rows(path: Path) -> int:
    """Read the messages of each stream as JSON columns; how many there were."""
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for line in gzip.decompress(path.read_bytes()).splitlines():
        text = line.partition(b" ")[2]
        groups[text[:64].partition(b"@")[2].partition(b'"')[0]].append(text)
    options = pa_json.ReadOptions(use_threads=False, block_size=64 << 20)
    return sum(
        int(pa_json.read_json(pa.py_buffer(b"\n".join(lines)), read_options=options).num_rows)
        for lines in groups.values()
    )


if __name__ == "__main__":
    sys.exit(main(capture_import))
