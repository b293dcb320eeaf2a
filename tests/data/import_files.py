"""Small files of the same rows in every general format, and instruments for them."""

import gzip
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as pa_feather
import pyarrow.parquet as pq

from libra_ray.model.instruments import pair

__all__ = ["BTC", "HEADER", "ROWS", "T0", "WRITERS"]

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.01", step="0.001")
T0 = 1_704_067_200 * 10**9  # 2024-01-01
HEADER = ("ts", "price", "qty", "side")
ROWS = (
    ("2024-01-01T00:00:00Z", "100.25", "1.5", "buy"),
    ("2024-01-01T00:00:00.000000001Z", "99.5", "0.001", "sell"),
    ("2024-01-01T00:00:02Z", "0.01", "7", "buy"),
)


def _text(delimiter: str = ",") -> bytes:
    return "".join(f"{delimiter.join(row)}\n" for row in (HEADER, *ROWS)).encode()


def _table() -> pa.Table:
    """Times, decimals, floats and words as types of their own."""
    times = pa.array([T0, T0 + 1, T0 + 2 * 10**9], pa.timestamp("ns", "UTC"))
    prices = pa.array([Decimal(row[1]) for row in ROWS], pa.decimal128(20, 4))
    sides = pa.array([row[3] for row in ROWS]).dictionary_encode()
    return pa.table([times, prices, [float(row[2]) for row in ROWS], sides], names=list(HEADER))


def _json_lines() -> bytes:
    """Numbers as numbers here, as texts there."""
    lines = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    lines[1] |= {"price": 99.50, "qty": 1e-3, "note": "\u00e4\n"}  # type: ignore[dict-item]
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()


def _zipped(path: Path, content: bytes, name: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def _ipc_stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _table().schema) as writer:
        for batch in _table().to_batches(2):
            writer.write_batch(batch)


WRITERS: dict[str, Callable[[Path], object]] = {
    "t.csv": lambda path: path.write_bytes(_text()),
    "t.tsv": lambda path: path.write_bytes(_text("\t")),
    "semicolons.csv": lambda path: path.write_bytes(_text(";")),
    "t.csv.gz": lambda path: path.write_bytes(gzip.compress(_text())),
    "t.zip": lambda path: _zipped(path, _text("|"), "t.csv"),
    "t.jsonl": lambda path: path.write_bytes(_json_lines()),
    "lines.json.gz": lambda path: path.write_bytes(gzip.compress(_json_lines())),
    "lines.zip": lambda path: _zipped(path, _json_lines(), "t.ndjson"),
    "t.parquet": lambda path: pq.write_table(_table(), path),
    "by_content": lambda path: pq.write_table(_table(), path),
    "t.feather": lambda path: pa_feather.write_feather(_table(), path, compression="zstd"),
    "plain.arrow": lambda path: pa_feather.write_feather(_table(), path, compression="uncompressed"),
    "by_content_too": lambda path: pa_feather.write_feather(_table(), path, compression="lz4"),
    "batches.arrow": _ipc_stream,
}
