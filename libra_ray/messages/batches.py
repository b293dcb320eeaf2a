"""Rows of a batch that came by itself: what its columns do not say is in the schema that travels with it."""

from collections.abc import Iterator

import pyarrow as pa

from libra_ray.messages.schemas import SCHEMAS, Kind, Row, RowSpec, Schema
from libra_ray.model.identifiers import InstrumentId

__all__ = ["batch_rows", "batch_schema", "batch_spec"]


def batch_schema(batch: pa.Table | pa.RecordBatch) -> Schema | None:
    """The market-data type of a batch; None for one of the user's own."""
    metadata = batch.schema.metadata
    name = None if metadata is None else metadata.get(b"libra.type")
    return None if name is None else SCHEMAS.get(name.decode())


def batch_spec(schema: Schema, batch: pa.Table | pa.RecordBatch) -> RowSpec:
    """What the rows of a batch share, from its Arrow schema. Raises `KeyError` where that lacks a column."""
    arrow = batch.schema
    scales = {Kind.PRICE: 0, Kind.SIZE: 0}
    for field in schema.fields:
        if field.kind in scales:
            scales[field.kind] = arrow.field(field.name).type.scale
    price, size = scales[Kind.PRICE], scales[Kind.SIZE]
    instrument_id = InstrumentId(arrow.metadata.get(b"libra.instrument_id", b"").decode())
    period = arrow.metadata.get(b"libra.period", b"").decode()
    return RowSpec(instrument_id, price, size, 10.0**price, 10.0**size, period)


def batch_rows(batch: pa.Table | pa.RecordBatch) -> Iterator[Row] | None:
    """Row views, built one by one as they are asked for; None for a batch of the user's own type."""
    schema = batch_schema(batch)
    return None if schema is None else schema.rows(batch_spec(schema, batch), batch)
