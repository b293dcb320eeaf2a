"""What is known: instruments, orders, the market's current rows. Actors read it; only the kernel writes it."""

from collections.abc import Iterable

from libra_ray.errors import ConfigError, did_you_mean, quoted
from libra_ray.messages.schemas import Row
from libra_ray.model.enums import OrderSide
from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order
from libra_ray.portfolio.market_rows import MarketRows

__all__ = ["Cache"]


class Cache:
    """A read-only projection for actors. In a backtest it stands exactly at the message being handled."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self.instruments: dict[str, Instrument] = {made.id: made for made in instruments}
        self.orders: dict[str, Order] = {}
        self.new: dict[str, Order] = {}  # made by a handler and not taken yet
        self.working: dict[str, Order] = {}  # submitted and not closed, in order of submission
        self.rows = MarketRows()

    def instrument(self, instrument_id: str) -> Instrument:
        """The instrument of that id. Raises `ConfigError` CONF008 where it is not loaded."""
        found = self.instruments.get(instrument_id)
        if found is None:
            hint = did_you_mean(instrument_id, list(self.instruments))
            raise ConfigError("CONF008", None, f"instrument {quoted(instrument_id)} is not loaded", hint, instrument_id)
        return found

    def order(self, client_order_id: str) -> Order | None:
        """The order of that id, closed ones too."""
        return self.orders.get(client_order_id)

    def orders_open(
        self, instrument_id: str | None = None, strategy_id: str | None = None, side: OrderSide | None = None
    ) -> list[Order]:
        """Orders that are submitted and not closed, in order of submission."""
        return [
            order
            for order in self.working.values()
            if (instrument_id is None or order.instrument_id == instrument_id)
            and (strategy_id is None or order.strategy_id == strategy_id)
            and (side is None or order.side is side)
        ]

    def quote(self, instrument_id: str) -> Row | None:
        """The last quote that the actors have been given."""
        cursor = self.rows.of(instrument_id).quotes
        return None if cursor is None else cursor.row

    def trade(self, instrument_id: str) -> Row | None:
        """The last trade that the actors have been given."""
        cursor = self.rows.of(instrument_id).trades
        return None if cursor is None else cursor.row

    def bar(self, instrument_id: str, period: str) -> Row | None:
        """The last bar that the actors have been given: of that period, or of that name where we make them."""
        rows = self.rows.of(instrument_id)
        cursor = rows.bars.get(period) or rows.built.get(period)
        return None if cursor is None else cursor.row
