"""Order flow: rates as asked, and books, quotes and trades that tell one story."""

from typing import Any

import numpy as np
import pytest

from libra_ray.data.dataset import Dataset, Stream
from libra_ray.data.synthetic import ORDER_FLOW, Hawkes, synth_order_flow
from libra_ray.data.synthetic.noise import Noise
from libra_ray.errors import ConfigError
from libra_ray.matching.depth_book import DepthBook, ScoutBook
from libra_ray.model.instruments import pair

BTC = pair("BTCUSDT.SIM", base="BTC", quote="USDT", tick="0.1", step="0.001")
DELTAS = ("action", "side", "price", "qty", "order_id", "flags")
Columns = dict[str, np.ndarray[Any, np.dtype[np.int64]]]


def raw(stream: Stream) -> Columns:
    return {name: np.asarray(stream.raw(name)) for name in stream.schema.names}


def made(book: Any = "L2", events: int = 20_000, seed: int = 1) -> tuple[Columns, Columns, Columns]:  # noqa: ANN401
    deltas, quotes, trades = synth_order_flow(BTC, events=events, book=book, seed=seed, price="50000").streams
    return raw(deltas), raw(quotes), raw(trades)


@pytest.mark.parametrize("book", ["L2", "L3"])
@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_the_rebuilt_book_is_what_the_quotes_say(book: str, seed: int) -> None:
    deltas, quotes, _ = made(book, seed=seed)
    rebuilt = ScoutBook(BTC.tick_raw, by_order=book == "L3", wide=False)
    action, side, price, qty, order_id, flags = (deltas[name] for name in DELTAS)

    tops = np.array([*map(np.asarray, rebuilt.bbo_columns(action, side, price, qty, order_id, flags, 0, len(flags)))])
    ends = tops[:, deltas["flags"] == 1]
    changed = np.concatenate(([True], (ends[:, 1:] != ends[:, :-1]).any(axis=0)))

    assert (ends[:, changed] == [quotes[name] for name in ("bid_px", "ask_px", "bid_qty", "ask_qty")]).all()


def test_every_trade_takes_what_the_best_level_of_the_other_side_showed() -> None:
    deltas, _, trades = made("L3", events=4_000)
    book = DepthBook(BTC.tick_raw, by_order=True, consumes=False, wide=False)
    ends = np.flatnonzero(deltas["flags"] == 1)
    trade = start = 0
    action, side, price, qty, order_id = (deltas[name] for name in DELTAS[:5])

    for end in ends.tolist():
        ts_ns, found = deltas["ts_init_ns"][start], 0
        while trade < len(trades["qty"]) and trades["ts_init_ns"][trade] == ts_ns and start + found <= end:
            buys = trades["aggressor"][trade] == 1
            assert trades["price"][trade] == book.opposite_px(is_buy=buys)
            assert trades["qty"][trade] <= book.available(is_buy=buys)
            book.apply(action, side, price, qty, order_id, start + found, start + found + 1)
            trade, found = trade + 1, found + 1
        book.apply(action, side, price, qty, order_id, start + found, end + 1)
        start = end + 1

    assert trade == len(trades["qty"]) > 500


def test_the_two_books_of_a_seed_show_the_same_quotes_and_trades() -> None:
    (_, *by_price), (_, *by_order) = made("L2"), made("L3")

    assert all((one[name] == other[name]).all() for one, other in zip(by_price, by_order, strict=True) for name in one)


def test_a_book_is_never_empty_or_crossed() -> None:
    _, quotes, _ = made(events=100_000)

    assert (quotes["ask_px"] > quotes["bid_px"]).all()
    assert min(quotes["bid_qty"].min(), quotes["ask_qty"].min()) > 0
    assert len(set(quotes["bid_px"].tolist())) > 5


def test_events_have_the_rates_of_their_equation() -> None:
    times, types = ORDER_FLOW.events(Noise(2, "rates"), 200_000)
    rates = np.bincount(types) / (times[-1] / 1e9)

    assert rates == pytest.approx(ORDER_FLOW.rates, rel=0.05)
    assert (np.diff(times) >= 0).all()


def test_excited_events_come_in_clusters_and_others_do_not() -> None:
    """The variance of counts over their mean is 1 for independent events, 1 / (1 - n)^2 for excited ones."""

    def fano(children: float) -> float:
        times, _ = Hawkes((100 * (1 - children),), ((children,),), decay=50.0).events(Noise(4, "fano"), 200_000)
        counts = np.bincount(times // 10**9)[:-1]
        return float(counts.var() / counts.mean())

    assert fano(0.0) == pytest.approx(1.0, abs=0.1)
    assert fano(0.5) == pytest.approx(4.0, abs=0.5)


def test_few_events_are_as_many_as_asked_for() -> None:
    assert [len(ORDER_FLOW.events(Noise(seed, "few"), 3)[0]) for seed in range(20)] == [3] * 20


@pytest.mark.parametrize(
    ("book", "digest"), [("L2", "94d8324b73e51c5b711a0ed7e9f8a003"), ("L3", "93486e57c80c4219b762380b37c720f8")]
)
def test_a_seed_gives_its_digest_for_ever(book: Any, digest: str) -> None:  # noqa: ANN401
    dataset: Dataset = synth_order_flow(BTC, events=2_000, book=book, seed=7, price="50000")

    assert dataset.digest == digest


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: synth_order_flow(BTC, events=5, price="0.1"),
            "CONF002 price: '0.1' is 1 ticks, the book 4,096 deep. Give a higher price or a finer tick.",
        ),
        (lambda: synth_order_flow(BTC, events=0), "CONF002 events: 0 is not positive. Give at least 1."),
        (
            lambda: synth_order_flow(BTC, events=5, book="L4"),  # type: ignore[arg-type]
            "CONF002 book: 'L4' is no book. Known are L2, L3.",
        ),
        (
            lambda: Hawkes((1.0,), ((1.0,),), decay=1.0),
            "CONF002 children: events have 1.000 children in the mean. Keep the largest eigenvalue below 1.",
        ),
        (
            lambda: Hawkes((1.0, 1.0), ((0.5,),), decay=1.0),
            "CONF002 children: 1 rows of children for 2 types of events. Give one row and column per type.",
        ),
    ],
)
def test_wrong_arguments(make: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError) as caught:
        make()

    assert caught.value.message == message
