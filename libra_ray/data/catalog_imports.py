"""Imports on their way into a catalog, block by block: what is refused late leaves nothing behind."""

from libra_ray.data.catalog_manifest import Entry
from libra_ray.data.import_stream import ImportStream
from libra_ray.data.importer import Import
from libra_ray.data.mapped_rows import mapped_rows
from libra_ray.data.parquet_catalog import Catalog, OnOverlap

__all__ = ["import_into"]


def import_into(catalog: Catalog, stream: ImportStream, *, on_overlap: OnOverlap = "error") -> Entry:
    """Write all rows of a stream, with its counts. Memory is bounded by a batch, or by the files that are met.

    Raises what the stream raises, and what `Catalog.write` does; nothing is written then.
    """
    if on_overlap != "error":
        rows = mapped_rows(stream, stream.arrow, stream.source)
        whole = Import(stream.schema, stream.instrument, stream.period, rows.table, stream.report, rows.wide)
        return catalog.add(whole, on_overlap=on_overlap)
    with catalog.appending(stream.instrument, stream.schema, stream.period, source=stream.source) as writer:
        for table in stream:
            writer.write(table)
        return writer.commit(counts=stream.report.changes, notes=stream.report.notes)
