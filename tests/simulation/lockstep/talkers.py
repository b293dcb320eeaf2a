"""Strategies that use all of the interface: timers, signals, requests, brackets, held orders, algorithms, faults."""

from typing import Any

import libra_ray as lr
from libra_ray.bus import Request
from libra_ray.data import Dataset
from libra_ray.runtime import Timer

ACME = lr.equity("ACME.SIM", quote="USD", margin_init="0.1", taker_fee="0.0004")
EMCA = lr.equity("EMCA.SIM", quote="USD", margin_init="0.1")
SECOND_NS = 10**9


class Asker(lr.Strategy):
    """Sends orders of every kind, answers questions, tells its fills."""

    def on_start(self) -> None:
        self.turns = 0
        self.subscribe_quotes("ACME.SIM")
        self.subscribe_signal("from_listener")
        self.clock.set_timer("bracket", interval_ns=7 * SECOND_NS)
        self.clock.set_timer("tick", interval_ns=11 * SECOND_NS, callback=self.tick)
        self.bus.register("Asker.turns", self.answer)

    def answer(self, request: Request) -> None:
        self.reply(request, ("turns", self.turns))

    def tick(self, timer: Timer) -> None:
        self.publish_signal("from_asker", self.turns)
        if self.turns % 3 == 0:
            self.cancel_all_orders()
        if self.turns % 5 == 0:
            self.clock.set_alert("once", at_ns=timer.due_ns + 3 * SECOND_NS, callback=self.once)

    def once(self, timer: Timer) -> None:
        self.publish_signal("from_asker", timer.name)

    def on_timer(self, timer: Timer) -> None:
        assert timer.name == "bracket"
        self.turns += 1
        if self.portfolio.is_flat("ACME.SIM"):
            self.submit_order_list(self.orders.bracket("ACME.SIM", "BUY", 5, stop_loss="95.00", take_profit="105.00"))
        else:
            self.close_position("ACME.SIM")

    def on_quote(self, quote: lr.Quote) -> None:
        self.turns += 1
        if self.turns % 17 == 0:
            self.buy("ACME.SIM", 30, price=quote.bid_px)
        if self.turns % 23 == 0:
            for order in self.cache.orders_open(strategy_id=self.actor_id)[:1]:
                self.modify_order(order, price=quote.bid_px)
        if self.turns % 29 == 0:
            self._made_and_kept = self.orders.limit("ACME.SIM", "SELL", 2, quote.ask_px)
        if self.turns % 31 == 0 and self.turns > 29:
            self.submit_order(self._made_and_kept)
        if self.turns % 41 == 0:
            self.buy("ACME.SIM", 10, price=quote.bid_px, emulation_trigger="BID_ASK")
        if self.turns % 400 == 0:
            terms = {"horizon_secs": 60, "interval_secs": 10}
            self.buy("ACME.SIM", 500, exec_algorithm_id="TWAP", exec_algorithm_params=terms)

    def on_signal(self, signal: lr.Signal) -> None:
        if isinstance(signal.value, int) and signal.value % 2:
            self.sell("ACME.SIM", 3)

    def on_order_filled(self, event: lr.OrderFilled) -> None:
        self.publish_signal("fills", str(event.last_px))


class ListenerConfig(lr.StrategyConfig):
    """`raises_at`: the quote at which it raises, after an order that must never leave."""

    raises_at: int = 0


class Listener(lr.Strategy):
    """Trades another instrument by what it hears and asks."""

    config: ListenerConfig

    def on_start(self) -> None:
        self.turns = 0
        self.draw = self.rng("sizes")
        self.subscribe_quotes("ACME.SIM")
        self.subscribe_quotes("EMCA.SIM")
        self.subscribe("signals.f*")

    def on_quote(self, quote: lr.Quote) -> None:
        self.turns += 1
        if self.turns % 29 == 0:
            self.publish_signal("from_listener", self.turns)
        if self.turns % 31 == 0:
            self.target("EMCA.SIM", int(self.draw.integers(-20, 21)))
        if self.turns % 101 == 0:
            self.request("Asker.turns", "how many?", SECOND_NS)
        if self.turns % 211 == 0:
            self.request("nobody.there", quote.ts_ns, SECOND_NS)
        if self.turns == self.config.raises_at:
            self.buy("ACME.SIM", 1)
            raise ValueError("the listener gives up")

    def on_reply(self, _correlation_id: int, reply: object) -> None:
        if isinstance(reply, tuple):
            self.publish_signal("from_listener", reply[1])

    def on_signal(self, signal: lr.Signal) -> None:
        if signal.name == "fills" and len(str(signal.value)) % 2:
            self.sell("EMCA.SIM", 2)


def talking(
    *,
    rows: int = 1_500,
    seed: int = 3,
    raises_at: int = 0,
    **venue: Any,  # noqa: ANN401 - settings of a venue
) -> tuple[lr.System, Dataset]:
    """The system of both, with a TWAP, and quotes of two instruments."""
    from libra_actors.algorithms import Twap

    quotes = [lr.synth("quotes", made, rows=rows, seed=seed) for made in (ACME, EMCA)]
    system = lr.System("talkers", seed=seed)
    system.add_venue("SIM", balances=["1_000_000 USD"], **{"account": "margin", **venue})
    system.add(Asker())
    system.add(Listener(raises_at=raises_at))
    system.add(Twap(actor_id="TWAP"))
    return system, Dataset([stream for each in quotes for stream in each.streams])
