"""Tables of other libraries as Arrow tables, without importing any of them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from libra_ray.errors import DataError

__all__ = ["arrow_table"]


def arrow_table(table: Any, name: str) -> pa.Table:  # noqa: ANN401  # of a library that need not be there
    """An Arrow table of a pandas or polars frame, an Arrow table, batch or reader, or a mapping of columns.

    What has an index of its own keeps it as a column, unless it only counts the rows. Raises `DataError` DATA011 for
    anything else.
    """
    try:
        if isinstance(table, pa.Table):
            return table
        if isinstance(table, pa.RecordBatch):
            return pa.Table.from_batches([table])
        if type(table).__module__.partition(".")[0] == "pandas":
            made = pa.Table.from_pandas(table)
            return made.rename_columns([_index_name(column) for column in made.column_names])
        collect = getattr(table, "collect", None)
        if callable(collect) and hasattr(table, "collect_schema"):  # polars' lazy frame
            table = collect()
        if hasattr(table, "__arrow_c_stream__"):
            return pa.table(table)
        if isinstance(table, Mapping):
            return pa.table({str(key): value for key, value in table.items()})
    except (pa.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        what = f"cannot be read as columns ({str(error).splitlines()[0]})"
        raise DataError("DATA011", name, what, "Give columns of numbers, texts or times.") from error
    what = f"{type(table).__name__} is no table"
    raise DataError("DATA011", name, what, "Give a frame of pandas or polars, an Arrow table, or a mapping.")


def _index_name(name: str) -> str:
    """The name that Arrow gives to an index without one: it is the time."""
    return "ts" if name == "__index_level_0__" else name
