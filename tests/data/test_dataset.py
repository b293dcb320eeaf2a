"""Streams and datasets: order, slices, digest, sharing by file."""

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from libra_ray.data.dataset import Dataset, Stream
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import BARS, QUOTES, TRADES
from libra_ray.model.instruments import Instrument, pair

HOUR_NS = 3_600 * 10**9
EURUSD = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
WIDE = pair("SHIB.SIM", base="BTC", quote="USD", tick="0.000000000001", step="1")


def bars(*hours: int, instrument: Instrument = EURUSD) -> Stream:
    ts_ns = np.array(hours, np.int64) * HOUR_NS
    price = np.array(hours, np.int64) + 100
    columns = {"open": price, "high": price + 2, "low": price - 1, "close": price + 1, "volume": price}
    return Stream(BARS, instrument, "1h", BARS.table(instrument, {"ts_init_ns": ts_ns, **columns}, period="1h"))


def trades(*hours: int) -> Stream:
    ts_ns = np.array(hours, np.int64) * HOUR_NS
    ones = np.ones(len(hours), np.int64)
    return Stream(
        TRADES, EURUSD, "", TRADES.table(EURUSD, {"ts_init_ns": ts_ns, "price": ones, "qty": ones, "aggressor": ones})
    )


def test_a_falling_time_is_refused_at_its_first_place() -> None:
    with pytest.raises(DataError) as caught:
        bars(0, 3, 2, 5, 4)

    assert caught.value.message == (
        "DATA002 data.bars.EURUSD.SIM-1h row 2: time 1970-01-01T02:00:00Z is earlier than 1970-01-01T03:00:00Z "
        "before it (2 such rows). Sort the rows by ts_init_ns."
    )


def test_topics_name_bars_by_their_type_and_ticks_by_venue_and_symbol() -> None:
    assert bars(1).topic == "data.bars.EURUSD.SIM-1h"
    assert trades(1).topic == "data.trades.SIM.EURUSD"


def test_a_slice_ends_before_its_end() -> None:
    assert bars(1, 2, 2, 3).slice(2 * HOUR_NS, 3 * HOUR_NS).ts_ns.tolist() == [2 * HOUR_NS, 2 * HOUR_NS]
    assert bars(1, 2).slice(3 * HOUR_NS, 1 * HOUR_NS).rows == 0


def test_columns_of_several_chunks_become_one() -> None:
    first, second = bars(1, 2), bars(3)

    joined = Stream(BARS, EURUSD, "1h", pa.concat_tables([first.table, second.table]))

    assert joined.table.column("open").num_chunks == 1
    assert list(joined.raw("open")) == [101, 102, 103]


def test_a_table_of_another_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="needs the columns"):
        Stream(BARS, WIDE, "1h", bars(1).table)


def test_bars_without_a_period_are_refused() -> None:
    with pytest.raises(ValueError, match="period"):
        Stream(BARS, EURUSD, "", bars(1).table)


def test_a_digest_is_of_values_not_of_their_place_in_memory() -> None:
    whole = bars(0, 1, 2, 3)

    assert whole.slice(HOUR_NS, 3 * HOUR_NS).digest == bars(1, 2).digest
    assert bars(1, 2).digest != bars(1, 3).digest
    assert bars(1, 2, instrument=WIDE).digest != bars(1, 2).digest


def test_a_digest_is_of_the_values_in_high_precision_too() -> None:
    whole = bars(0, 1, 2, 3, instrument=WIDE)

    assert whole.slice(HOUR_NS, 3 * HOUR_NS).digest == bars(1, 2, instrument=WIDE).digest
    assert whole.raw("open") == [100, 101, 102, 103]


def test_the_prefix_follows_the_merged_order() -> None:
    data = Dataset([bars(1, 2, 3), trades(1, 1, 3)])

    assert [stream.rows for stream in data.prefix(4)] == [2, 2]
    assert data.prefix(0).rows == 0
    assert data.prefix(99).digest == data.digest


