"""Books apart: a strategy is given the book after each message, the risk engine takes its prices from it."""

import libra_ray as lr
from libra_ray.data import Dataset, Stream
from libra_ray.messages.schemas import BOOK_DELTAS, LAST_IN_MESSAGE
from libra_ray.sessions.book_keeper import BookKeeper
from tests.kernel.apart.carrier import ApartSystem, rows_of

ACME = lr.equity("ACME.SIM", quote="USD")
BID, ASK, UPDATE = 1, 2, 2


class Watching(lr.Strategy):
    """Notes the best prices after each message; buys once."""

    def on_start(self) -> None:
        self.tops: list[tuple[int | None, int | None]] = []
        self.subscribe_book("ACME.SIM")

    def on_book(self, book: lr.OrderBook) -> None:
        self.tops.append((book.bid_px_raw, book.ask_px_raw))
        if len(self.tops) == 2:
            self.buy("ACME.SIM", 10)


def _changes(*rows: tuple[int, int, int, bool]) -> Stream:
    """Of (side, price, size, whether it ends its message)."""
    columns = {
        "ts_init_ns": [10**18 + at for at in range(len(rows))],
        "action": [UPDATE] * len(rows),
        "side": [side for side, *_ in rows],
        "price": [px for _, px, *_ in rows],
        "qty": [qty for _, _, qty, _ in rows],
        "order_id": [0] * len(rows),
        "flags": [LAST_IN_MESSAGE if is_last else 0 for *_, is_last in rows],
    }
    return Stream(BOOK_DELTAS, ACME, "", BOOK_DELTAS.table(ACME, columns))


def _system() -> lr.System:
    system = lr.System("books").add_venue("SIM", balances=["100_000 USD"], book="L2")
    system.add(Watching(), "Watching")
    return system


def test_the_book_after_each_message() -> None:
    stream = _changes((BID, 1_000, 5, True), (ASK, 1_002, 7, True), (BID, 1_001, 5, True), (ASK, 1_002, 0, True))
    apart = ApartSystem(_system(), Dataset([stream]))
    apart.start()
    apart.run(rows_of(apart.data))

    watching = apart.actors["Watching"]
    assert isinstance(watching, Watching)
    assert watching.tops == [(1_000, None), (1_000, 1_002), (1_001, 1_002), (1_001, None)]
    assert apart.views["RiskEngine"].cache.rows.of("ACME.SIM").opposite_px(is_buy=False) == 1_001
    (order,) = apart.desk.books.cache.orders.values()
    assert (str(order.filled_qty), str(order.avg_px)) == ("7", "10.02")


def test_rows_of_one_message_are_taken_together_across_batches() -> None:
    stream = _changes((BID, 1_000, 5, False), (ASK, 1_002, 7, True), (BID, 1_001, 5, False))
    apart = ApartSystem(_system(), Dataset([stream]))
    keeper = BookKeeper(apart.views["RiskEngine"].cache, {venue.name: venue for venue in apart.plan.venues})
    (batch,) = stream.table.to_batches()
    (last,) = _changes((ASK, 1_002, 0, True)).table.to_batches()

    first = [(book.bid_px_raw, book.ask_px_raw, book.ts_ns) for book in keeper.views(batch)]
    second = [(book.bid_px_raw, book.ask_px_raw) for book in keeper.views(last)]

    assert first == [(1_000, 1_002, 10**18 + 1)]
    assert second == [(1_001, None)]
