"""Rules of the simulated venue that no scenario file can say: options, chance, accounts, messages of a book."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import libra_ray as lr
from libra_ray.errors import ConfigError
from libra_ray.messages.events import (
    AccountBooked,
    InstrumentHalted,
    MarginCall,
    OrderAccepted,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderUpdated,
)
from libra_ray.messages.schemas import QUOTES
from libra_ray.model.enums import OrderStatus
from libra_ray.simulation.chance import Chance
from libra_ray.simulation.settlements import next_rollover_ns
from libra_ray.testing import Cell

pytest_plugins = ["libra_ray.testing.fixtures"]

SECOND_NS = 10**9
HOUR_NS = 3_600 * SECOND_NS
ACME = "ACME.SIM"
PERP = "BTCPERP.SIM"

MakeCell = Callable[..., Cell]


def share() -> lr.Instrument:
    return lr.equity(ACME, quote="USD")


def perpetual(**more: str) -> lr.Instrument:
    return lr.perpetual(PERP, base="BTC", quote="USD", tick="0.1", step="0.001", **more)


def fills(cell: Cell) -> list[tuple[str, str]]:
    return [(str(fill.last_qty), str(fill.last_px)) for fill in cell.events(OrderFilled)]


# ---------------------------------------------------------------------- fill models and chance


def test_tiers_replace_the_tick_beyond_the_best(make_cell: MakeCell) -> None:
    cell = make_cell(share(), fill_model=[(1, "10"), (3, "5"), (9, "0")])
    cell.quote(ACME, "9.99", "10.00", ask_size=4)

    cell.submit(cell.orders.market(ACME, "BUY", 30))

    assert fills(cell) == [("4", "10.00"), ("10", "10.01"), ("5", "10.03"), ("11", "10.09")]


def test_a_function_may_give_the_tiers(make_cell: MakeCell) -> None:
    cell = make_cell(share(), fill_model=lambda order, _book: [(2, order.leaves_qty)])
    cell.quote(ACME, "9.99", "10.00", bid_size=1)

    cell.submit(cell.orders.market(ACME, "SELL", 3))

    assert fills(cell) == [("1", "9.99"), ("2", "9.97")]


def test_chance_depends_on_the_order_and_not_on_others() -> None:
    chance = Chance(7, "SIM", "fill")

    assert [chance.draw(n) for n in (1, 2, 1)] == [chance.draw(1), chance.draw(2), chance.draw(1)]
    assert len({chance.draw(n) % 1_000 for n in range(2_000)}) > 800
    assert Chance(7, "SIM", "slippage").draw(1) != chance.draw(1) != Chance(8, "SIM", "fill").draw(1)


def test_a_probability_of_a_half_fills_about_half_of_the_touches(make_cell: MakeCell) -> None:
    cell = make_cell(share(), prob_fill_on_limit="0.5", risk={"max_order_rate": "1000/1s"})
    cell.quote(ACME, "9.99", "10.01")
    for _ in range(200):
        cell.submit(cell.orders.limit(ACME, "BUY", 1, "10.00"))

    cell.quote(ACME, "9.99", "10.00")

    assert 70 < len(fills(cell)) < 130


# ---------------------------------------------------------------------- books


def test_rows_of_one_message_are_matched_together(make_cell: MakeCell) -> None:
    cell = make_cell(share(), book="L2")
    cell.delta(ACME, "BID", "9.90", 10)
    cell.delta(ACME, "ASK", "10.10", 10)
    cell.submit(cell.orders.limit(ACME, "BUY", 5, "10.00"))

    cell.delta(ACME, "ASK", "9.95", 10, is_last=False)
    assert fills(cell) == []
    cell.delta(ACME, "ASK", "9.95", 0)

    assert fills(cell) == []


def test_a_through_fill_takes_no_more_than_the_levels_hold(make_cell: MakeCell) -> None:
    cell = make_cell(share(), book="L2")
    cell.delta(ACME, "BID", "9.90", 10)
    cell.delta(ACME, "ASK", "10.10", 10)
    cell.submit(cell.orders.limit(ACME, "BUY", 50, "10.00"))

    cell.delta(ACME, "ASK", "9.95", 7)
    cell.delta(ACME, "ASK", "9.98", 8)

    assert fills(cell) == [("7", "10.00"), ("8", "10.00")]


def test_a_strategy_sees_the_book_after_each_message(make_cell: MakeCell) -> None:
    class Watcher(lr.Strategy):
        def on_start(self) -> None:
            self.seen: list[tuple[str, str]] = []
            self.subscribe_book(ACME)

        def on_book(self, book: lr.OrderBook) -> None:
            self.seen.append((str(book.bid_px), str(book.ask_px)))

    cell = make_cell(share(), book="L2")
    watcher = cell.add(Watcher())

    cell.delta(ACME, "BID", "9.90", 10, is_last=False)
    cell.delta(ACME, "ASK", "10.10", 10)
    cell.delta(ACME, "BID", "9.95", 1)

    assert watcher.seen == [("9.90", "10.10"), ("9.95", "10.10")]


# ---------------------------------------------------------------------- accounts


def test_a_margin_call_is_published_once_until_equity_is_above_again(make_cell: MakeCell) -> None:
    made = perpetual(margin_init="0.1", margin_maint="0.01")
    cell = make_cell(made, balances=["500 USD"])
    cell.quote(PERP, "39999.9", "40000.0")
    cell.submit(cell.orders.market(PERP, "BUY", "0.1"))

    for bid in ("39000.0", "38900.0", "38000.0", "39990.0", "38000.0"):
        cell.quote(PERP, bid, bid)

    calls = [(call.equity_raw, call.locked_raw) for call in cell.events(MarginCall)]
    assert calls == [(30_000, 38_000), (30_000, 38_000)]


def test_the_account_is_looked_at_on_rows_that_nobody_subscribed_to() -> None:
    """A long position meets its liquidation in the middle of a free stretch."""
    made = perpetual(margin_maint="0.05")
    count = 50_000
    ask = [400_000] * count
    ask[30_000] = 363_000
    table = lr.Stream(
        QUOTES, made, "", QUOTES.table(made, {"ts_init_ns": [i * SECOND_NS for i in range(count)],
                                              "bid_px": ask, "ask_px": ask,
                                              "bid_qty": [10**6] * count, "ask_qty": [10**6] * count}),
    )  # fmt: skip
    system = lr.System().add_venue("SIM", balances=["5500 USD"]).add_instrument(made)

    class Buyer(lr.Strategy):
        def on_start(self) -> None:
            self.clock.set_alert("buy", at_ns=10 * SECOND_NS, callback=lambda _timer: self.buy(PERP, "1.0"))

    system.add(Buyer())

    result = lr.backtest(system, data=lr.Dataset([table]))

    assert [(row["client_order_id"], row["ts_ns"]) for row in result.fills.to_pylist()] == [
        ("Buyer-1-1", 10 * SECOND_NS),
        ("LIQ-1", 30_000 * SECOND_NS),
    ]


def test_leverage_may_be_set_for_one_instrument(make_cell: MakeCell) -> None:
    cell = make_cell(perpetual(margin_init="0.1"), balances=["500 USD"], leverages={PERP: "10"})
    cell.quote(PERP, "40000.0", "40000.0")

    cell.submit(cell.orders.market(PERP, "BUY", "1"))

    assert fills(cell) == [("1.000", "40000.0")]
    assert cell.kernel.funds["SIM"].locked() == {"USD": 40_000}


def test_roll_over_pays_the_rates_difference_and_thrice_on_wednesday(make_cell: MakeCell) -> None:
    made = lr.pair("EURUSD.SIM", base="EUR", quote="USD", tick="0.00001", step="1")
    tuesday_ns = 1_704_153_600 * SECOND_NS
    cell = make_cell(made, start_ns=tuesday_ns, rollover={"EUR": "0.0365", "USD": "0.073"})
    cell.quote("EURUSD.SIM", "1.00000", "1.00000")
    cell.submit(cell.orders.market("EURUSD.SIM", "BUY", "100000"))

    cell.advance_to(tuesday_ns + 47 * HOUR_NS)

    paid = [(b.kind, b.amount_raw, b.ts_ns) for b in cell.events(AccountBooked) if b.kind == "ROLLOVER"]
    assert paid == [("ROLLOVER", -1_000, tuesday_ns + 22 * HOUR_NS), ("ROLLOVER", -3_000, tuesday_ns + 46 * HOUR_NS)]


def test_roll_over_follows_new_york_through_its_clock_changes_and_rests_on_weekends() -> None:
    friday_summer_ns = 1_720_209_600 * SECOND_NS  # 2024-07-05 20:00 UTC

    assert next_rollover_ns(friday_summer_ns) == friday_summer_ns + HOUR_NS
    assert next_rollover_ns(friday_summer_ns + HOUR_NS) == friday_summer_ns + HOUR_NS + 72 * HOUR_NS


# ---------------------------------------------------------------------- time


def test_a_table_of_delays_holds_from_its_times_on(make_cell: MakeCell) -> None:
    cell = make_cell(share(), latency={"base": "0.1", "table": [(5 * SECOND_NS, "2")]})
    cell.quote(ACME, "9.99", "10.00")
    cell.submit(cell.orders.market(ACME, "BUY", 1))
    cell.quote(ACME, "9.99", "10.00", ts_ns=6 * SECOND_NS)
    cell.submit(cell.orders.market(ACME, "BUY", 1))

    cell.advance_to(20 * SECOND_NS)

    assert [fill.ts_ns for fill in cell.events(OrderFilled)] == [SECOND_NS + SECOND_NS // 10, 8 * SECOND_NS]


def test_jitter_is_the_seeds() -> None:
    def times(seed: int) -> list[int]:
        cell = Cell(share(), seed=seed, latency={"base": "0.001", "jitter": "0.01"})
        cell.quote(ACME, "9.99", "10.00")
        for _ in range(5):
            cell.submit(cell.orders.market(ACME, "BUY", 1))
        cell.advance_to(2 * SECOND_NS)
        return [fill.ts_ns for fill in cell.events(OrderFilled)]

    first = times(1)

    assert first == times(1) != times(2)
    assert all(SECOND_NS + 1_000_000 <= ts_ns <= SECOND_NS + 11_000_000 for ts_ns in first)
    assert first == sorted(first)


def test_reports_come_later_and_change_no_execution() -> None:
    class Echo(lr.Strategy):
        heard: list[tuple[int, int]]

        def on_start(self) -> None:
            self.heard = []
            self.subscribe_quotes(ACME)

        def on_quote(self, quote: lr.Quote) -> None:
            if quote.ts_ns == SECOND_NS:
                self.buy(ACME, 1)

        def on_order_filled(self, event: lr.OrderFilled) -> None:
            self.heard.append((event.ts_ns, self.clock.now_ns()))

    cell = Cell(share(), latency={"report": "0.5"})
    echo = cell.add(Echo())
    cell.quote(ACME, "9.99", "10.00")
    cell.advance_to(3 * SECOND_NS)

    assert echo.heard == [(SECOND_NS, SECOND_NS + SECOND_NS // 2)]


# ---------------------------------------------------------------------- reports that cannot be


def test_a_fill_that_comes_twice_counts_once(cell: Cell) -> None:
    cell.quote(ACME, "9.99", "10.00")
    cell.submit(cell.orders.market(ACME, "BUY", 5))
    (fill,) = cell.events(OrderFilled)

    cell.kernel.execution.process(fill)

    assert cell.kernel.execution.duplicate_fills == 1
    assert cell.position(ACME).quantity_raw == 5  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"last_px_raw": 1_001}, "FILL_CONFLICT"),
        ({"trade_id": "T-2"}, "ILLEGAL_TRANSITION"),
        ({"client_order_id": "nobody"}, "UNKNOWN_ORDER"),
    ],
)
def test_a_report_that_cannot_be_halts_the_instrument(cell: Cell, change: dict[str, Any], code: str) -> None:
    cell.quote(ACME, "9.99", "10.00")
    cell.submit(cell.orders.market(ACME, "BUY", 5))
    (fill,) = cell.events(OrderFilled)

    cell.kernel.execution.process(msgspec.structs.replace(fill, **change))
    late = cell.submit(cell.orders.market(ACME, "BUY", 1))

    assert [halt.code for halt in cell.events(InstrumentHalted)] == [code]
    assert (late.status, late.code) == (OrderStatus.DENIED, "TRADING_HALTED")
    assert cell.position(ACME).quantity_raw == 5  # type: ignore[union-attr]


def test_an_overfill_is_refused_unless_it_is_a_fact(make_cell: MakeCell) -> None:
    def overfilled(*, allow_overfills: bool) -> tuple[Cell, lr.Order]:
        cell = make_cell(share(), allow_overfills=allow_overfills)
        cell.quote(ACME, "9.99", "10.00", ask_size=5)
        order = cell.submit(cell.orders.limit(ACME, "BUY", 10, "10.00"))
        (fill,) = cell.events(OrderFilled)
        cell.kernel.execution.process(msgspec.structs.replace(fill, trade_id="late", last_qty_raw=8))
        return cell, order

    refused, order = overfilled(allow_overfills=False)
    assert [halt.code for halt in refused.events(InstrumentHalted)] == ["OVERFILL"]
    assert order.filled_raw == 5

    taken, order = overfilled(allow_overfills=True)
    assert (order.filled_raw, order.leaves_raw, order.overfill_raw) == (13, 0, 3)
    assert taken.position(ACME).quantity_raw == 13  # type: ignore[union-attr]


# ---------------------------------------------------------------------- positions


def test_a_flip_under_hedging_opens_a_position_of_its_own(make_cell: MakeCell) -> None:
    cell = make_cell(share(), oms="hedging")
    cell.quote(ACME, "9.99", "10.00")
    cell.submit(cell.orders.market(ACME, "BUY", 5))

    cell.submit(cell.orders.market(ACME, "SELL", 8, position_id="P-1"))

    held = [(p.position_id, p.quantity_raw) for p in cell.kernel.portfolio.positions_open()]
    assert held == [("P-1F", -3)]


def test_a_bracket_with_a_trailing_stop(make_cell: MakeCell) -> None:
    cell = make_cell(share())
    cell.quote(ACME, "9.99", "10.00")
    trailing = {"type": "TRAILING_STOP_MARKET", "trailing_offset": "0.50", "trigger_price": None}
    orders = cell.orders.bracket(ACME, "BUY", 10, take_profit="11.00", stop_loss_terms=trailing)

    cell.submit_list(orders)
    cell.quote(ACME, "10.50", "10.51")
    cell.quote(ACME, "10.00", "10.01")

    assert fills(cell) == [("10", "10.00"), ("10", "10.00")]
    assert [event.code for event in cell.events(OrderCanceled)] == ["CONTINGENCY"]
    assert [event.trigger_raw for event in cell.events(OrderUpdated)] == [949, 1_000]


def test_links_are_ignored_where_the_venue_does_not_know_them(make_cell: MakeCell) -> None:
    cell = make_cell(share(), support_contingent_orders=False)
    cell.quote(ACME, "9.99", "10.00")
    low, high = cell.orders.limit(ACME, "BUY", 1, "9.00"), cell.orders.limit(ACME, "SELL", 1, "11.00")

    cell.submit_list(cell.orders.one_cancels_others(low, high))
    cell.cancel(low.client_order_id)

    assert (low.status, high.status) == (OrderStatus.CANCELED, OrderStatus.ACCEPTED)


# ---------------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    "settings",
    [
        {"prob_slippage": "1.5"},
        {"queue_power": 9},
        {"leverage": "0"},
        {"sessions": [(10, 5)]},
        {"latency": {"insert": "-1"}},
        {"fees": {"model": "tiered", "tiers": [["10", "0", "0"]]}},
        {"oto_mode": "half"},
        {"fill_model": "best"},
    ],
)
def test_a_venue_that_cannot_be_is_one_line(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^CONF00\d ") as caught:
        lr.System().add_venue("SIM", balances=["1 USD"], **settings)

    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_venue_with_depth_needs_a_book() -> None:
    system = lr.System().add_venue("XNAS", balances=["1 USD"], book="L2")

    with pytest.raises(ConfigError, match=r"CONF008 venue XNAS has book = 'L2', and AAPL.XNAS has no book data"):
        lr.backtest(system, data=lr.sample("AAPL.XNAS"))


def test_bars_set_the_price_before_the_first_trade(make_cell: MakeCell) -> None:
    cell = make_cell(share())
    cell.trade(ACME, "10.00", 5)
    cell.bar(ACME, "1m", ("9.00", "9.00", "9.00", "9.00"))

    cell.submit(cell.orders.market(ACME, "BUY", 1))

    assert fills(cell) == [("1", "9.00")]


def test_bars_that_do_not_execute_still_give_a_market_order_its_price(make_cell: MakeCell) -> None:
    cell = make_cell(share(), bar_execution=False)
    cell.bar(ACME, "1m", ("9.00", "9.00", "9.00", "9.00"))

    cell.submit(cell.orders.market(ACME, "BUY", 1))

    assert fills(cell) == [("1", "9.00")]


def test_denied_orders_name_their_code(make_cell: MakeCell) -> None:
    cell = make_cell(share())
    cell.quote(ACME, "9.99", "10.00")

    cell.submit(cell.orders.market(ACME, "BUY", 1, exec_algorithm_id="NOBODY"))

    assert [event.code for event in cell.events(OrderDenied)] == ["UNSUPPORTED_ORDER_TYPE"]
    assert cell.events(OrderAccepted) == []
