"""DBN files that the vendor's own library has written."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.data.importer import Import, import_file
from libra_ray.errors import ConfigError, DataError
from libra_ray.model.instruments import equity

ES = equity("ESH4.GLBX", quote="USD", tick="0.25")
TS = 1_704_067_200_000_000_000


@pytest.fixture
def dbn() -> Any:  # noqa: ANN401  # a module without types
    return pytest.importorskip("databento_dbn", reason="needs the extra databento")


def write(dbn: Any, path: Path, schema: str, records: list[Any]) -> Path:  # noqa: ANN401  # as above
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=TS,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.from_str(schema),
        symbols=["ESH4"],
        mappings=[],
    )
    data = metadata.encode() + b"".join(bytes(record) for record in records)
    path.write_bytes(pa.compress(data, "zstd", asbytes=True) if path.suffix == ".zst" else data)
    return path


def columns(made: Import, *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(np.asarray(made.stream.raw(name)).tolist() for name in names), strict=True))


def trade(dbn: Any, ts: int, side: str, price: int, size: int) -> Any:  # noqa: ANN401  # as above
    return dbn.TradeMsg(1, 7, ts, price, size, dbn.Action.TRADE, dbn.Side.from_str(side), 0, ts + 5)


@pytest.mark.parametrize("name", ["t.dbn", "t.dbn.zst"])
def test_trades_are_those_that_were_written(dbn: Any, tmp_path: Path, name: str) -> None:  # noqa: ANN401  # as above
    records = [trade(dbn, TS, "A", 4_800_250_000_000, 3), trade(dbn, TS + 1, "B", 4_800_500_000_000, 2)]

    made = import_file(write(dbn, tmp_path / name, "trades", records), ES)

    assert (made.report.format, made.schema.name) == ("dbn", "trades")
    assert columns(made, "ts_init_ns", "ts_event_ns", "price", "qty", "aggressor") == [
        (TS + 5, TS, 480_025, 3, 2),
        (TS + 6, TS + 1, 480_050, 2, 1),
    ]


def test_candles_carry_their_close(dbn: Any, tmp_path: Path) -> None:  # noqa: ANN401  # as above
    record = dbn.OHLCVMsg(33, 1, 7, TS, 1_000_000_000, 3_000_000_000, 500_000_000, 2_000_000_000, 12)

    made = import_file(write(dbn, tmp_path / "b.dbn", "ohlcv-1m", [record]), ES)

    close = TS + 60_000_000_000
    assert made.period == "1m"
    assert columns(made, "ts_event_ns", "open", "high", "low", "close", "volume") == [(close, 100, 300, 50, 200, 12)]


def test_a_partial_cancel_leaves_the_rest_of_an_order(dbn: Any, tmp_path: Path) -> None:  # noqa: ANN401  # as above
    def order(action: str, size: int, number: int, at: int) -> Any:  # noqa: ANN401  # as above
        act = dbn.Action.from_str(action)
        return dbn.MBOMsg(1, 7, TS + at, number, 1_000_000_000, size, act, dbn.Side.BID, TS + at, 128)

    records = [order("A", 5, 1, 0), order("C", 2, 1, 1), order("M", 9, 1, 2), order("C", 9, 1, 3)]

    made = import_file(write(dbn, tmp_path / "o.dbn", "mbo", records), ES, "book_deltas")

    assert columns(made, "action", "side", "price", "qty", "order_id", "flags") == [
        (1, 1, 100, 5, 1, 1),
        (2, 1, 100, 3, 1, 1),
        (2, 1, 100, 9, 1, 1),
        (3, 1, 100, 0, 1, 1),
    ]


def test_a_file_that_is_cut_off_is_refused(dbn: Any, tmp_path: Path) -> None:  # noqa: ANN401  # as above
    path = write(dbn, tmp_path / "t.dbn", "trades", [trade(dbn, TS, "A", 1_000_000_000, 1)])
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(DataError, match=r"^DATA011 t\.dbn row 0: "):
        import_file(path, ES)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "databento_dbn", None)
    path = tmp_path / "t.dbn"
    path.write_bytes(b"DBN\x03\x00\x00\x00\x00")

    with pytest.raises(ConfigError, match=r"Install libra_ray\[databento\]"):
        import_file(path, ES)


def test_books_of_two_publishers_are_not_mixed(dbn: Any, tmp_path: Path) -> None:  # noqa: ANN401  # as above
    def record(publisher: int) -> Any:  # noqa: ANN401  # as above
        action, side = dbn.Action.ADD, dbn.Side.from_str("B")
        return dbn.MBOMsg(publisher, 7, TS, 1, 4_800_250_000_000, 3, action, side, TS + 5, flags=128)

    path = write(dbn, tmp_path / "m.dbn", "mbo", [record(1), record(1), record(2)])

    with pytest.raises(DataError) as caught:
        import_file(path, ES)
    assert caught.value.message == (
        "DATA004 m.dbn row 2: a record of publisher 2 behind those of publisher 1: each has a book of its own. "
        "Give one publisher's data a file."
    )


@pytest.mark.parametrize("schema", ["definition", "statistics", "status"])
def test_records_without_a_type_here_are_refused_by_their_schema(
    dbn: Any,  # noqa: ANN401  # as above
    tmp_path: Path,
    schema: str,
) -> None:
    with pytest.raises(DataError, match=rf"^DATA004 m\.dbn: records of schema '{schema}' are no market data of ours"):
        import_file(write(dbn, tmp_path / "m.dbn", schema, []), ES)
