"""A run is a function of code, configuration, data and seed, whatever the batches, the hash seed and the look-ahead."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.kernel import TradingKernel
from libra_ray.messages.events import AccountBooked
from libra_ray.messages.schemas import BARS, MARK_PRICES, QUOTES, TRADES
from libra_ray.simulation.backtest import build
from libra_ray.simulation.replay import Replay
from libra_ray.simulation.run_hash import run_hash
from libra_ray.simulation.stream_state import StreamState

SHARE = lr.equity("ACME.SIM", quote="USD", margin_init="0.1", maker_fee="0.0001", taker_fee="0.0004")
GOLDEN = "d8b9b7692efafd31330aed1527e37508"
START_NS = 1_700_000_000 * 10**9

Step = tuple[str, str, int, int, int, bool, int]


class Fuzz(lr.Strategy):
    """Does what a list of steps says, one at each row; the list comes from outside."""

    def on_start(self) -> None:
        self.seen = 0
        self.made: list[lr.Order] = []
        for topic in self.topics:
            self.subscribe(topic)

    steps: Sequence[Step] = ()
    topics: Sequence[str] = ()

    def on_bar(self, bar: lr.Bar) -> None:
        self._act(bar.close_raw)

    def on_quote(self, quote: lr.Quote) -> None:
        self._act(quote.bid_px_raw)

    def on_trade(self, trade: lr.Trade) -> None:
        self._act(trade.price_raw)

    def _act(self, px: int) -> None:
        self.seen += 1
        if self.seen > len(self.steps):
            return
        kind, side, quantity, offset, trigger, flag, ttl = self.steps[self.seen - 1]
        near, far = lr.Price(px + offset, 2), lr.Price(px + trigger, 2)
        expire_ns = self.clock.now_ns() + ttl * 10**9 if ttl else None
        match kind:
            case "market":
                self.made.append(self.orders.order("ACME.SIM", side, quantity, reduce_only=flag))
                self.submit_order(self.made[-1])
            case "limit":
                order = self.orders.order("ACME.SIM", side, quantity, price=near, post_only=flag, expire_ns=expire_ns)
                self.made.append(order)
                self.submit_order(order)
            case "ioc" | "fok":
                order = self.orders.order("ACME.SIM", side, quantity, price=near, time_in_force=kind.upper())
                self.made.append(order)
                self.submit_order(order)
            case "stop":
                order = self.orders.order("ACME.SIM", side, quantity, trigger_price=far, reduce_only=flag)
                self.made.append(order)
                self.submit_order(order)
            case "stop_by":
                source = ("LAST_PRICE", "MID_POINT", "MARK_PRICE")[quantity % 3]
                order = self.orders.order("ACME.SIM", side, quantity, trigger_price=far, trigger_type=source)
                self.made.append(order)
                self.submit_order(order)
            case "stop_limit":
                order = self.orders.order("ACME.SIM", side, quantity, trigger_price=far, price=near)
                self.made.append(order)
                self.submit_order(order)
            case "modify" if self.made:
                self.modify_order(self.made[quantity % len(self.made)], quantity=quantity, price=near if flag else None)
            case "cancel" if self.made:
                self.cancel_order(self.made[quantity % len(self.made)])
            case "all":
                self.cancel_all_orders()
            case _:
                pass


def _data(kinds: Sequence[str], rows: int, seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    streams = []
    for kind in kinds:
        px = np.maximum(1_000 + np.cumsum(rng.integers(-6, 7, rows)), 50)
        ts = START_NS + np.cumsum(rng.integers(0, 3, rows)) * 10**9
        size = rng.integers(1, 60, rows)
        if kind == "bars":
            opens, spread = np.concatenate(([1_000], px[:-1])), rng.integers(0, 8, (2, rows))
            high, low = np.maximum(opens, px) + spread[0], np.minimum(opens, px) - spread[1]
            columns = {"open": opens, "high": high, "low": low, "close": px, "volume": size * 4}
            schema, period = BARS, "1s"
        elif kind == "quotes":
            columns = {"bid_px": px, "ask_px": px + rng.integers(1, 4, rows), "bid_qty": size, "ask_qty": size[::-1]}
            schema, period = QUOTES, ""
        elif kind == "marks":
            columns, schema, period = {"price": px}, MARK_PRICES, ""
        else:
            columns = {"price": px, "qty": size, "aggressor": rng.integers(0, 3, rows)}
            schema, period = TRADES, ""
        table = schema.table(SHARE, {"ts_init_ns": ts, **columns}, period=period)
        streams.append(Stream(schema, SHARE, period, table))
    return Dataset(streams)


def _run(data: Dataset, steps: Sequence[Step], *, batch_rows: int = 8_192, **venue: object) -> TradingKernel:
    system = lr.System("fuzz", seed=3)
    settings: dict[str, Any] = {"balances": ["10_000 USD"], **venue}
    system.add_venue("SIM", **settings)
    kernel, replay = build(system, data, batch_rows=batch_rows)
    strategy = Fuzz()
    strategy.steps, strategy.topics = steps, [stream.topic for stream in data.streams]
    kernel.add(strategy)
    kernel.start()
    replay.run()
    return kernel


def _hash(kernel: TradingKernel) -> str:
    return run_hash(kernel.record, kernel.portfolio)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["market", "limit", "limit", "ioc", "fok", "stop", "stop_by", "stop_limit", "modify", "cancel", "all"]
        ),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 40),
        st.integers(-12, 12),
        st.integers(-12, 12),
        st.booleans(),
        st.sampled_from([0, 0, 1, 5]),
    ),
    max_size=60,
)
KINDS = st.sampled_from(
    [
        ("bars",),
        ("quotes",),
        ("trades",),
        ("quotes", "trades"),
        ("quotes", "bars"),
        ("marks", "bars"),
        ("quotes", "marks", "trades"),
    ]
)
VENUES = st.sampled_from(
    [{}, {"bar_fill": "this_close"}, {"account": "cash"}, {"reject_stop_orders": False, "bar_path": "adaptive"}]
)


@settings(max_examples=60)
@given(KINDS, st.integers(0, 2**32), STEPS, VENUES)
def test_random_orders_conserve_money_and_leave_nothing_stuck(
    kinds: tuple[str, ...], seed: int, steps: list[Step], venue: dict[str, Any]
) -> None:
    kernel = _run(_data(kinds, 80, seed), steps, **venue)

    assert kernel.host.faults == []
    account = kernel.portfolio.accounts["SIM"]
    bookings = [event for event in kernel.record.events if isinstance(event, AccountBooked)]
    assert sum(booking.amount_raw for booking in bookings) == account.totals["USD"]
    for order in kernel.record.orders:
        assert order.status not in ("INITIALIZED", "SUBMITTED", "PENDING_UPDATE", "PENDING_CANCEL")
        assert 0 <= order.filled_raw <= order.quantity_raw or order.status == "DENIED"
    traded = sum(order.filled_raw if order.is_buy else -order.filled_raw for order in kernel.record.orders)
    assert traded == kernel.portfolio.net.get("ACME.SIM", 0)
    if account.kind == "cash":
        assert account.totals["USD"] >= 0
        assert kernel.portfolio.net.get("ACME.SIM", 0) >= 0


@settings(max_examples=40)
@given(KINDS, st.integers(0, 2**32), STEPS, VENUES)
def test_looking_ahead_and_batches_change_nothing(
    kinds: tuple[str, ...], seed: int, steps: list[Step], venue: dict[str, Any]
) -> None:
    data = _data(kinds, 120, seed)
    expected = _hash(_run(data, steps, **venue))

    assert {_hash(_run(data, steps, batch_rows=rows, **venue)) for rows in (1, 7)} == {expected}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replay, "_free_until", _every_row_in_full)
        assert _hash(_run(data, steps, **venue)) == expected


def _every_row_in_full(_replay: Replay, _state: StreamState, at: int, _stop: int) -> int:
    return at


@pytest.mark.parametrize("kinds", [("bars",), ("quotes",), ("trades",), ("quotes", "trades")], ids="+".join)
@pytest.mark.parametrize("seed", range(4))
def test_resting_orders_are_found_where_every_row_is_looked_at(kinds: tuple[str, ...], seed: int) -> None:
    data = _data(kinds, 2_000, seed)
    rng = np.random.default_rng(seed)
    what = ("limit", "stop", "limit", "stop_limit", "cancel", "market")
    steps: list[Step] = [
        (what[row % 6] if row % 9 == 0 else "none", side, 5, int(near), int(far), False, 0)
        for row, (side, near, far) in enumerate(
            zip(
                rng.choice(["BUY", "SELL"], 1_500).tolist(),
                rng.integers(-90, 91, 1_500),
                rng.integers(-90, 91, 1_500),
                strict=True,
            )
        )
    ]
    found = _hash(_run(data, steps))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Replay, "_free_until", _every_row_in_full)
        assert _hash(_run(data, steps)) == found


def golden_hash() -> str:
    """One run with every kind of order over quotes and trades."""
    kinds = ("market", "limit", "ioc", "fok", "stop", "stop_limit", "modify", "cancel")
    steps: list[Step] = [
        (kinds[n % 8], "BUY" if n % 3 else "SELL", 1 + n % 17, n % 13 - 6, n % 11 - 5, n % 5 == 0, n % 4)
        for n in range(400)
    ]
    return _hash(_run(_data(("quotes", "trades"), 400, 11), steps))


@pytest.mark.slow
def test_the_golden_run_is_the_same_under_other_hash_seeds() -> None:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    code += "import test_determinism as t; print(t.golden_hash())"
    found = {golden_hash()}
    for hash_seed in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
        found.add(done.stdout.strip())

    assert found == {GOLDEN}
