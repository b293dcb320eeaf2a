"""Imports on their way into a catalog, block by block: what is refused late leaves nothing behind."""

from libra_ray.data.catalog_manifest import Entry
from libra_ray.data.import_stream import ImportStream
from libra_ray.data.parquet_catalog import Catalog

__all__ = ["import_into"]


def import_into(catalog: Catalog, stream: ImportStream) -> Entry:
    """Write all rows of a stream, with its counts. Memory is bounded by a batch.

    Raises what the stream raises, and what `Catalog.write` does; nothing is written then.
    """
    with catalog.appending(stream.instrument, stream.schema, stream.period, source=stream.source) as writer:
        for table in stream:
            writer.write(table)
        return writer.commit(counts=stream.report.changes, notes=stream.report.notes)
