"""An import block by block: memory is bounded by a block, however large the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray.data import catalog
from libra_ray.data.catalog_imports import import_into
from libra_ray.data.importer import import_file, open_import
from libra_ray.errors import DataError
from tests.data.import_files import BTC, T0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]
MIB = 1 << 20
PROGRAM = """
import sys, threading
from libra_ray.data import catalog
from libra_ray.data.catalog_imports import import_into
from libra_ray.data.importer import open_import
from libra_ray.model.instruments import pair

btc = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")

def private():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon")) >> 10

def run(path, folder):
    import_into(catalog(folder), open_import(path, btc, "trades", streaming=True, sort=sys.argv[2] == "sort"))

run("warm.csv", "warm")
before, peak, done = private(), [0], threading.Event()
def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], private())
watcher = threading.Thread(target=watch)
watcher.start()
run(sys.argv[1], "large")
done.set()
watcher.join()
print(before, peak[0] - before)
"""


def ticks(path: Path, size: int, *, falling: bool = False) -> int:
    """A file of about `size` bytes; how many rows. Every block goes on where the one before ended, or falls back."""
    rows, block, start = 0, 50_000, 1_704_067_200_000
    with path.open("w") as file:
        file.write("ts,price,qty,side\n")
        while file.tell() < size:
            first = start + (rows if not falling else (rows * 7) % (block * 5))
            file.writelines(f"{first + at},{100 + at % 997}.25,{1 + at % 9}.5,buy\n" for at in range(block))
            rows += block
    return rows


@pytest.mark.parametrize("way", ["ordered", "sort"])
def test_a_file_larger_than_the_memory_that_it_may_take(tmp_path: Path, way: str) -> None:
    ticks(tmp_path / "warm.csv", 9 * MIB, falling=way == "sort")
    rows = ticks(tmp_path / "large.csv", 96 * MIB, falling=way == "sort")

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "large.csv", way], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    _, grown = map(int, ended.stdout.split())
    assert catalog(tmp_path / "large").ls()[0].rows == rows
    assert grown < 64, f"{grown} MiB of private memory for a file of 96 MiB"


def test_a_fault_in_the_last_row_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = ticks(path, 5 * MIB)
    with path.open("a") as file:
        file.write("1704067200000,1,1,sell\n")

    with pytest.raises(DataError, match=rf"^DATA002 t.csv:{rows + 2}: "):
        import_into(catalog(tmp_path / "data"), open_import(path, BTC, "trades", streaming=True))

    assert catalog(tmp_path / "data").ls() == []
    assert not list(tmp_path.rglob("*.parquet"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_stream_and_a_file_in_memory_give_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    ticks(path, 12 * MIB, falling=True)

    import_into(catalog(tmp_path / "data"), open_import(path, BTC, "trades", streaming=True, sort=True))
    made = import_file(path, BTC, "trades", sort=True)

    assert made.stream.digest == catalog(tmp_path / "data").trades(BTC.id).streams[0].digest
    assert int(made.stream.ts_ns[0]) == T0
    assert made.report.sorted_rows > 0
