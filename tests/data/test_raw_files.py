"""Packed files under a limit."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from libra_ray.data.importer import import_file
from libra_ray.errors import DataError
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
MIB = 1 << 20


def refused(path: Path, *, max_decompressed_bytes: int = 256 * MIB) -> str:
    with pytest.raises(DataError) as caught:
        import_file(path, BTC, "trades", max_decompressed_bytes=max_decompressed_bytes)
    return caught.value.message


def test_a_gzip_file_that_expands_too_far_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"ts,price,qty\n" + b"1704067200,1,1\n" * 100))

    assert refused(path, max_decompressed_bytes=1_000) == (
        "DATA020 t.csv.gz: expands beyond the limit of 1,000 bytes. "
        "Raise data.max_decompressed_bytes if the file is right."
    )
    assert import_file(path, BTC, "trades", max_decompressed_bytes=1_513).table.num_rows == 100


def test_a_zip_file_that_says_it_expands_too_far_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", b"\n" * 2_000)

    assert refused(path, max_decompressed_bytes=1_999).startswith(
        "DATA020 t.zip: expands beyond the limit of 1,999 bytes."
    )


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../a.csv", "x")
        archive.writestr("b.csv", "x")

    assert refused(path) == "DATA011 t.zip: the archive holds 2 files. Unpack it and give each file by itself."


def test_damaged_packing_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b"ts,price,qty\n" + b"1704067200,1,1\n" * 100)
    path = tmp_path / "t.csv.gz"
    for content in (whole[:-9], whole[:20] + b"\xff" * 30 + whole[50:]):
        path.write_bytes(content)
        assert refused(path).startswith("DATA011 t.csv.gz: gz unreadable (")
    path = tmp_path / "t.zip"
    path.write_bytes(b"PK\x03\x04 and no more")
    assert (
        refused(path) == "DATA011 t.zip: zip unreadable (File is not a zip file). The file is damaged; copy it again."
    )


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_bomb_is_refused_within_two_seconds_and_512_mib(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"1704067200,1,1\n" * 70_000) * 400)  # 420 MB
    program = (
        "import resource, sys; from libra_ray.data import import_file; from libra_ray.model.instruments import pair\n"
        "from libra_ray.errors import DataError\n"
        "btc = pair('BTCUSDT.SIM', base='BTC', quote='USDT', tick='0.01', step='0.001')\n"
        "start = resource.getrusage(resource.RUSAGE_SELF)\n"
        "try: import_file(sys.argv[1], btc, 'trades')\n"
        "except DataError as error: print(error.code)\n"
        "end = resource.getrusage(resource.RUSAGE_SELF)\n"
        # Not ru_maxrss: that begins with the size of the process that started this one.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        "print(end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime, peak)\n"
    )

    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)

    code, used = result.stdout.splitlines()
    seconds, kibibytes = used.split()
    assert code == "DATA020"
    assert float(seconds) < 2
    assert int(kibibytes) < 512 * 1_024


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"ts,price,qty\n" + b"1" * (5 * MIB))

    assert refused(path) == (
        "DATA011 t.csv:2: line of more than 4,194,304 bytes. The file is damaged or no table of rows."
    )


def test_bare_carriage_returns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"ts,price,qty\r1704067200,1,1\r1704067200,1,1\r")

    assert refused(path) == "DATA011 t.csv: lines end with bare carriage returns. Save the file with line feeds."
