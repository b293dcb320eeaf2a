"""The heads of an Arrow file's batches, read before anything is unpacked."""

import io
import struct

import pyarrow as pa
import pytest

from libra_ray.data.ipc_blocks import ipc_blocks


def arrow_file() -> bytes:
    sink = io.BytesIO()
    table = pa.table({"a": [1, 2, 3], "b": pa.array(["x", "y", "x"]).dictionary_encode()})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_rows_and_bytes_are_known_without_unpacking() -> None:
    dictionary, batch = ipc_blocks(memoryview(arrow_file()))

    assert (dictionary.rows, dictionary.is_dictionary) == (2, True)
    assert (batch.rows, batch.is_dictionary) == (3, False)
    assert batch.unpacked_bytes >= 3 * 8 + 3 * 4


@pytest.mark.parametrize("value", [0x00, 0x01, 0x7F, 0xFF])
def test_a_changed_byte_is_read_or_refused(value: int) -> None:
    whole = arrow_file()
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] = value
        try:
            list(ipc_blocks(memoryview(bytes(data))))
        except (ValueError, struct.error):
            continue
