"""The run hash: 128 bits that say whether two runs did the same."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from libra_ray.execution import RunRecord
from libra_ray.messages.events import AnyEvent
from libra_ray.model.orders import Order
from libra_ray.portfolio import Portfolio

__all__ = ["run_hash"]

_ENCODER = msgspec.msgpack.Encoder()
_CHUNK = 4_096


def run_hash(record: RunRecord, portfolio: Portfolio) -> str:
    """Hex BLAKE2b-128 over msgpack arrays `[kind, field...]`: events in order of birth, then the final state.

    It knows no host, process, batch size or wall time, so it is equal wherever the same run is made.
    """
    state = blake2b(digest_size=16)
    for start in range(0, len(record.events), _CHUNK):
        chunk = record.events[start : start + _CHUNK]
        try:
            state.update(b"".join(_ENCODER.encode(event) for event in chunk))
        except OverflowError:
            state.update(b"".join(_encode_wide(event) for event in chunk))
    for part in _final_state(record.orders, portfolio):
        state.update(_ENCODER.encode([_narrow(value) for value in part]))
    return state.hexdigest()


def _encode_wide(event: AnyEvent) -> bytes:
    """An event of an instrument of high precision: integers beyond 64 bits go as text."""
    try:
        return _ENCODER.encode(event)
    except OverflowError:
        fields: Iterable[Any] = msgspec.structs.astuple(event)
        return _ENCODER.encode([type(event).__name__, *(_narrow(value) for value in fields)])


def _narrow(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def _final_state(orders: list[Order], portfolio: Portfolio) -> Iterable[list[Any]]:
    for order in orders:
        yield ["Order", order.client_order_id, order.status, order.quantity_raw, order.filled_raw, order.fill_value_raw]
    for position in portfolio.open.values():
        key = [position.position_id, position.quantity_raw, position.open_value, position.realized_raw]
        yield ["Position", *key]
    for account in portfolio.accounts.values():
        for code, total in account.totals.items():
            yield ["Account", account.account_id, code, total]
