"""A capture that streams: what is read lies on the disk, and gives the rows that it gives in memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.data import catalog, import_all
from libra_ray.data.catalog_imports import import_into
from libra_ray.data.importer import open_imports
from libra_ray.errors import DataError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick="0.01", step="0.00000001")
MIB = 1 << 20
T0_NS = 1_723_161_254_000_000_000
PROGRAM = """
import sys, threading
from pathlib import Path
from libra_ray.data import catalog
from libra_ray.data.catalog_imports import import_into
from libra_ray.data.importer import open_imports
from libra_ray.model.instruments import pair

btc = pair("BTCUSDT.BINANCE", base="BTC", quote="USDT", tick="0.01", step="0.00000001")

def private():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) >> 10

def run(path, folder):
    for stream in open_imports(path, btc, streaming=True, book=sys.argv[1]):
        import_into(catalog(folder), stream)

run("warm", "warm_catalog")
before, peak, done = private(), [0], threading.Event()
def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], private())
watcher = threading.Thread(target=watch)
watcher.start()
run("large", "large_catalog")
done.set()
watcher.join()
print(peak[0] - before)
"""


def capture(path: Path, size: int) -> None:
    """A snapshot, then trades, tickers and messages of 20 levels that follow each other, of about `size` bytes."""
    with path.open("w") as file:
        book = ",".join(f'["{60_000 - at}.10","1.5"]' for at in range(20))
        file.write(f'{T0_NS} {{"lastUpdateId":10,"bids":[{book}],"asks":[["60001.10","2"]]}}\n')
        number = 0
        while file.tell() < size:
            number += 1
            at, ms = T0_NS + number * 3_000_000, (T0_NS + number * 3_000_000) // 10**6
            levels = ",".join(f'["{60_000 - level}.{number % 90 + 10}","{number % 7}.25000000"]' for level in range(20))
            event = f'"E":{ms},"s":"BTCUSDT"'
            file.write(
                f'{at} {{"stream":"btcusdt@trade","data":{{"e":"trade",{event},"t":{number},"p":"60000.10","q":"0.5",'
                f'"T":{ms},"m":true,"M":true}}}}\n'
                f'{at + 1_000_000} {{"stream":"btcusdt@bookTicker","data":{{"u":{number},"s":"BTCUSDT","b":"60000.10",'
                f'"B":"2","a":"60001.10","A":"3"}}}}\n'
                f'{at + 2_000_000} {{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate",{event},'
                f'"U":{10 + number},"u":{10 + number},"b":[{levels}],"a":[]}}}}\n'
            )


@pytest.mark.parametrize("book", ["levels", "replay"])
def test_a_capture_that_streams_gives_the_rows_of_one_in_memory(book: str, tmp_path: Path) -> None:
    capture(tmp_path / "c", 9 * MIB)  # several blocks

    for stream in open_imports(tmp_path / "c", BTC, streaming=True, book=book):
        import_into(catalog(tmp_path / "catalog"), stream)
    made = import_all(tmp_path / "c", BTC, book=book)

    assert {each.schema.name for each in made} == {"trades", "quotes", "book_deltas", "book_snapshots"}
    for each in made:
        assert catalog(tmp_path / "catalog").stream(each.schema, BTC.id).digest == each.stream.digest


def test_a_fault_is_named_by_its_line_in_a_later_block(tmp_path: Path) -> None:
    capture(tmp_path / "c", 9 * MIB)
    lines = (tmp_path / "c").read_text().splitlines()
    at = max(number for number, line in enumerate(lines) if "@bookTicker" in line)
    lines[at] = lines[at].replace('"60000.10"', '"60000.105"')
    (tmp_path / "c").write_text("\n".join(lines))

    with pytest.raises(
        DataError, match=rf"^DATA018 c:{at + 1}: column 'bid_px': '60000\.105' has more than 2 decimals"
    ):
        import_all(tmp_path / "c", BTC)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at private memory as Linux shows it")
@pytest.mark.parametrize("book", ["levels", "replay"])
def test_memory_hardly_grows_with_a_capture(book: str, tmp_path: Path) -> None:
    capture(tmp_path / "warm", 9 * MIB)
    capture(tmp_path / "large", 96 * MIB)

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, book], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=200
    )

    assert int(ended.stdout) < 64, f"{ended.stdout.strip()} MiB of private memory for a capture of 96 MiB"
