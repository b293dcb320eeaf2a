"""ExecAlgorithm: an actor that works one large order, the primary, as many small ones, its children."""

from functools import partial
from typing import Any

from libra_ray.messages.commands import CancelOrder, ModifyOrder
from libra_ray.model.enums import OrderType, TimeInForce
from libra_ray.model.numbers import DecimalLike, Quantity, parse_decimal
from libra_ray.model.orders import Order
from libra_ray.runtime import ActorConfig
from libra_ray.strategy.primary_desk import PrimaryDesk
from libra_ray.strategy.primary_work import PrimaryWork

__all__ = ["ExecAlgorithm", "ExecAlgorithmConfig"]


class ExecAlgorithmConfig(ActorConfig):
    """What every execution algorithm may be told. Orders name it by its `actor_id`."""


class ExecAlgorithm(PrimaryDesk):
    """Override `on_order`; cut children by `spawn_...`, send them by `submit_child`, and the rest by `submit_primary`.

    Events of its primaries and their children come to `on_order_<what>`, then `on_order_event`, then `on_event`.
    Cutting a child takes its quantity out of the primary (OrderUpdated); a child that ends with leaves gives them back.
    So no quantity is ever lost or sent twice. What a handler cuts and sends happens when it has returned.

    The primary is INITIALIZED until it is sent itself. A change of it by its strategy is made here; a cancel, and the
    end of a GTD primary, first cancels its open children. A child that ends after its primary was sent is given back by
    a modification while the primary works, and not at all once it has ended.
    """

    config: ExecAlgorithmConfig

    # --- what an algorithm does ---------------------------------------------------------------------------------

    def spawn_market(self, primary: Order, quantity: DecimalLike, **terms: Any) -> Order:  # noqa: ANN401 - see `_spawn`
        """A market order cut from `primary`: `{primary id}-E{n}`. Not sent yet.

        Side, flags, tags, position and time in force are the primary's; `terms` may say otherwise: `time_in_force`,
        `expire_ns`, `reduce_only`, `tags`. Raises `ValueError` for a quantity that is not positive, has more decimals
        than the primary or is more than `leaves_raw(primary)`, and for an order that this algorithm does not work.
        """
        return self._spawn(primary, quantity, OrderType.MARKET, None, **terms)

    def spawn_limit(self, primary: Order, quantity: DecimalLike, price: DecimalLike, **terms: Any) -> Order:  # noqa: ANN401
        """A limit order cut from `primary`; as `spawn_market`, and `terms` may say `post_only`."""
        price_raw = _at(price, primary.price_precision, "price", primary)
        terms.setdefault("post_only", primary.post_only)
        return self._spawn(primary, quantity, OrderType.LIMIT, price_raw, **terms)

    def spawn_market_to_limit(self, primary: Order, quantity: DecimalLike, **terms: Any) -> Order:  # noqa: ANN401
        """An order that takes the best level and rests with what is left; as `spawn_market`."""
        return self._spawn(primary, quantity, OrderType.MARKET_TO_LIMIT, None, **terms)

    def submit_child(self, child: Order) -> None:
        """Send a child through the risk engine."""
        self._host.stage(self, self._send_child, child)

    def submit_primary(self, primary: Order) -> None:
        """Send the primary itself, with what it has left. Raises `ValueError` where that is nothing."""
        work = self._work_of(primary)
        if work.leaves_raw <= 0:
            raise ValueError(f"{primary.client_order_id} has nothing left to send")
        work.is_leaving = True
        self._host.stage_undo(self, work.stay)
        self._host.stage(self, self._send_primary, work)

    def cancel_primary(self, primary: Order, code: str = "") -> None:
        """Cancel a primary that was not sent, its open children first; `code` says why."""
        self._at_once(self._end_by_algorithm, (self._work_of(primary), code))

    def deny_primary(self, primary: Order, message: str, code: str = "FLAGS_CONFLICT") -> None:
        """Refuse a primary of which nothing was sent yet; `message` says why and what would help."""
        self._at_once(self._deny, (self._work_of(primary), code, message))

    def cancel_child(self, child: Order) -> None:
        """Take a child off the venue; what it had left comes back to the primary."""
        command = CancelOrder(self.clock.now_ns(), child.strategy_id, child)
        self._host.stage(self, self._execution.execute, command)

    def move_child(self, child: Order, price: DecimalLike) -> None:
        """Give a child another limit."""
        price_raw = _at(price, child.price_precision, "price", child)
        command = ModifyOrder(self.clock.now_ns(), child.strategy_id, child, None, price_raw, None)
        self._host.stage(self, self._risk, command)

    # --- what an algorithm asks ---------------------------------------------------------------------------------

    def leaves_raw(self, primary: Order) -> int:
        """What may still be cut from a primary, or sent as it; 0 once it was sent or ends."""
        return self._work_of(primary).leaves_raw

    def original_raw(self, primary: Order) -> int:
        """What its strategy asked for: children and primary together."""
        return self._work_of(primary).original_raw

    def children(self, primary: Order) -> list[Order]:
        """Its children so far, in order of birth."""
        return list(self._work_of(primary).children)

    def primary_of(self, client_order_id: str) -> Order | None:
        """The primary that an order was cut from, or that it is; None for an order of somebody else."""
        work = self._by_order.get(client_order_id)
        return None if work is None else work.primary

    # --- inside -------------------------------------------------------------------------------------------------

    def _work_of(self, primary: Order) -> PrimaryWork:
        work = self._works.get(primary.client_order_id)
        if work is None or work.primary is not primary:
            raise ValueError(f"{primary.client_order_id} is no primary that {self.actor_id} works")
        return work

    def _spawn(
        self,
        primary: Order,
        quantity: DecimalLike,
        kind: OrderType,
        price_raw: int | None,
        *,
        time_in_force: TimeInForce | str | None = None,
        expire_ns: int | None = None,
        post_only: bool = False,
        reduce_only: bool | None = None,
        tags: tuple[str, ...] | None = None,
    ) -> Order:
        work = self._work_of(primary)
        quantity_raw = _at(quantity, primary.size_precision, "quantity", primary)
        if not 0 < quantity_raw <= work.leaves_raw:
            left = Quantity(work.leaves_raw, primary.size_precision)
            raise ValueError(f"{quantity} cannot be cut from {primary.client_order_id}, which has {left} left")
        tif = primary.time_in_force if time_in_force is None else TimeInForce(time_in_force)
        child = Order(
            work.next_id(), primary.strategy_id, primary.instrument_id, primary.side, kind, quantity_raw,
            primary.size_precision, price_raw, None, primary.price_precision, self.clock.now_ns(), tif,
            primary.expire_ns if time_in_force is None else expire_ns, post_only,
            primary.reduce_only if reduce_only is None else reduce_only,
            position_id=primary.position_id, tags=primary.tags if tags is None else tags,
            exec_algorithm_id=primary.exec_algorithm_id, exec_spawn_id=primary.client_order_id,
        )  # fmt: skip
        work.reserve(child)
        self._by_order[child.client_order_id] = work
        self.cache.orders.setdefault(child.client_order_id, child)
        self.cache.new[child.client_order_id] = child
        self._host.stage_undo(self, partial(self._unspawn, work))
        self._at_once(self._cut, child)
        return child

    def _unspawn(self, work: PrimaryWork) -> None:
        """The handler raised: its latest child never was."""
        child = work.unreserve_last()
        del self._by_order[child.client_order_id]
        self.cache.new.pop(child.client_order_id, None)
        if self.cache.orders.get(child.client_order_id) is child:
            del self.cache.orders[child.client_order_id]


def _at(value: DecimalLike, precision: int, name: str, order: Order) -> int:
    """`value` raw at the order's decimals. Raises `ValueError` where digits would be lost."""
    raw, scale = parse_decimal(value)
    if scale > precision and raw % 10 ** (scale - precision):
        raise ValueError(f"{name} {value} has more than the {precision} decimals of {order.instrument_id}")
    exact: int = raw * 10 ** (precision - scale) if scale <= precision else raw // 10 ** (scale - precision)
    return exact
