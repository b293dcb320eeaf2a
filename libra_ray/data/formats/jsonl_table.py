"""JSON objects, one a line."""

from typing import Final

from libra_ray.data.formats.frames import Head
from libra_ray.data.formats.table_format import TableFormat
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.json_tables import JsonLinesTable
from libra_ray.data.raw_files import RawFile

__all__ = ["FORMAT"]

SUFFIXES: Final = (".jsonl", ".ndjson", ".json")


class JsonLines(TableFormat):
    """By the name, or a first line that is an object."""

    name = "jsonl"

    def matches(self, head: Head) -> bool:
        """Whether a file begins so."""
        return head.first_line.lstrip().startswith(b"{") or head.inner_name.lower().endswith(SUFFIXES)

    def table(self, file: RawFile, options: ImportOptions) -> JsonLinesTable:  # noqa: ARG002  # one form for all formats
        """The file as raw columns."""
        return JsonLinesTable(file)


FORMAT: Final = JsonLines()
