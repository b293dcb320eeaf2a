"""Arrow IPC files of any columns, which is what Feather is."""

from typing import Final

from libra_ray.data.arrow_tables import FeatherTable
from libra_ray.data.formats.frames import Head
from libra_ray.data.formats.table_format import TableFormat, refuse_packed
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile

__all__ = ["FORMAT"]

SUFFIXES: Final = (".feather", ".arrow", ".ipc", ".ftr")
MAGIC: Final = b"ARROW1"


class Feather(TableFormat):
    """By the name or the first six bytes."""

    name = "feather"

    def matches(self, head: Head) -> bool:
        """Whether a file begins so."""
        is_named = not head.file.packing and head.inner_name.lower().endswith(SUFFIXES)
        return head.first.startswith(MAGIC) or is_named

    def table(self, file: RawFile, options: ImportOptions) -> FeatherTable:  # noqa: ARG002  # one form for all formats
        """The file as raw columns."""
        refuse_packed(file)
        return FeatherTable(file)


FORMAT: Final = Feather()
