"""Orders with ids that count up, at the decimals of their instrument."""

from typing import TYPE_CHECKING

from libra_ray.model.enums import OrderSide, OrderType, TimeInForce, TriggerType
from libra_ray.model.numbers import DecimalLike, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.runtime import LocalHost

if TYPE_CHECKING:
    from libra_ray.strategy.strategy import Strategy

__all__ = ["OrderFactory"]

SIZES_MAX = 1_024


class OrderFactory:
    """Makes orders of one strategy: `{strategy_id}-{n}`. A handler that raises gives its numbers back.

    A number that does not fit the instrument's decimals is kept as it is, never rounded: the risk engine denies it.
    """

    def __init__(self, strategy_id: str, host: LocalHost, strategy: "Strategy") -> None:
        self._strategy_id = strategy_id
        self._strategy = strategy
        self._host = host
        self._made: list[Order] = []
        self._sizes: dict[tuple[str, DecimalLike], tuple[int, int]] = {}

    def market(self, instrument_id: str, side: OrderSide | str, quantity: DecimalLike, **terms: object) -> Order:
        """Executes at once at the opposite side; terms as in `order`."""
        return self.order(instrument_id, side, quantity, **terms)  # type: ignore[arg-type]

    def limit(
        self, instrument_id: str, side: OrderSide | str, quantity: DecimalLike, price: DecimalLike, **terms: object
    ) -> Order:
        """Executes at `price` or better, or waits there; terms as in `order`."""
        return self.order(instrument_id, side, quantity, price=price, **terms)  # type: ignore[arg-type]

    def stop_market(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trigger_price: DecimalLike,
        **terms: object,
    ) -> Order:
        """Waits until the price reaches `trigger_price`, then executes as a market order."""
        return self.order(instrument_id, side, quantity, trigger_price=trigger_price, **terms)  # type: ignore[arg-type]

    def stop_limit(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trigger_price: DecimalLike,
        price: DecimalLike,
        **terms: object,
    ) -> Order:
        """Waits until the price reaches `trigger_price`, then is a limit order at `price`."""
        return self.order(instrument_id, side, quantity, price=price, trigger_price=trigger_price, **terms)  # type: ignore[arg-type]

    def order(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        *,
        price: DecimalLike | None = None,
        trigger_price: DecimalLike | None = None,
        type: OrderType | str | None = None,  # noqa: A002  # FIX calls the field OrdType
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        expire_ns: int | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        trigger_type: TriggerType | str = TriggerType.DEFAULT,
        position_id: str | None = None,
        tags: tuple[str, ...] = (),
    ) -> Order:
        """An order of any type: without `type`, what `price` and `trigger_price` make of it.

        `expire_ns` gives a GTD order its end, and makes it one; `tags` are the strategy's own words, kept in results.
        Raises `ValueError` for an unknown side, type, time in force or trigger type.
        """
        size_raw, size_precision = self.size(instrument_id, quantity)
        px_raw, trigger_raw, px_precision = self.prices(instrument_id, price, trigger_price)
        if type is None:
            type = _TYPE_OF[price is not None, trigger_price is not None]  # noqa: A001
        tif = (
            TimeInForce.GTD
            if expire_ns is not None and time_in_force == TimeInForce.GTC
            else TimeInForce(time_in_force)
        )
        order = Order(
            self._next_id(), self._strategy_id, instrument_id, OrderSide(side), OrderType(type), size_raw,
            size_precision, px_raw, trigger_raw, px_precision, self._strategy.clock.now_ns(), tif, expire_ns,
            post_only, reduce_only, trigger_type=TriggerType(trigger_type), position_id=position_id, tags=tags,
        )  # fmt: skip
        return self._made_now(order)

    def market_raw(
        self, instrument_id: str, side: OrderSide, qty_raw: int, precision: int, *, reduce_only: bool = False
    ) -> Order:
        """A market order of a raw quantity at the instrument's decimals."""
        instrument = self._strategy.cache.instruments.get(instrument_id)
        px_precision = 0 if instrument is None else instrument.price_precision
        order = Order(
            self._next_id(), self._strategy_id, instrument_id, side, OrderType.MARKET, qty_raw, precision,
            None, None, px_precision, self._strategy.clock.now_ns(), reduce_only=reduce_only,
        )  # fmt: skip
        return self._made_now(order)

    def closing(self, position: Position) -> Order:
        """The reduce-only market order that closes a position."""
        side = OrderSide.SELL if position.quantity_raw > 0 else OrderSide.BUY
        precision = position.terms.instrument.size_precision
        return self.market_raw(position.instrument_id, side, abs(position.quantity_raw), precision, reduce_only=True)

    def size(self, instrument_id: str, quantity: DecimalLike) -> tuple[int, int]:
        """(raw, scale) of a quantity at the instrument's decimals, or finer where digits would be lost."""
        key = (instrument_id, quantity)
        found = self._sizes.get(key)
        if found is None:
            instrument = self._strategy.cache.instruments.get(instrument_id)
            if instrument is None:
                return parse_decimal(quantity)
            size = instrument.quantity(quantity)
            if len(self._sizes) >= SIZES_MAX:
                self._sizes.clear()
            found = self._sizes[key] = (size.raw, size.precision)
        return found

    def forget(self) -> None:
        """RESET: count from 1 again."""
        self._made.clear()

    def prices(
        self, instrument_id: str, price: DecimalLike | None, trigger: DecimalLike | None
    ) -> tuple[int | None, int | None, int]:
        """Both prices raw at one scale: the instrument's, or a finer one where a price has digits beyond it."""
        instrument = self._strategy.cache.instruments.get(instrument_id)
        if price is None and trigger is None:
            return None, None, 0 if instrument is None else instrument.price_precision
        parsed = [
            None if value is None else (parse_decimal(value) if instrument is None else _pair(instrument.price(value)))
            for value in (price, trigger)
        ]
        precision = max(each[1] for each in parsed if each is not None)
        raws = [None if each is None else each[0] * 10 ** (precision - each[1]) for each in parsed]
        return raws[0], raws[1], precision

    def _next_id(self) -> str:
        return f"{self._strategy_id}-{len(self._made) + 1}"

    def _made_now(self, order: Order) -> Order:
        """Count an order, so that a handler that raises takes it back."""
        self._made.append(order)
        self._host.staged.append((self._strategy, None, self._unmake))
        return order

    def _unmake(self) -> None:
        """The handler raised: its latest order never was."""
        order = self._made.pop()
        cache = self._strategy.cache
        cache.new.pop(order.client_order_id, None)
        if cache.orders.get(order.client_order_id) is order:
            del cache.orders[order.client_order_id]


def _pair(price: object) -> tuple[int, int]:
    return price.raw, price.precision  # type: ignore[attr-defined]


_TYPE_OF = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP_MARKET,
    (True, True): OrderType.STOP_LIMIT,
}
