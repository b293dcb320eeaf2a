"""The instrument's own decimals: orders may be written with others, venues know no others."""

from libra_ray.model.instruments import Instrument
from libra_ray.model.orders import Order

__all__ = ["put_on_grid", "rescaled"]


def put_on_grid(order: Order, instrument: Instrument) -> None:
    """Bring raw integers that lie on the grid to the instrument's own decimals: venues know no others. Exact.

    An amount of quote currency keeps its own until the venue converts it.
    """
    given, own = order.price_precision, instrument.price_precision
    if given != own:
        for name in ("price_raw", "trigger_raw", "activation_raw"):
            px_raw = getattr(order, name)
            if px_raw is not None:
                setattr(order, name, rescaled(px_raw, given, own))
        order.price_precision = own
    given, own = order.size_precision, instrument.size_precision
    if given != own:
        if order.display_raw is not None:
            order.display_raw = rescaled(order.display_raw, given, own)
        if not order.quote_quantity:
            order.quantity_raw = rescaled(order.quantity_raw, given, own)
            order.size_precision = own


def rescaled(raw: int, given: int, own: int) -> int:
    """A value that fits `own` decimals, from `given` ones."""
    scaled: int = raw * 10 ** (own - given) if own >= given else raw // 10 ** (given - own)
    return scaled
