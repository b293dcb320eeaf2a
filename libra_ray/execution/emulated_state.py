"""What the order emulator saves: each held order with its trigger, and what its links have made of its quantity."""

import msgspec

from libra_ray.execution.emulated_triggers import Held
from libra_ray.model.orders import Order

__all__ = ["Snapshot", "decoded", "encoded"]


class Snapshot(msgspec.Struct):
    """One held order. `ts_last_ns` stands beside it: making an order sets that field anew."""

    order: Order
    ts_last_ns: int
    asked_raw: int
    is_waiting: bool
    is_following: bool
    ends_ns: int | None

    def restored(self) -> Order:
        """The order as it was."""
        self.order.ts_last_ns = self.ts_last_ns
        return self.order


class _Saved(msgspec.Struct):
    held: list[Snapshot]
    released: dict[str, int]


def encoded(held: list[Held], released: dict[str, int]) -> bytes:
    """Held orders in order of arrival, and the quantities asked for of released ones, as msgpack."""
    snapshots = [
        Snapshot(one.order, one.order.ts_last_ns, one.asked_raw, one.is_waiting, one.is_following, one.ends_ns)
        for one in held
    ]
    return msgspec.msgpack.encode(_Saved(snapshots, released))


def decoded(data: bytes) -> tuple[list[Snapshot], dict[str, int]]:
    """What `encoded` was given. Raises `msgspec.DecodeError` for anything else."""
    saved = msgspec.msgpack.decode(data, type=_Saved)
    return saved.held, saved.released
