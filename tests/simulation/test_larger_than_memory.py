"""A dataset larger than the memory that a process may have for itself: it is mapped and read block by block."""

import subprocess
import sys
from pathlib import Path

import pytest

from libra_ray import pair, synth

pytestmark = pytest.mark.slow

ROWS = 3_000_000
ROOM_BYTES = 40 << 20
# RLIMIT_DATA bounds private memory alone, so a mapped file may be larger.
PROGRAM = """
import resource, sys
from pathlib import Path

import libra_ray as lr
from libra_ray.data import Dataset

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

data = Dataset.open(sys.argv[1])
run(data.prefix(1_000)).run_hash
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
used = int(status["VmData"].split()[0])
limit = used * 1024 + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
result = run(data)
print(len(result.fills), data.nbytes > int(sys.argv[2]))
try:
    bytearray(data.nbytes)
except MemoryError:
    print("it does not fit")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits private memory as Linux does")
def test_a_dataset_three_times_the_memory_left_is_replayed(tmp_path: Path) -> None:
    instrument = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    data = synth("quotes", instrument, rows=ROWS, price="1.1")
    assert data.nbytes > 3 * ROOM_BYTES
    data.write(tmp_path)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(ROOM_BYTES)], capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == ["60 True", "it does not fit"], done.stderr[-2_000:]
