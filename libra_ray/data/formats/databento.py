"""Databento's binary files (DBN), plain or zstd: trades, MBP-1, MBP-10, TBBO, BBO, MBO and OHLCV records.

The records are read as numpy records by the layouts of `databento-dbn`, which is an extra and loaded at first use.
Prices are integers of 10^-9. `ts_recv` orders the replay; candles are stamped with their open.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import numpy as np
import pyarrow as pa

from libra_ray.data.arrow_arrays import arrow_ints
from libra_ray.data.formats.columns_table import ColumnsTable, time_column
from libra_ray.data.formats.databento_books import level_columns, order_columns
from libra_ray.data.formats.frames import Frame, Head, InstrumentHint
from libra_ray.data.import_options import ImportOptions
from libra_ray.data.raw_files import RawFile
from libra_ray.errors import ConfigError, DataError

__all__ = ["FORMAT"]

MAGIC: Final = b"DBN"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
PRICE_DECIMALS: Final = 9
NO_PRICE: Final = 2**63 - 1
NO_TIME: Final = 2**64 - 1
PREFIX_BYTES: Final = 8
_PERIODS: Final = {"ohlcv-1s": "1s", "ohlcv-1m": "1m", "ohlcv-1h": "1h", "ohlcv-1d": "1d"}
_RECORDS: Final = {
    "trades": "TradeMsg", "tbbo": "MBP1Msg", "mbp-1": "MBP1Msg", "mbp-10": "MBP10Msg", "mbo": "MBOMsg",
    "bbo-1s": "BBOMsg", "bbo-1m": "BBOMsg", **dict.fromkeys(_PERIODS, "OHLCVMsg"),
}  # fmt: skip
_TOPS: Final = ("tbbo", "mbp-1", "bbo-1s", "bbo-1m")
_TRADES: Final = ("trades", "tbbo", "mbp-1", "mbp-10", "mbo")


class Databento:
    """The format of DBN files."""

    name = "dbn"

    def matches(self, head: Head) -> bool:
        """Whether it begins as a DBN file, or is zstd and called one."""
        return head.first.startswith(MAGIC) or (head.first.startswith(ZSTD) and ".dbn" in head.file.name.lower())

    def frames(self, file: RawFile, options: ImportOptions) -> list[Frame]:  # noqa: ARG002  # nothing depends on them
        """The rows of each instrument and type.

        Raises `ConfigError` CONF002 without the extra, `DataError` DATA011 for a damaged file, DATA004 for records of
        another schema, DATA020 for a file that expands beyond the limit.
        """
        dbn = _library()
        data = _unpacked(file)
        try:
            length = PREFIX_BYTES + int.from_bytes(data[4:PREFIX_BYTES], "little")
            metadata = dbn.Metadata.decode(data[:length])
        except Exception as error:  # the library raises its own kinds, and panics
            raise DataError("DATA011", file.name, f"header unreadable ({error})", "Copy the file again.") from error
        schema = str(metadata.schema)
        if schema not in _RECORDS:
            what = f"records of schema '{schema}' are no market data of ours"
            raise DataError("DATA004", file.name, what, f"Import one of {', '.join(_RECORDS)}.", schema)
        records = _records(file.name, data[length:], np.dtype(getattr(dbn, _RECORDS[schema])._dtypes))  # noqa: SLF001
        symbols = _symbols(metadata)
        made: list[Frame] = []
        for number in np.unique(records["instrument_id"]).tolist():
            at = np.flatnonzero(records["instrument_id"] == number)
            made += _frames(file.name, schema, records[at], at, symbols.get(number, str(number)), metadata)
        if not made:
            raise DataError("DATA008", file.name, "0 data rows", "Check the file or the date range.")
        return made


def _library() -> Any:  # noqa: ANN401  # a module without types
    try:
        return import_module("databento_dbn")
    except ImportError as error:
        what = "databento-dbn is not installed"
        raise ConfigError("CONF002", "format", what, "Install libra_ray[databento].") from error


def _unpacked(file: RawFile) -> bytes:
    limit = file.max_decompressed_bytes
    with file.stream() as stream:
        data = stream.read(limit + 1)
    if data.startswith(ZSTD):
        try:
            with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as unpacked:
                data = unpacked.read(limit + 1)
        except (pa.ArrowException, OSError) as error:
            raise DataError("DATA011", file.name, f"zstd unreadable ({error})", "Copy the file again.") from error
    if len(data) > limit:
        what = f"expands beyond the limit of {limit:,} bytes"
        raise DataError("DATA020", file.name, what, "Raise data.max_decompressed_bytes if the file is right.")
    return data


def _records(name: str, data: bytes, layout: np.dtype[Any]) -> Any:  # noqa: ANN401  # numpy records
    """All records of one layout. Raises `DataError` DATA011 for one that is cut off or of another length."""
    count, rest = divmod(len(data), layout.itemsize)
    records = np.frombuffer(data, layout, count)
    other = np.flatnonzero(records["length"].astype(np.int64) * 4 != layout.itemsize)
    if rest or len(other):
        row = int(other[0]) if len(other) else count
        what = "the record is cut off or of another kind"
        raise DataError("DATA011", f"{name} row {row:,}", what, "Copy the file again, or give one schema a file.")
    return records


def _symbols(metadata: Any) -> dict[int, str]:  # noqa: ANN401  # the library's object
    """Instrument number -> symbol, by the intervals of the file's header."""
    found: dict[int, str] = {}
    for symbol, intervals in dict(metadata.mappings).items():
        for interval in intervals:
            text = str(interval["symbol"] if isinstance(interval, Mapping) else interval.symbol)
            if text.isdigit():
                found[int(text)] = str(symbol)
            elif str(symbol).isdigit():
                found[int(symbol)] = text
    return found


