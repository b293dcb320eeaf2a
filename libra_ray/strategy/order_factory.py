"""Orders with ids that count up, at the decimals of their instrument."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from libra_ray.model.enums import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from libra_ray.model.numbers import DecimalLike, Rate, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.model.positions import Position
from libra_ray.runtime import LocalHost
from libra_ray.runtime.outbox import Staged

if TYPE_CHECKING:
    from libra_ray.strategy.strategy import Strategy

__all__ = ["OrderFactory"]

SIZES_MAX = 1_024
_MARKET: Final = OrderType.MARKET


class OrderFactory:
    """Makes orders of one strategy: `{strategy_id}-{n}`, n from 1. A handler that raises gives its numbers back.

    A number that does not fit the instrument's decimals is kept as it is, never rounded: the risk engine denies it.
    """

    def __init__(self, strategy_id: str, host: LocalHost, strategy: "Strategy") -> None:
        self._strategy_id = strategy_id
        self._strategy = strategy
        self._host = host
        self._made: list[Order] = []
        self._prefix, self._before, self._counts_on = strategy_id, 0, False
        self._undo: Staged = (strategy, None, self._unmake)
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

    def market_to_limit(
        self, instrument_id: str, side: OrderSide | str, quantity: DecimalLike, **terms: object
    ) -> Order:
        """Takes what the opposite best level shows; the rest becomes a limit order at that price."""
        return self.order(instrument_id, side, quantity, type=OrderType.MARKET_TO_LIMIT, **terms)  # type: ignore[arg-type]

    def market_if_touched(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trigger_price: DecimalLike,
        **terms: object,
    ) -> Order:
        """Waits until the market is as good as `trigger_price`, then executes as a market order."""
        kind = OrderType.MARKET_IF_TOUCHED
        return self.order(instrument_id, side, quantity, trigger_price=trigger_price, type=kind, **terms)  # type: ignore[arg-type]

    def limit_if_touched(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trigger_price: DecimalLike,
        price: DecimalLike,
        **terms: object,
    ) -> Order:
        """Waits until the market is as good as `trigger_price`, then is a limit order at `price`."""
        kind = OrderType.LIMIT_IF_TOUCHED
        return self.order(
            instrument_id,
            side,
            quantity,
            price=price,
            trigger_price=trigger_price,
            type=kind,
            **terms,  # type: ignore[arg-type]
        )

    def trailing_stop_market(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trailing_offset: DecimalLike,
        **terms: object,
    ) -> Order:
        """A stop that follows the market at `trailing_offset`, then executes as a market order."""
        kind = OrderType.TRAILING_STOP_MARKET
        return self.order(instrument_id, side, quantity, trailing_offset=trailing_offset, type=kind, **terms)  # type: ignore[arg-type]

    def trailing_stop_limit(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        trailing_offset: DecimalLike,
        limit_offset: DecimalLike,
        **terms: object,
    ) -> Order:
        """A stop that follows the market at `trailing_offset`, then is a limit order `limit_offset` beyond it."""
        offsets = {"trailing_offset": trailing_offset, "limit_offset": limit_offset}
        return self.order(instrument_id, side, quantity, type=OrderType.TRAILING_STOP_LIMIT, **offsets, **terms)  # type: ignore[arg-type]

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
        quote_quantity: bool = False,
        display_qty: DecimalLike | None = None,
        trigger_type: TriggerType | str = TriggerType.DEFAULT,
        trailing_offset: DecimalLike | None = None,
        trailing_offset_type: TrailingOffsetType | str = TrailingOffsetType.PRICE,
        limit_offset: DecimalLike | None = None,
        activation_price: DecimalLike | None = None,
        emulation_trigger: TriggerType | str | None = None,
        trigger_instrument_id: str | None = None,
        exec_algorithm_id: str | None = None,
        exec_algorithm_params: Mapping[str, Any] | None = None,
        position_id: str | None = None,
        tags: tuple[str, ...] = (),
    ) -> Order:
        """An order of any type: without `type`, what `price` and `trigger_price` make of it.

        `expire_ns` gives a GTD order its end, and makes it one; `quote_quantity` says that `quantity` is an amount of
        the quote currency; `display_qty` is what an iceberg shows; `tags` are the strategy's own words, kept in
        results. The other terms are fields of `Order`. Raises `ValueError` for an unknown side, type, time in force,
        offset type or trigger type.
        """
        if quote_quantity:
            _check_id(instrument_id)
            size_raw, size_precision = parse_decimal(quantity)
        else:
            size_raw, size_precision = self.size(instrument_id, quantity)
        px_raw, trigger_raw, activation_raw, px_precision = self.prices(
            instrument_id, price, trigger_price, activation_price
        )
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
            post_only, reduce_only, quote_quantity, TriggerType(trigger_type), position_id, tags,
        )  # fmt: skip
        if display_qty is not None:
            order.display_raw = self._display(instrument_id, display_qty, order)
        if trailing_offset is not None or limit_offset is not None:
            order.trailing_offset = None if trailing_offset is None else Rate.parse(trailing_offset)
            order.limit_offset = None if limit_offset is None else Rate.parse(limit_offset)
            order.trailing_offset_type = TrailingOffsetType(trailing_offset_type)
        order.activation_raw = activation_raw
        if emulation_trigger is not None:
            order.emulation_trigger = TriggerType(emulation_trigger)
            order.trigger_instrument_id = trigger_instrument_id
        if exec_algorithm_id is not None:
            order.exec_algorithm_id, order.exec_algorithm_params = exec_algorithm_id, exec_algorithm_params
        return self._made_now(order)

    # ------------------------------------------------------------------ orders that depend on each other

    @staticmethod
    def one_triggers_others(parent: Order, *children: Order) -> tuple[Order, ...]:
        """OTO: `children` are held at the venue until `parent` fills. The list to submit, parent first."""
        parent.contingency_type = ContingencyType.OTO
        for child in children:
            child.parent_order_id = parent.client_order_id
        return _as_list((parent, *children))

    @staticmethod
    def one_cancels_others(*orders: Order) -> tuple[Order, ...]:
        """OCO: a fill, cancel, expiry or rejection of one cancels the others. The list to submit."""
        return _as_list(_linked(orders, ContingencyType.OCO))

    @staticmethod
    def one_updates_others(*orders: Order) -> tuple[Order, ...]:
        """OUO: a fill of one reduces the leaves of the others by as much. The list to submit."""
        return _as_list(_linked(orders, ContingencyType.OUO))

    def bracket(
        self,
        instrument_id: str,
        side: OrderSide | str,
        quantity: DecimalLike,
        *,
        stop_loss: DecimalLike | None = None,
        take_profit: DecimalLike | None = None,
        entry: Mapping[str, Any] | None = None,
        stop_loss_terms: Mapping[str, Any] | None = None,
        take_profit_terms: Mapping[str, Any] | None = None,
    ) -> tuple[Order, Order, Order]:
        """An entry, the stop-loss and the take-profit that its fills release: the list to submit, in that order.

        The entry is a market order unless the terms in `entry` say otherwise. The stop-loss is a stop at `stop_loss`,
        or a trailing stop by `stop_loss_terms`; the take-profit is a limit at `take_profit`, or a touched order by
        `take_profit_terms`. Both are reduce-only and update each other. Tags are ENTRY, STOP_LOSS and TAKE_PROFIT.
        Prices on the wrong side of each other are denied as `BRACKET_PRICES`.
        """
        away = OrderSide.SELL if OrderSide(side) is OrderSide.BUY else OrderSide.BUY
        first = self.order(instrument_id, side, quantity, tags=("ENTRY",), **(entry or {}))
        stop_terms: dict[str, Any] = {"trigger_price": stop_loss, "type": OrderType.STOP_MARKET}
        profit_terms: dict[str, Any] = {"price": take_profit, "type": OrderType.LIMIT}
        for given, terms, tag in (
            (stop_loss_terms, stop_terms, "STOP_LOSS"),
            (take_profit_terms, profit_terms, "TAKE_PROFIT"),
        ):
            terms.update({"reduce_only": True, "tags": (tag,), **(given or {})})
        stop = self.order(instrument_id, away, quantity, **stop_terms)
        profit = self.order(instrument_id, away, quantity, **profit_terms)
        _linked((stop, profit), ContingencyType.OUO)
        self.one_triggers_others(first, stop, profit)
        return first, stop, profit

    def market_raw(
        self, instrument_id: str, side: OrderSide, qty_raw: int, precision: int, *, reduce_only: bool = False
    ) -> Order:
        """A market order of a raw quantity at the instrument's decimals."""
        instrument = self._strategy.cache.instruments.get(instrument_id)
        if instrument is None:
            _check_id(instrument_id)
        px_precision = 0 if instrument is None else instrument.price_precision
        order = Order(
            self._next_id(), self._strategy_id, instrument_id, side, _MARKET, qty_raw, precision,
            None, None, px_precision, self._host.clock.now_ns(), reduce_only=reduce_only,
        )  # fmt: skip
        return self._made_now(order)

    def closing(self, position: Position) -> Order:
        """The reduce-only market order that closes a position."""
        side = OrderSide.SELL if position.quantity_raw > 0 else OrderSide.BUY
        precision = position.terms.instrument.size_precision
        order = self.market_raw(position.instrument_id, side, abs(position.quantity_raw), precision, reduce_only=True)
        if position.is_hedged:
            order.position_id = position.position_id
        return order

    def size(self, instrument_id: str, quantity: DecimalLike) -> tuple[int, int]:
        """(raw, scale) of a quantity at the instrument's decimals, or finer where digits would be lost."""
        key = (instrument_id, quantity)
        found = self._sizes.get(key)
        if found is None:
            instrument = self._strategy.cache.instruments.get(instrument_id)
            if instrument is None:
                _check_id(instrument_id)
                return parse_decimal(quantity)
            size = instrument.quantity(quantity)
            if len(self._sizes) >= SIZES_MAX:
                self._sizes.clear()
            found = self._sizes[key] = (size.raw, size.precision)
        return found

    def count_on(self, prefix: str, before: int) -> None:
        """Orders are `{prefix}-{n}` from here on, n from `before` + 1, and a reset does not begin anew."""
        self._prefix, self._before, self._counts_on = prefix, before, True
        self._made.clear()

    def forget(self) -> None:
        """RESET: count from 1 again."""
        if self._counts_on:
            self._before += len(self._made)
        self._made.clear()

    def prices(
        self,
        instrument_id: str,
        price: DecimalLike | None,
        trigger: DecimalLike | None,
        activation: DecimalLike | None = None,
    ) -> tuple[int | None, int | None, int | None, int]:
        """Price, trigger and activation raw at one scale: the instrument's, or a finer one that keeps all digits."""
        instrument = self._strategy.cache.instruments.get(instrument_id)
        if price is None and trigger is None and activation is None:
            return None, None, None, 0 if instrument is None else instrument.price_precision
        parsed = [
            None if value is None else (parse_decimal(value) if instrument is None else _pair(instrument.price(value)))
            for value in (price, trigger, activation)
        ]
        precision = max(each[1] for each in parsed if each is not None)
        raws = [None if each is None else each[0] * 10 ** (precision - each[1]) for each in parsed]
        return raws[0], raws[1], raws[2], precision

    def _display(self, instrument_id: str, display_qty: DecimalLike, order: Order) -> int:
        """What an iceberg shows, at the order's own decimals; the order takes finer ones where digits would be lost."""
        raw, precision = self.size(instrument_id, display_qty)
        if precision > order.size_precision:
            order.quantity_raw *= 10 ** (precision - order.size_precision)
            order.size_precision = precision
        display: int = raw * 10 ** (order.size_precision - precision)
        return display

    def _next_id(self) -> str:
        return f"{self._prefix}-{self._before + len(self._made) + 1}"

    def _made_now(self, order: Order) -> Order:
        """Count an order, so that a handler that raises takes it back."""
        self._made.append(order)
        self._host.staged.append(self._undo)
        return order

    def _unmake(self) -> None:
        """The handler raised: its latest order never was."""
        order = self._made.pop()
        cache = self._strategy.cache
        cache.new.pop(order.client_order_id, None)
        if cache.orders.get(order.client_order_id) is order:
            del cache.orders[order.client_order_id]


def _linked(orders: tuple[Order, ...], contingency: ContingencyType) -> tuple[Order, ...]:
    ids = tuple(order.client_order_id for order in orders)
    for order in orders:
        order.contingency_type = contingency
        order.linked_order_ids = tuple(other for other in ids if other != order.client_order_id)
    return orders


def _as_list(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    for order in orders:
        order.order_list_id = orders[0].client_order_id
    return orders


def _pair(price: object) -> tuple[int, int]:
    return price.raw, price.precision  # type: ignore[attr-defined]


_TYPE_OF = {
    (False, False): OrderType.MARKET,
    (True, False): OrderType.LIMIT,
    (False, True): OrderType.STOP_MARKET,
    (True, True): OrderType.STOP_LIMIT,
}


def _check_id(instrument_id: object) -> None:
    """Raises `TypeError` for what is no text, here and not where somebody else looks at the order."""
    if not isinstance(instrument_id, str):
        raise TypeError(f"an instrument id is text, not {instrument_id!r}")
