"""Books from deltas and the features of their columns."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ray.data import Stream, synth_order_flow
from libra_ray.errors import ConfigError
from libra_ray.messages.schemas import BOOK_DELTAS, QUOTES
from libra_ray.model.instruments import pair
from libra_ray.strategy.book_features import book_snapshots, depth_imbalance, quote_features, rebuilt_quotes

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.1", step="0.001")
WEI = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.000000000001", step="0.000000000001")


def quotes(*rows: tuple[int, int, int, int]) -> Stream:
    bids, asks, bid_sizes, ask_sizes = zip(*rows, strict=True)
    columns = {"bid_px": bids, "ask_px": asks, "bid_qty": bid_sizes, "ask_qty": ask_sizes}
    return Stream(QUOTES, BTC, "", QUOTES.table(BTC, {"ts_init_ns": range(len(rows)), **columns}))


def deltas(*rows: tuple[int, int, int, int, int], last: tuple[int, ...] | None = None) -> Stream:
    """(ts, action, side, price, size)."""
    ts, action, side, price, qty = zip(*rows, strict=True)
    columns = {"ts_init_ns": ts, "action": action, "side": side, "price": price, "qty": qty}
    more = {"order_id": [0] * len(rows), "flags": last or [1] * len(rows)}
    return Stream(BOOK_DELTAS, BTC, "", BOOK_DELTAS.table(BTC, {**columns, **more}))


@pytest.mark.parametrize("book", ["L2", "L3"])
def test_a_rebuilt_book_shows_the_quotes_of_its_market(book: str) -> None:
    made, shown, _ = synth_order_flow(BTC, events=3_000, book=book, price="50000").streams  # type: ignore[arg-type]

    assert rebuilt_quotes(made, by_order=book == "L3").table.equals(shown.table)


def test_a_side_that_is_empty_gives_no_quote() -> None:
    made = rebuilt_quotes(deltas((1, 1, 1, 10, 5), (2, 1, 2, 12, 7), (3, 3, 1, 10, 0), (4, 1, 1, 9, 1)))

    assert [made.raw(name)[row] for row in range(made.rows) for name in ("ts_init_ns", "bid_px", "ask_px")] == [
        *(2, 10, 12),
        *(4, 9, 12),
    ]


def test_a_message_counts_when_it_is_complete() -> None:
    made = rebuilt_quotes(
        deltas((1, 1, 1, 10, 5), (1, 1, 2, 12, 7), (2, 3, 1, 10, 0), (2, 1, 1, 11, 1), last=(0, 1, 0, 1))
    )

    assert np.asarray(made.raw("bid_px")).tolist() == [10, 11]


def test_features_of_a_quote() -> None:
    table = quote_features(quotes((100, 104, 3_000, 1_000), (101, 104, 2_000, 4_000), (101, 104, 0, 0)))

    assert table.column("mid").to_pylist() == [10.2, 10.25, 10.25]
    assert table.column("spread").to_pylist() == pytest.approx([0.4, 0.3, 0.3])
    assert table.column("imbalance").to_pylist() == pytest.approx([0.5, -1 / 3, 0.0])
    assert table.column("microprice").to_pylist() == pytest.approx([10.3, 10.1 + 0.3 * 2 / 6, 10.25])
    # Row 2: the bid rises, so all its size is new (2), and the ask grows by 3. Row 3: both are gone.
    assert table.column("order_flow").to_pylist() == pytest.approx([0.0, 2.0 - 3.0, -2.0 + 4.0])


@given(rows=st.lists(st.tuples(*(st.integers(1, 90),) * 4), min_size=1, max_size=30))
def test_the_microprice_lies_between_the_best_prices(rows: list[tuple[int, int, int, int]]) -> None:
    stream = quotes(*((100 + bid, 200 + ask, bid_size, ask_size) for bid, ask, bid_size, ask_size in rows))
    table = quote_features(stream)

    micro = np.asarray(table.column("microprice"))
    assert (micro >= np.asarray(stream.raw("bid_px")) / 10 - 1e-9).all()
    assert (micro <= np.asarray(stream.raw("ask_px")) / 10 + 1e-9).all()


def test_snapshots_stand_at_multiples_of_their_interval() -> None:
    made = book_snapshots(
        deltas((3, 1, 1, 10, 5), (4, 1, 2, 12, 7), (10, 1, 1, 11, 2), (11, 1, 1, 9, 1), (24, 1, 2, 13, 1)),
        levels=2,
        every_ns=5,
    )

    rows = [tuple(row.values()) for row in made.table.select(["ts_init_ns", "side", "level", "flags"]).to_pylist()]
    assert rows == [
        *((5, 1, 0, 0), (5, 2, 0, 1)),
        *((10, 1, 0, 0), (10, 1, 1, 0), (10, 2, 0, 1)),
        *((15, 1, 0, 0), (15, 1, 1, 0), (15, 2, 0, 1)),
        *((20, 1, 0, 0), (20, 1, 1, 0), (20, 2, 0, 1)),
    ]
    assert np.asarray(made.raw("price")).tolist() == [10, 12, 11, 10, 12, 11, 10, 12, 11, 10, 12]


def test_imbalance_of_depth_counts_so_many_levels() -> None:
    snapshots = book_snapshots(
        deltas((5, 1, 1, 10, 6), (5, 1, 1, 9, 2), (5, 1, 2, 12, 2), (5, 1, 2, 13, 8)), levels=9, every_ns=5
    )

    assert [depth_imbalance(snapshots, levels=n).column("imbalance").to_pylist() for n in (1, 2)] == [
        [0.5],
        [(8 - 10) / 18],
    ]


def test_high_precision_books_are_rebuilt_too() -> None:
    columns = {"ts_init_ns": [1, 2], "action": [1, 1], "side": [1, 2], "price": [10**20, 10**20 + 3], "qty": [7, 9]}
    table = BOOK_DELTAS.table(WEI, {**columns, "order_id": [0, 0], "flags": [1, 1]})

    made = rebuilt_quotes(Stream(BOOK_DELTAS, WEI, "", table))

    assert (made.raw("bid_px"), made.raw("ask_px")) == ([10**20], [10**20 + 3])


def test_no_rows_give_no_rows() -> None:
    nothing = Stream(BOOK_DELTAS, BTC, "", deltas((1, 1, 1, 10, 5)).table.slice(0, 0))

    assert rebuilt_quotes(nothing).rows == 0
    assert book_snapshots(nothing, levels=1, every_ns=1).rows == 0


def test_streams_of_another_type_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        quote_features(deltas((1, 1, 1, 10, 5)))

    assert caught.value.message == (
        "CONF008 data.book.deltas.SIM.BTCUSDT are book_deltas, not quotes. Give a stream of quotes."
    )


def test_features_are_a_table_beside_the_times_of_the_rows() -> None:
    made = quote_features(quotes((100, 104, 3, 1)))

    assert made.schema.names[:2] == ["ts_init_ns", "ts_event_ns"]
    assert {str(kind) for kind in made.schema.types[2:]} == {str(pa.float64())}
