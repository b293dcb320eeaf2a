"""Files made to do harm: refused in a process of their own within two seconds and 512 MiB, and nothing is written."""

import gzip
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import shake_128
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq
import pytest

from tests.conftest import LONG_TESTS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]
MIB = 1 << 20
PROGRAM = """
import os, resource, sys
from libra_ray.data import catalog, import_file
from libra_ray.errors import LibraError
from libra_ray.model.instruments import pair

def refused(path, options):
    btc = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
    catalog("data").add(import_file(path, btc, "trades", **options))

for name, way in zip(sys.argv[1::2], sys.argv[2::2]):
    start = resource.getrusage(resource.RUSAGE_SELF)
    try:
        refused(name, {"streaming": True} if way == "streaming" else {})
        said = "imported"
    except LibraError as error:
        said = error.message
    end = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss: that begins with the size of the process that started this one.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime, peak, said)
"""


def gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b"1704067200,1,1\n" * 70_000) * 400)  # 420 MB


def gzip_bomb_without_a_line(path: Path) -> None:
    path.write_bytes(gzip.compress(b"ts,price,qty\n") + gzip.compress(bytes(64 * MIB)) * 16)


def zip_that_lies(path: Path) -> None:
    """A directory that says 100 bytes for 300 MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", b"1704067200,1,1\n" * (300 * MIB // 15))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    path.write_bytes(data)


def json_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(b'{"ts":1704067200,"price":1,"qty":1}\n' * 20_000) * 800)


def deep_json(path: Path) -> None:
    path.write_bytes(b'{"ts":1704067200,"qty":1,"price":' + b"[" * MIB + b"]" * MIB + b"}\n")


def wide_json(path: Path) -> None:
    path.write_bytes(b"{" + b",".join(b'"c%d":1' % number for number in range(10_000)) + b"}\n")


def one_long_text_many_times(path: Path) -> None:
    """A dictionary of one text of 10 MB: 200 GB as texts, some KB as a file."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["1" * 10 * MIB]))
    ones = pa.array([1_704_067_200] * 20_000)
    pq.write_table(pa.table({"ts": ones, "price": texts, "qty": ones}), path, compression="zstd")


def parquet_of_many_rows(path: Path) -> None:
    ones = pa.repeat(pa.scalar(1_704_067_200, pa.int64()), 20_000_000)
    pq.write_table(pa.table({"ts": ones, "price": ones, "qty": ones}), path)


def parquet_of_one_page(path: Path) -> None:
    """A page of 288 MB; the footer says so, too."""
    big = pa.array(["9" * 60_000] * 4_800)
    ones = pa.array([1_704_067_200] * 4_800)
    table = pa.table({"ts": ones, "price": big, "qty": ones})
    pq.write_table(
        table, path, compression="zstd", use_dictionary=False, data_page_size=1 << 30, write_batch_size=1 << 20
    )


def lists_in_parquet(path: Path) -> None:
    ones = pa.array([1_704_067_200] * 100)
    lists = pa.array([[1.0] * 200_000] * 100)
    pq.write_table(pa.table({"ts": ones, "price": lists, "qty": ones}), path, compression="zstd")


def columns_of_csv(path: Path) -> None:
    path.write_text(",".join(f"c{number}" for number in range(10_000)) + "\n" + ",".join(["1"] * 10_000) + "\n")


def columns_of_parquet(path: Path) -> None:
    pq.write_table(pa.table({f"c{number}": pa.array([1], pa.int8()) for number in range(10_000)}), path)


def columns_of_feather(path: Path) -> None:
    pa_feather.write_feather(pa.table({f"c{number}": pa.array([1], pa.int8()) for number in range(10_000)}), path)


def feather_bomb(path: Path) -> None:
    ones = pa.repeat(pa.scalar(1_704_067_200, pa.int64()), 40_000_000)
    pa_feather.write_feather(
        pa.table({"ts": ones, "price": ones, "qty": ones}), path, compression="zstd", chunksize=40_000_000
    )


def feather_of_long_texts(path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["1" * 10 * MIB]))
    ones = pa.array([1_704_067_200] * 20_000)
    pa_feather.write_feather(pa.table({"ts": ones, "price": texts, "qty": ones}), path, compression="zstd")


def cut_footer(path: Path) -> None:
    pq.write_table(pa.table({"ts": [1], "price": [1], "qty": [1]}), path)
    path.write_bytes(path.read_bytes()[:-5])


def cut_feather(path: Path) -> None:
    pa_feather.write_feather(pa.table({"ts": [1], "price": [1], "qty": [1]}), path)
    path.write_bytes(path.read_bytes()[:-5])