def _frames(name: str, schema: str, records: Any, at: Any, symbol: str, metadata: Any) -> list[Frame]:  # noqa: ANN401
    """Those of one instrument; `at` has the numbers of its records in the file."""
    hint = InstrumentHint(
        symbol="".join(char for char in symbol if char.isalnum() or char in "._-"),
        venue=str(metadata.dataset).partition(".")[0],
        raw_symbol=symbol,
    )

    def frame(kind: str, columns: dict[str, pa.Array], rows: Any, **more: Any) -> Frame:  # noqa: ANN401
        table = ColumnsTable(name, columns, numbers=rows)
        return Frame(kind=kind, table=table, columns={each: each for each in columns}, hint=hint, **more)

    if schema in _PERIODS:
        columns = {"ts": time_column(_times(records["ts_event"]))}
        columns |= {each: _price(records[each]) for each in ("open", "high", "low", "close")}
        columns["volume"] = arrow_ints(records["volume"].astype(np.int64))
        return [frame("bars", columns, at, declared={"stamp": "open"}, period=_PERIODS[schema])]
    if schema != "trades":
        _refuse_mixed(name, records["publisher_id"], at)
    made = []
    if schema in _TRADES:
        trades = np.flatnonzero(records["action"] == b"T")
        if len(trades):
            chosen = records[trades]
            aggressor = np.where(chosen["side"] == b"B", 1, np.where(chosen["side"] == b"A", 2, 0))
            columns = {
                **_both_times(chosen),
                "price": _price(chosen["price"]),
                "qty": arrow_ints(chosen["size"].astype(np.int64)),
                "aggressor": arrow_ints(aggressor.astype(np.int8), pa.int8()),
            }
            made.append(frame("trades", columns, at[trades]))
    if schema in _TOPS:
        columns = {
            **_both_times(records),
            "bid_px": _price(records["bid_px_00"]),
            "ask_px": _price(records["ask_px_00"]),
            "bid_qty": arrow_ints(records["bid_sz_00"].astype(np.int64)),
            "ask_qty": arrow_ints(records["ask_sz_00"].astype(np.int64)),
        }
        made.append(frame("quotes", columns, at))
    elif schema == "mbp-10":
        columns, rows = level_columns(records)
        made.append(frame("book_snapshots", {**_both_times(records[rows]), **columns}, at[rows]))
    elif schema == "mbo":
        columns, rows = order_columns(records)
        made.append(frame("book_deltas", {**_both_times(records[rows]), **columns}, at[rows]))
    return made


def _refuse_mixed(name: str, publishers: Any, at: Any) -> None:  # noqa: ANN401  # arrays of integers
    """Raise `DataError` DATA004 for quotes or books of several venues: each has a book of its own."""
    other = np.flatnonzero(publishers != publishers[0])
    if len(other):
        first, second = int(publishers[0]), int(publishers[other[0]])
        what = f"a record of publisher {second} behind those of publisher {first}: each has a book of its own"
        raise DataError("DATA004", f"{name} row {int(at[other[0]]):,}", what, "Give one publisher's data a file.")


def _both_times(records: Any) -> dict[str, pa.Array]:  # noqa: ANN401  # numpy records
    """The venue's time, which some records lack, and when Databento received it."""
    event, received = records["ts_event"], records["ts_recv"]
    return {
        "ts": time_column(_times(np.where(event == NO_TIME, received, event))),
        "ts_init": time_column(_times(received)),
    }


def _times(values: Any) -> Any:  # noqa: ANN401  # arrays of integers
    return np.ascontiguousarray(values).astype(np.int64)


def _price(values: Any) -> pa.Array:  # noqa: ANN401  # an array of integers
    """Prices as decimals; the value that means none is null."""
    raw = np.ascontiguousarray(values).astype(np.int64)
    there = raw != NO_PRICE
    kind = pa.decimal128(38, PRICE_DECIMALS)
    words = np.stack([np.where(there, raw, 0), np.where(there & (raw < 0), -1, 0)], axis=1)
    bits = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(kind, len(raw), [bits, pa.py_buffer(np.ascontiguousarray(words))])


FORMAT: Final = Databento()
