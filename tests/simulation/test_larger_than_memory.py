"""Rows larger than the memory that a process may have for itself: they are mapped and read block by block."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray import pair, synth
from libra_ray.data import Dataset, catalog
from libra_ray.messages.schemas import QUOTES

pytestmark = pytest.mark.slow

ROWS = 3_000_000
ROOM_BYTES = 40 << 20
# RLIMIT_DATA bounds private memory alone, so a mapped file may be larger.
PROGRAM = """
import resource, sys
from pathlib import Path

import libra_ray as lr
from libra_ray.data import Dataset, catalog

class Sees(lr.Strategy):
    def on_start(self):
        self.rows = self.total = 0
        self.subscribe_quotes("EURUSD.SIM")
    def on_quote(self, quote):
        self.rows += 1
        if self.rows % 100_000 == 0:
            self.target("EURUSD.SIM", "1000" if self.rows // 100_000 % 2 else "-1000")

def run(data):
    system = lr.System("large", seed=7)
    system.add_venue("SIM", account="margin", balances=["100_000 USD"])
    system.add(Sees())
    return lr.backtest(system, data=data)

def opened(end):
    if sys.argv[3] == "dataset":
        return Dataset.open(sys.argv[1]).between(None, end)
    return catalog(sys.argv[1], memory_bytes_max=1 << 20).quotes("EURUSD.SIM", end=end)

run(opened(int(sys.argv[4]))).run_hash
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
used = int(status["VmData"].split()[0])
limit = used * 1024 + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
data = opened(None)
result = run(data)
data.write(sys.argv[5])  # as a sweep does for its workers
print(len(result.fills), data.nbytes > int(sys.argv[2]))
try:
    bytearray(data.nbytes)
except MemoryError:
    print("it does not fit")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits private memory as Linux does")
@pytest.mark.parametrize("kept_as", ["dataset", "catalog"])
def test_rows_of_three_times_the_memory_left_are_replayed_and_written_for_a_sweep(kept_as: str, tmp_path: Path) -> None:
    instrument = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    data = synth("quotes", instrument, rows=ROWS, price="1.1")
    assert data.nbytes > 3 * ROOM_BYTES
    source, shared = tmp_path / kept_as, tmp_path / "shared"
    if kept_as == "dataset":
        data.write(source)
    else:
        catalog(source).write(instrument, QUOTES, data.streams[0].table)
    warm_end_ns = int(data.streams[0].ts_ns[20_000])

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, (source, ROOM_BYTES, kept_as, warm_end_ns, shared))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == ["60 True", "it does not fit"], done.stderr[-2_000:]
    assert Dataset.open(shared).digest == data.digest