def mixed_units(path: Path) -> None:
    """Milliseconds after a million seconds."""
    rows = b"1704067200,1,1\n" * 1_000_000
    path.write_bytes(b"ts,price,qty\n" + rows + b"1704067200000,1,1\n" * 17)


def noise(path: Path) -> None:
    path.write_bytes(b"ts,price,qty\n" + shake_128(b"noise").digest(8 * MIB))


def faults_everywhere(path: Path) -> None:
    rows = b"".join(b"x%d,1,1\n1704067200,y%d,\n,-1,0x%d\n" % (number, number, number) for number in range(60_000))
    path.write_bytes(b"ts,price,qty\n" + rows)


CASES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "gzip bomb": ("t.csv.gz", gzip_bomb, "DATA020 t.csv.gz: expands beyond the limit of 268,435,456 bytes."),
    "gzip bomb of one line": ("t.csv.gz", gzip_bomb_without_a_line, "DATA011 t.csv.gz:2: line of more than"),
    "zip that lies": ("t.zip", zip_that_lies, "DATA011 t.zip: zip unreadable (Bad CRC-32 for file 't.csv')."),
    "json bomb": ("t.jsonl.gz", json_bomb, "DATA020 t.jsonl.gz: expands beyond"),
    "deep json": ("t.jsonl", deep_json, "DATA011 t.jsonl:1: "),
    "wide json": ("t.jsonl", wide_json, "DATA017 t.jsonl: 10,000 columns exceed the limit of 4,096."),
    "long texts": (
        "t.parquet",
        one_long_text_many_times,
        "DATA020 t.parquet row 0: a text of 10,485,760 bytes exceeds",
    ),
    "many rows": (
        "t.parquet",
        parquet_of_many_rows,
        "DATA007 t.parquet: 20,000,000 rows x 8 bytes = 160,000,000 bytes",
    ),
    "one page": ("t.parquet", parquet_of_one_page, "DATA020 t.parquet: a row group expands beyond the limit"),
    "lists": ("t.parquet", lists_in_parquet, "DATA009 t.parquet row 0: column 'price' of type list<element: double>"),
    "columns of csv": ("t.csv", columns_of_csv, "DATA017 t.csv: 10,000 columns exceed the limit of 4,096."),
    "columns of parquet": ("t.parquet", columns_of_parquet, "DATA017 t.parquet: 10,000 columns exceed"),
    "columns of feather": ("t.feather", columns_of_feather, "DATA017 t.feather: 10,000 columns exceed"),
    "feather bomb": ("t.feather", feather_bomb, "DATA020 t.feather: a record batch expands beyond the limit"),
    "long feather": ("t.feather", feather_of_long_texts, "DATA020 t.feather row 0: a text of 10,485,760 bytes exceeds"),
    "cut footer": ("t.parquet", cut_footer, "DATA011 t.parquet: footer unreadable at byte "),
    "cut feather": ("t.feather", cut_feather, "DATA011 t.feather: footer unreadable (no footer)."),
    "fifo": ("t.csv", os.mkfifo, "DATA017 t.csv: is a FIFO, not a regular file."),
    "mixed units": (
        "t.csv",
        mixed_units,
        "DATA014 t.csv:1000002: column 'ts': '1704067200000' is not in s like the times",
    ),
    "noise": ("t.csv", noise, "DATA015 t.csv:2: byte "),
    "faults everywhere": ("t.csv", faults_everywhere, "DATA001 t.csv:4: column 'ts' has no value (60,000 such rows)."),
}


IN_MEMORY = ("many rows", "fifo", "columns of csv")
"""Cases that are run without `streaming`, in which a large file is no fault; the long tests run each in both ways."""
WAYS = [(case, way) for case in CASES for way in ("memory", "streaming") if (case, way) != ("many rows", "streaming")]
USUAL = [(case, way) for case, way in WAYS if (case in IN_MEMORY) == (way == "memory")]


GROUPS = [WAYS[start : start + 5] for start in range(0, len(WAYS), 5)] if LONG_TESTS else [USUAL[::2], USUAL[1::2]]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: ", ".join(case for case, _ in group))
def test_they_are_refused_quickly_and_within_bounds(tmp_path: Path, group: list[tuple[str, str]]) -> None:
    arguments, names = [], []
    for number, (case, way) in enumerate(group):
        name, write, _ = CASES[case]
        (tmp_path / str(number)).mkdir()
        write(tmp_path / str(number) / name)
        names.append(f"{number}/{name}")
        arguments += [names[-1], way]

    command = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100)

    for (case, _), line in zip(group, ended.stdout.splitlines(), strict=True):
        seconds, kibibytes, said = line.split(" ", 2)
        assert said.startswith(CASES[case][2]), said
        assert float(seconds) < 2, case
        assert int(kibibytes) < 512 * 1_024, case
    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()]
    assert sorted(found) == sorted(names), "nothing is written"
