"""A strategy that says what has become of its orders to whoever asks."""

from typing import Any

from libra_actors.strategies import EmaCross
from libra_ray.bus import Request
from libra_ray.messages.schemas import Bar
from libra_ray.runtime import inject

__all__ = ["TellingCross", "told"]


class TellingCross(EmaCross):
    """Endpoint `Cross.orders`."""

    def on_start(self) -> None:
        self.seen = 0
        super().on_start()
        self.bus.register("Cross.orders", self.answer)

    def handle_by(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().handle_by(*args, **kwargs)
        follow = self.on_bar  # what it has been given

        def counted(bar: Bar) -> None:
            self.seen += 1
            follow(bar)

        inject(self, on_bar=counted)

    def answer(self, request: Request) -> None:
        """How many bars it has seen, and its orders as it sees them."""
        self.reply(request, (self.seen, told(self)))


def told(strategy: EmaCross) -> list[tuple[str, ...]]:
    """Id, side, quantity and status of each order, then the net quantity."""
    orders = [
        (one.client_order_id, str(one.side), str(one.quantity), str(one.status))
        for one in strategy.cache.orders.values()
    ]
    return [*sorted(orders), (str(strategy.portfolio.net_qty_raw("EURUSD.SIM")),)]
