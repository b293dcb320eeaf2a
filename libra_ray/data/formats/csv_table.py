"""Delimited text with a header, or with declared column names."""

from typing import Final

from libra_ray.data.formats.frames import Head
from libra_ray.data.formats.table_format import TableFormat
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.data.text_tables import TextTable

__all__ = ["FORMAT"]


class CsvTable(TableFormat):
    """Takes what no other format does."""

    name = "csv"

    def matches(self, head: Head) -> bool:
        """Whether a file begins so."""
        return head is not None

    def table(self, file: RawFile, options: ImportOptions) -> TextTable:
        """The file as raw columns."""
        return TextTable(
            file, column_names=options.column_names, delimiter=options.delimiter, skip_lines=options.skip_lines
        )


FORMAT: Final = CsvTable()