def test_between_is_of_all_streams() -> None:
    data = Dataset([bars(1, 2, 3), trades(1, 1, 3)])

    assert [stream.rows for stream in data.between(2 * HOUR_NS)] == [2, 1]
    assert (data.start_ns, data.end_ns, data.rows) == (HOUR_NS, 3 * HOUR_NS, 6)


def test_the_ends_of_no_rows_are_an_error() -> None:
    with pytest.raises(DataError, match=r"^DATA008 0 data rows\. Check the file or the date range\.$"):
        _ = Dataset([bars()]).start_ns


def test_a_sum_joins_stretches_of_one_stream_and_appends_others() -> None:
    data = Dataset([bars(3, 4)]) + Dataset([trades(1), bars(1, 2)])

    assert [stream.topic for stream in data] == ["data.bars.EURUSD.SIM-1h", "data.trades.SIM.EURUSD"]
    assert data.streams[0].digest == bars(1, 2, 3, 4).digest


def test_stretches_that_overlap_do_not_join() -> None:
    with pytest.raises(DataError) as caught:
        Dataset([bars(1, 3)]) + Dataset([bars(3, 4)])

    assert caught.value.message == (
        "DATA013 data.bars.EURUSD.SIM-1h: 1970-01-01T01:00:00Z - 1970-01-01T03:00:00Z and "
        "1970-01-01T03:00:00Z - 1970-01-01T04:00:00Z overlap. Give each time once."
    )


def test_a_topic_or_instrument_twice_is_refused() -> None:
    other = pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.001", step="1")
    with pytest.raises(ConfigError, match=r"two streams of data\.bars"):
        Dataset([bars(1), bars(2)])
    with pytest.raises(ConfigError, match=r"'EURUSD\.SIM' has two definitions"):
        Dataset([trades(1), bars(2, instrument=other)])


@pytest.mark.parametrize("instrument", [EURUSD, WIDE])
def test_a_written_dataset_opens_as_it_was_without_copies(tmp_path: Path, instrument: Instrument) -> None:
    data = Dataset([bars(*range(1_000), instrument=instrument)])

    before = pa.total_allocated_bytes()
    opened = Dataset.open(data.write(tmp_path))

    assert pa.total_allocated_bytes() - before < 1_000
    assert opened.digest == data.digest
    assert opened.streams[0].table.equals(data.streams[0].table)
    assert Dataset(Stream(s.schema, s.instrument, s.period, s.table) for s in opened).digest == data.digest
    assert not opened.streams[0].ts_ns.flags.writeable
    assert opened.instruments == {instrument.id: instrument}


def test_writing_twice_leaves_one_file_for_each_stream_and_column_of_codes(tmp_path: Path) -> None:
    data = Dataset([bars(1, 2), trades(1)])
    codes = f"{data.streams[1].digest}.aggressor.i64"

    data.write(tmp_path)
    data.write(tmp_path)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["dataset.json", codes, *(f"{stream.digest}.arrow" for stream in data)])


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    data = Dataset([bars(*range(100))])
    data.write(tmp_path)
    file = tmp_path / f"{data.streams[0].digest}.arrow"
    file.write_bytes(file.read_bytes()[:-40])

    with pytest.raises(DataError, match=r"^DATA011 dataset\.json: unreadable"):
        Dataset.open(tmp_path)


def test_nothing_to_open_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CONF008"):
        Dataset.open(tmp_path / "none")


def test_a_dataset_survives_pickling() -> None:
    data = Dataset([bars(1, 2)])

    assert pickle.loads(pickle.dumps(data)).digest == data.digest  # noqa: S301  # our own bytes


def test_quotes_carry_no_period() -> None:
    ones = np.ones(1, np.int64)
    columns = {"ts_init_ns": ones, "bid_px": ones, "ask_px": ones, "bid_qty": ones, "ask_qty": ones}

    assert Stream(QUOTES, EURUSD, "", QUOTES.table(EURUSD, columns)).topic == "data.quotes.SIM.EURUSD"
