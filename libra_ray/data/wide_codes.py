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

__all__ = ["open_wide", "write_wide"]

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
                column = batch.column(0)
                narrow = np.frombuffer(column.buffers()[1], np.int8, len(column), column.offset)
                file.write(narrow.astype(WIDE).tobytes())
        draft.replace(path)


def open_wide(root: Path, digest: str, table: pa.Table) -> Mapping[str, npt.NDArray[np.int64]]:
    """The columns of codes, mapped read-only. One whose file is not there, or of another length, is not among them."""
    found: dict[str, npt.NDArray[np.int64]] = {}
    for name in _codes(table.schema):
        path = _path(root, digest, name)
        if table.num_rows and path.is_file() and path.stat().st_size == table.num_rows * WIDE.itemsize:
            found[name] = np.asarray(np.memmap(path, WIDE, mode="r"))
    return found


def _codes(schema: pa.Schema) -> Iterable[str]:
    return [field.name for field in schema if pa.types.is_int8(field.type)]


def _path(root: Path, digest: str, name: str) -> Path:
    return root / f"{digest}.{name}.i64"
