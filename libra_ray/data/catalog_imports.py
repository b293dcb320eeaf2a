"""Imports on their way into a catalog, block by block: what is refused late leaves nothing behind."""

from libra_ray.data.catalog_manifest import Entry
from libra_ray.data.import_stream import ImportStream
from libra_ray.data.mapped_rows import mapped_rows
from libra_ray.data.parquet_catalog import Catalog, OnOverlap

__all__ = ["import_into"]


def import_into(catalog: Catalog, stream: ImportStream, *, on_overlap: OnOverlap = "error") -> Entry:
    """Write all rows of a stream, with its counts. Memory is bounded by a batch, or by the files that are met.

    Raises what the stream raises, and what `Catalog.write` does; nothing is written then.
    """
    if on_overlap != "error":
        rows, report = mapped_rows(stream, stream.arrow, stream.source), stream.report
        return catalog.write(
            stream.instrument,
            stream.schema,
            rows.table,
            stream.period,
            source=stream.source,
            counts=report.changes,
            notes=report.notes,
            on_overlap=on_overlap,
        )
    with catalog.appending(stream.instrument, stream.schema, stream.period, source=stream.source) as writer:
        for table in stream:
            writer.write(table)
        return writer.commit(counts=stream.report.changes, notes=stream.report.notes)
