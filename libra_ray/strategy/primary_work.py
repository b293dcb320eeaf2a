"""The ledger of one primary: what was cut from it, what works, what came back.

At any time: fills of the children + leaves of the children that are open + quantity of the primary = the original.
"""

from libra_ray.model.enums import OrderStatus
from libra_ray.model.orders import Order

__all__ = ["PrimaryWork"]

_LOCAL = (OrderStatus.INITIALIZED, OrderStatus.RELEASED)


class PrimaryWork:
    """One primary in the hands of an algorithm.

    Attributes:
        primary: the order that children are cut from.
        original_raw: what the strategy asked for, with its later changes.
        children: all children, in order of birth.
        out_raw: by child id, what is out of the primary for it: its quantity while it is open, its fills afterwards.
        reserved_raw: cut by the handler that runs now, or waiting in its turn: not out of the primary yet.
        is_leaving: the primary itself is wanted at the venue; nothing more can be cut from it.
        is_gone: it went to the risk engine.
        is_ending: no child may be cut any more; the primary ends, with `end_code`, when no child is open.
        expires: it ends by EXPIRED.
    """

    def __init__(self, primary: Order) -> None:
        self.primary = primary
        self.original_raw = primary.quantity_raw
        self.children: list[Order] = []
        self.out_raw: dict[str, int] = {}
        self._open: dict[str, Order] = {}
        self.reserved_raw = 0
        self.is_leaving = self.is_gone = self.is_ending = self.expires = False
        self.end_code = ""

    @property
    def is_local(self) -> bool:
        """Whether the primary is still here."""
        return self.primary.status in _LOCAL and not self.is_gone

    @property
    def leaves_raw(self) -> int:
        """What may still be cut from the primary, or be sent as it."""
        if not self.is_local or self.is_leaving or self.is_ending:
            return 0
        coming_back = sum(self.out_raw[order_id] - _out_now(child) for order_id, child in self._open.items())
        return self.primary.leaves_raw + coming_back - self.reserved_raw

    @property
    def open_children(self) -> list[Order]:
        """Children that are out of the primary and have not ended, in order of birth."""
        return [child for child in self._open.values() if not child.is_closed]

    @property
    def unsettled(self) -> list[Order]:
        """Children that have not ended, or whose end the primary has not been told of yet."""
        return list(self._open.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen."""
        return self.primary.is_closed and not self.reserved_raw and not self._open

    def stay(self) -> None:
        """The handler that wanted the primary sent raised."""
        self.is_leaving = False

    def next_id(self) -> str:
        """The id of the next child: `{primary id}-E{n}`, n from 1."""
        return f"{self.primary.client_order_id}-E{len(self.children) + 1}"

    def reserve(self, child: Order) -> None:
        """A child is made; it is taken out of the primary in its turn."""
        self.children.append(child)
        self.reserved_raw += child.quantity_raw

    def unreserve_last(self) -> Order:
        """The handler that made it raised: the latest child never was."""
        child = self.children.pop()
        self.reserved_raw -= child.quantity_raw
        return child

    def cut(self, child: Order) -> bool:
        """The child's turn has come; False where the primary has not so much any more, or has ended meanwhile."""
        self.reserved_raw -= child.quantity_raw
        is_possible = not self.is_ending and self.is_local and child.quantity_raw <= self.primary.leaves_raw
        if is_possible:
            self.out_raw[child.client_order_id] = child.quantity_raw
            self._open[child.client_order_id] = child
        return is_possible

    def settled(self, child: Order) -> int:
        """Something happened to a child: what comes back to the primary, negative for what goes out of it.

        It looks at the child as it stands, so events that come late or twice change nothing.
        """
        before = self.out_raw.get(child.client_order_id)
        if before is None:
            return 0
        now = self.out_raw[child.client_order_id] = _out_now(child)
        if child.is_closed:
            self._open.pop(child.client_order_id, None)
        return before - now


def _out_now(child: Order) -> int:
    return child.filled_raw if child.is_closed else child.quantity_raw
