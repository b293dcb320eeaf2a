"""Arrays that grow, found by their address: handed over as such they would cost a call every field that they have."""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from libra_ray.matching.core.forms import once
from libra_ray.matching.core.layout import EVENT_COLUMNS, ORDER_COLUMNS, SAMPLE_COLUMNS, Columns, Core

__all__ = ["event_row", "leaves_of", "order_row", "passes_of", "refs_of", "sample_row"]

INT_BYTES = 8
_pack: Any = cgutils.pack_array
WHOLE = 2**40
"""The length of a column of which nobody asks the length."""
ORDER_BYTES, EVENT_BYTES, SAMPLE_BYTES = (INT_BYTES * each for each in (ORDER_COLUMNS, EVENT_COLUMNS, SAMPLE_COLUMNS))


def _make_integers(typing: Any, address: Any, count: Any) -> Any:  # noqa: ANN401, ARG001  # as numba calls it
    """An array of `count` integers at an address, which nobody owns."""
    array = types.Array(types.int64, 1, "C")
    signature = array(types.int64, types.int64)

    def generate(context: Any, builder: Any, made: Any, arguments: Any) -> Any:  # noqa: ANN401
        at, size = arguments
        view = context.make_array(made.return_type)(context, builder)
        context.populate_array(
            view,
            data=builder.inttoptr(at, view.data.type),
            shape=_pack(builder, [size]),
            strides=_pack(builder, [context.get_constant(types.intp, INT_BYTES)]),
            itemsize=context.get_constant(types.intp, INT_BYTES),
            meminfo=None,
        )
        return view._getvalue()  # noqa: SLF001 - how numba's own code makes arrays

    return signature, generate


_integers: Any = intrinsic(_make_integers)


@once
def order_row(ledger: Core, order: int) -> Columns:
    """The row of an order."""
    found: Columns = _integers(ledger.orders_at + order * ORDER_BYTES, ORDER_COLUMNS)
    return found


@once
def event_row(ledger: Core, event: int) -> Columns:
    """The row of an event."""
    found: Columns = _integers(ledger.events_at + event * EVENT_BYTES, EVENT_COLUMNS)
    return found


@once
def sample_row(ledger: Core, sample: int) -> Columns:
    """The row of a sample of equity."""
    found: Columns = _integers(ledger.samples_at + sample * SAMPLE_BYTES, SAMPLE_COLUMNS)
    return found


@once
def refs_of(ledger: Core) -> Columns:
    """By reference of a desk, the order."""
    found: Columns = _integers(ledger.refs_at, WHOLE)
    return found


@once
def leaves_of(ledger: Core) -> Columns:
    """By reference of a desk, what is left of its order."""
    found: Columns = _integers(ledger.leaves_at, WHOLE)
    return found


@once
def passes_of(ledger: Core) -> Columns:
    """When the last orders passed the risk checks."""
    found: Columns = _integers(ledger.passed_at, WHOLE)
    return found
