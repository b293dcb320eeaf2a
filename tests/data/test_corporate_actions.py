"""Histories adjusted for splits and dividends, and how such data reaches an actor."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.data.corporate_actions import adjusted, adjustments
from libra_ray.data.dataset import Dataset, Stream
from libra_ray.errors import ConfigError, DataError
from libra_ray.messages.schemas import (
    BARS,
    DIVIDENDS,
    INSTRUMENT_STATUS,
    QUOTES,
    SPLITS,
    TRADES,
    Dividend,
    InstrumentStatusChange,
    Row,
    Schema,
    Split,
)
from libra_ray.model.enums import InstrumentStatus
from libra_ray.model.instruments import Instrument, equity

ACME = equity("ACME.SIM", quote="USD", tick="0.01", step="1")
FINE = equity("ACME.SIM", quote="USD", tick="0.000000000001", step="1")
DOLLAR = 10**12


def stream(schema: Schema, instrument: Instrument, **columns: Any) -> Stream:  # noqa: ANN401
    table = schema.table(instrument, columns, period="1d" if schema is BARS else "")
    return Stream(schema, instrument, "1d" if schema is BARS else "", table)


def trades(*prices: int, instrument: Instrument = ACME) -> Stream:
    """At 10, 20, 30 ... nanoseconds, 100 shares each."""
    count = len(prices)
    times = [10 * (row + 1) for row in range(count)]
    return stream(TRADES, instrument, ts_init_ns=times, price=prices, qty=[100] * count, aggressor=[0] * count)


def splits(*rows: tuple[int, int, int]) -> Stream:
    ts, new, old = zip(*rows, strict=True)
    return stream(SPLITS, ACME, ts_init_ns=ts, new_shares=new, old_shares=old)


def dividends(*rows: tuple[int, int]) -> Stream:
    ts, amount = zip(*rows, strict=True)
    return stream(DIVIDENDS, ACME, ts_init_ns=ts, amount=amount)


def raw(made: Stream, name: str = "price") -> list[int]:
    return [int(value) for value in made.raw(name)]


def test_prices_before_a_split_are_those_of_new_shares() -> None:
    made = adjusted(trades(40_000, 40_400, 10_200), splits=splits((30, 4, 1)))

    assert raw(made) == [10_000, 10_100, 10_200]
    assert raw(made, "qty") == [400, 400, 100]


def test_a_join_of_shares_goes_the_other_way() -> None:
    made = adjusted(trades(100, 1_050), splits=splits((15, 1, 10)))

    assert raw(made) == [1_000, 1_050]
    assert raw(made, "qty") == [10, 100]


def test_prices_before_a_dividend_are_lower_by_its_part_of_the_last_price() -> None:
    made = adjusted(trades(8_000, 10_000, 9_900), dividends=dividends((30, 2 * DOLLAR)))

    assert raw(made) == [7_840, 9_800, 9_900]
    assert raw(made, "qty") == [100, 100, 100]


def test_actions_add_up_backwards() -> None:
    made = adjusted(
        trades(10_000, 10_000, 5_000, 5_000),
        splits=splits((30, 2, 1)),
        dividends=dividends((20, DOLLAR), (40, 5 * DOLLAR)),
    )

    # 5 of 50 dollars: 0.9; then 2 for 1; then 1 of 100 dollars: 0.99.
    assert raw(made) == [4_455, 4_500, 4_500, 5_000]
    assert [each.price for each in adjustments(trades(10_000), splits=splits((30, 2, 1), (40, 5, 1)))] == [
        Decimal("0.1"),
        Decimal("0.2"),
    ]


def test_bars_and_quotes_are_adjusted_in_all_their_prices() -> None:
    numbers = {"open": [400, 90], "high": [480, 95], "low": [320, 80], "close": [440, 92], "volume": [10, 7]}
    bars = adjusted(stream(BARS, ACME, ts_init_ns=[10, 20], **numbers), splits=splits((20, 4, 1)))
    tops = {"bid_px": [400, 90], "ask_px": [408, 95], "bid_qty": [1, 1], "ask_qty": [2, 2]}
    quotes = adjusted(stream(QUOTES, ACME, ts_init_ns=[10, 20], **tops), splits=splits((20, 4, 1)))

    assert [raw(bars, name)[0] for name in numbers] == [100, 120, 80, 110, 40]
    assert [raw(quotes, name)[0] for name in tops] == [100, 102, 4, 8]
    assert [raw(bars, name)[1] for name in numbers] == [90, 95, 80, 92, 7]


@given(
    prices=st.lists(st.integers(100, 10**9), min_size=1, max_size=12),
    actions=st.lists(st.tuples(st.integers(1, 130), st.integers(1, 20), st.integers(1, 20)), max_size=4),
)
def test_every_price_is_the_exact_product_to_within_rounding(
    prices: list[int], actions: list[tuple[int, int, int]]
) -> None:
    actions.sort(key=lambda action: action[0])
    given_trades = trades(*(100 * price for price in prices))
    made = adjusted(given_trades, splits=splits(*actions)) if actions else given_trades

    for ts_ns, before, after in zip(given_trades.ts_ns.tolist(), raw(given_trades), raw(made), strict=True):
        exact = Fraction(before)
        for action_ns, new, old in actions:
            exact *= Fraction(old, new) if ts_ns < action_ns else 1
        # The factor has 12 decimals: half a unit of them, times what it is multiplied with.
        assert abs(after - exact) <= Fraction(1, 2) + Fraction(before, 2 * 10**12)


def test_high_precision_prices_are_adjusted_exactly() -> None:
    actions = stream(SPLITS, FINE, ts_init_ns=[20], new_shares=[4], old_shares=[1])

    made = adjusted(trades(4 * 10**20 + 4, instrument=FINE), splits=actions)

    assert raw(made) == [10**20 + 1]


def test_without_actions_a_stream_is_itself() -> None:
    given_trades = trades(1, 2)

    assert adjusted(given_trades) is given_trades


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (
            {"splits": splits((20, 0, 1))},
            "DATA018 data.splits.SIM.ACME 1970-01-01T00:00:00.00000002Z: 0 shares for 1. Correct the split.",
        ),
        (
            {"dividends": dividends((20, 4 * DOLLAR))},
            (
                "DATA018 data.dividends.SIM.ACME 1970-01-01T00:00:00.00000002Z:"
                " a dividend of 4.000000000000 on a price of 4.00. Correct the amount."
            ),
        ),
        (
            {"dividends": dividends((10, 1))},
            (
                "DATA018 data.dividends.SIM.ACME 1970-01-01T00:00:00.00000001Z: no price before it."
                " Give prices from before the dividend on."
            ),
        ),
        (
            {"splits": splits((20, 1_000, 1))},
            (
                "DATA018 data.trades.SIM.ACME: an adjusted price rounds to 0 at 2 decimals."
                " Define the instrument with more decimals."
            ),
        ),
    ],
)
def test_actions_that_cannot_be(actions: dict[str, Stream], message: str) -> None:
    with pytest.raises(DataError) as caught:
        adjusted(trades(400, 410), **actions)

    assert caught.value.message == message


def test_streams_of_another_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"CONF008 data.splits.SIM.ACME: splits are not adjusted"):
        adjusted(splits((1, 2, 1)))
    with pytest.raises(ConfigError, match=r"CONF008 dividends: data.splits.SIM.ACME are no dividends of ACME.SIM"):
        adjusted(trades(1), dividends=splits((1, 2, 1)))


class Listener(lr.Strategy):
    """Notes what reaches it, with its time."""

    config: lr.StrategyConfig

    def on_start(self) -> None:
        self.seen: list[tuple[int, Row]] = []
        self.subscribe_trades("ACME.SIM")
        for kind in ("splits", "dividends", "instrument_status"):
            self.subscribe(f"data.{kind}.SIM.ACME")

    def on_trade(self, trade: lr.Trade) -> None:
        self.seen.append((self.clock.now_ns(), trade))

    def on_data(self, data: Row) -> None:
        self.seen.append((self.clock.now_ns(), data))
        HEARD.append(type(data))


HEARD: list[type] = []


def test_actions_and_status_reach_whoever_subscribed_in_the_order_of_time() -> None:
    HEARD.clear()
    status = stream(
        INSTRUMENT_STATUS, ACME, ts_init_ns=[5, 25], status=[InstrumentStatus.TRADING, InstrumentStatus.HALTED]
    )
    data = Dataset([trades(400, 100, 100), splits((15, 4, 1)), dividends((30, DOLLAR)), status])
    system = lr.System("actions")
    system.add_venue("SIM", balances=["1000 USD"])
    system.add(Listener())

    result = lr.backtest(system, data=data)

    assert not result.faults
    assert [InstrumentStatusChange, Split, InstrumentStatusChange, Dividend] == HEARD
    assert np.asarray(data.streams[3].raw("status")).tolist() == [2, 3]
