"""A damaged file of a catalog is read right or refused; it never ends the process."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONG_TESTS

FLIPPED = ("1", "16", "255") if LONG_TESTS else ("1",)
"""The bits of each byte that are turned, one after the other."""
PROGRAM = """
import sys
from pathlib import Path
import libra_ray as lr
from libra_ray.data import catalog
from libra_ray.errors import DataError

acme = lr.equity("ACME.SIM", quote="USD")
(stream,) = lr.synth("trades", acme, rows=2_000, seed=1).streams
entry = catalog("data").write(acme, stream.schema, stream.table)
middle = (entry.start_ns + entry.end_ns) // 2
path = Path("data") / entry.file
good = path.read_bytes()
right = catalog("data").trades("ACME.SIM", start=middle).streams[0].table
footer = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
read = refused = 0
for at in [*range(0, footer, 97), *range(footer, len(good))]:
    for flipped in map(int, sys.argv[1:]):
        damaged = bytearray(good)
        damaged[at] ^= flipped
        path.write_bytes(damaged)
        print(at, flipped, file=sys.stderr)
        try:
            (stream,) = catalog("data").trades("ACME.SIM", start=middle).streams
            assert stream.table.equals(right), "silently wrong"
            read += 1
        except DataError:
            refused += 1
print(read, refused)
"""


@pytest.mark.slow
def test_no_damaged_byte_makes_a_wrong_row_or_ends_the_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, *FLIPPED]

    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    assert ended.returncode == 0, ended.stderr[-500:]
    read, refused = map(int, ended.stdout.split())
    assert min(read, refused) > 400
