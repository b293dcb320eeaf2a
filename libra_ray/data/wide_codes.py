"""Columns of codes as the engines read them, eight bytes a value, beside a dataset's files.

A code takes one byte in a table and a run reads int64. Widened in each process, the codes of a book would cost more
than half of the dataset in private memory; written once beside the files they are mapped, and shared, like the rest.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["WIDE", "is_code", "open_wide", "widened", "write_wide"]

BLOCK_ROWS: Final = 1 << 20
WIDE: Final = np.dtype("<i8")


def write_wide(root: Path, digest: str, table: pa.Table) -> None:
    """One file for each column of codes, block by block. What is there already is kept: its name says what it holds."""
    for name in _codes(table.schema):
        path = _path(root, digest, name)
        if path.exists():
            continue
        draft = path.with_name(f"{path.name}.draft")
        with draft.open("wb") as file:
            for batch in table.select([name]).to_batches(max_chunksize=BLOCK_ROWS):
                file.write(widened(batch.column(0)))
        draft.replace(path)


def widened(codes: pa.Array) -> bytes:
    """The codes of an array as they stand in a file."""
    return np.frombuffer(codes.buffers()[1], np.int8, len(codes), codes.offset).astype(WIDE).tobytes()


def is_code(kind: pa.DataType) -> bool:
    """Whether columns of this type hold codes."""
    return bool(pa.types.is_int8(kind))


def open_wide(root: Path, digest: str, table: pa.Table) -> Mapping[str, npt.NDArray[np.int64]]:
    """The columns of codes, mapped read-only. One whose file is not there, or of another length, is not among them."""
    found: dict[str, npt.NDArray[np.int64]] = {}
    for name in _codes(table.schema):
        path = _path(root, digest, name)
        if table.num_rows and path.is_file() and path.stat().st_size == table.num_rows * WIDE.itemsize:
            found[name] = np.asarray(np.memmap(path, WIDE, mode="r"))
    return found


def _codes(schema: pa.Schema) -> Iterable[str]:
    return [field.name for field in schema if is_code(field.type)]


def _path(root: Path, digest: str, name: str) -> Path:
    return root / f"{digest}.{name}.i64"
