"""Parquet files of any columns."""

from typing import Final

from libra_ray.data.arrow_tables import ParquetTable
from libra_ray.data.formats.frames import Head
from libra_ray.data.formats.table_format import TableFormat, refuse_packed
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile

__all__ = ["FORMAT"]


class Parquet(TableFormat):
    """By the name or the first four bytes."""

    name = "parquet"

    def matches(self, head: Head) -> bool:
        """Whether a file begins so."""
        return head.file.is_parquet or head.first.startswith(b"PAR1")

    def table(self, file: RawFile, options: ImportOptions) -> ParquetTable:  # noqa: ARG002  # one form for all formats
        """The file as raw columns."""
        refuse_packed(file)
        return ParquetTable(file)


FORMAT: Final = Parquet()
