"""Arrow IPC files of any columns, which is what Feather is."""

from typing import Final

from libra_ray.data.arrow_tables import FeatherTable
from libra_ray.data.formats.frames import Head
from libra_ray.data.formats.table_format import TableFormat, refuse_packed
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import DataError

__all__ = ["FORMAT"]

SUFFIXES: Final = (".feather", ".arrow", ".ipc", ".ftr")
MAGIC: Final = b"ARROW1"
_OTHERS: Final = {b"FEA1": "Feather of version 1", b"\xff\xff\xff\xff": "an Arrow stream, which has no footer"}
"""How relatives begin that are written by other programs, and what they are."""


class Feather(TableFormat):
    """By the name or the first six bytes."""

    name = "feather"

    def matches(self, head: Head) -> bool:
        """Whether a file begins so."""
        is_named = not head.file.packing and head.inner_name.lower().endswith(SUFFIXES)
        return head.first.startswith((MAGIC, *_OTHERS)) or is_named

    def table(self, file: RawFile, options: ImportOptions) -> FeatherTable:  # noqa: ARG002  # one form for all formats
        """The file as raw columns. Raises `DataError` DATA011 for a damaged file, and for a relative of the format."""
        refuse_packed(file)
        with file.stream() as stream:
            first = stream.read(len(MAGIC))
        for magic, what in _OTHERS.items():
            if first.startswith(magic):
                raise DataError("DATA011", file.name, f"is {what}", "Write it as an Arrow IPC file.")
        return FeatherTable(file)


FORMAT: Final = Feather()
